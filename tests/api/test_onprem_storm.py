# SPDX-License-Identifier: MIT
"""A storm of log-ins, each with its slow hash, beside an ordinary request."""
import concurrent.futures
import statistics
import threading
import time

import pytest

from harness import Instance
from onprem import (Front, NEW_PASSWORD, Site, done,  # noqa: F401
                    enabled_tenant, engine, refused)

CLIENTS = 12
SECONDS = 2


@pytest.fixture
def slow(tmp_path, engine):
    """Four workers, and hashes that take as long as everything else does
    not."""
    instance = Instance.start(workers=4, password_memory_kib=19456,
                              password_passes=4)
    front = None
    try:
        tenant = enabled_tenant(instance)
        front = Front(tmp_path, instance, [tenant, tenant], engine.path)
        yield Site(front, tenant).first_login()
    finally:
        if front is not None:
            front.stop()
        instance.stop_and_check(False)


def timed(call):
    begun = time.monotonic()
    answer = call()
    return time.monotonic() - begun, answer


def storm(site, over):
    """Logs in all the time; how long the good ones took."""
    took = []
    while not over.is_set():
        seconds, answer = timed(lambda: site.login("admin", NEW_PASSWORD))
        if answer.status_code == 200:
            took.append(seconds)
            continue
        refused(answer, 503, 1016)
        assert answer.headers["Retry-After"] == "1"
        over.wait(0.05)		# not the second that was asked for
    return took


def test_a_storm_of_logins_starves_nobody_else(slow):
    over = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        storms = [pool.submit(storm, slow.elsewhere(), over)
                  for _ in range(CLIENTS)]
        end, gets = time.monotonic() + SECONDS, []
        while time.monotonic() < end:
            seconds, answer = timed(
                lambda: slow.call("GET", "/users/admin"))
            done(answer)
            gets.append(seconds)
        over.set()
        logins = [seconds for each in storms for seconds in each.result()]
    one, login = statistics.median(gets), statistics.median(logins)
    print(f"{len(logins)} log-ins, median {login * 1000:.0f} ms; beside them"
          f" {len(gets)} requests, median {one * 1000:.1f} ms, the longest"
          f" {max(gets) * 1000:.1f} ms")
    # Were every worker hashing, each would wait for one or two of them.
    assert one < login / 3
    assert len(gets) > len(logins)
