# SPDX-License-Identifier: MIT
"""Storms of log-ins, new users and backup codes, each with its slow hashes,
beside an ordinary request."""
import concurrent.futures
import statistics
import threading
import time

import pytest

from harness import Instance, unique
from onprem import (Front, NEW_PASSWORD, Site, done,  # noqa: F401
                    enabled_tenant, engine, refused)
from wacht_user import Wacht, key_of

CLIENTS = 12
SECONDS = 2


@pytest.fixture(scope="module")
def slow(tmp_path_factory, engine):
    """Four workers, and hashes that take as long as everything else does
    not."""
    instance = Instance.start(workers=4, password_memory_kib=19456,
                              password_passes=4)
    front = None
    try:
        tenant = enabled_tenant(instance)
        front = Front(tmp_path_factory.mktemp("slow"), instance,
                      [tenant, tenant], engine.path)
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


def new_user(call, user):
    return call("POST", "/users", files={k: (None, v) for k, v in {
        "first_name": "Ada", "last_name": "L", "password": "Passw0rd!",
        "email_address": unique("storm") + "@example.com"}.items()})


def new_codes(call, user):
    return call("POST", f"/users/{user}/backup-codes/regenerate")


def hashes(tenant, make, over):
    call = Wacht(tenant.instance, tenant.admin.token)
    user, took = tenant.admin.id, []
    while not over.is_set():
        seconds, answer = timed(lambda: make(call, user))
        if answer.status_code == 200:
            took.append(seconds)
            continue
        assert answer.status_code == 503, answer.text
        assert answer.headers["Retry-After"] == "1"
        over.wait(0.05)
    return took


@pytest.mark.parametrize("make,of_it", [(new_user, 3), (new_codes, 12)])
def test_other_hashes_starve_nobody_either(slow, make, of_it):
    """Neither another's GET nor, while codes are made, its log-ins."""
    tenant = slow.tenant.instance.tenant()
    over = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        storms = [pool.submit(hashes, tenant, make, over)
                  for _ in range(CLIENTS)]
        end, gets, logins = time.monotonic() + SECONDS, [], []
        while time.monotonic() < end:
            seconds, answer = timed(
                lambda: slow.call("GET", "/users/admin"))
            done(answer)
            gets.append(seconds)
            if make is new_codes and len(logins) < 5:
                logins.append(
                    slow.login("admin", NEW_PASSWORD).status_code)
        over.set()
        took = [seconds for each in storms for seconds in each.result()]
    one, storm_one = statistics.median(gets), statistics.median(took)
    print(f"{make.__name__}: {len(took)}, median {storm_one * 1000:.0f} ms;"
          f" beside them {len(gets)} requests, median {one * 1000:.1f} ms")
    assert one < storm_one / of_it
    assert make is not new_codes or 200 in logins
