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
REQUESTS = 10		# at least


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
    site, took = site.elsewhere(), []
    while not over.is_set():
        seconds, answer = timed(lambda: site.login("admin", NEW_PASSWORD))
        if answer.status_code == 200:
            took.append(seconds)
            continue
        refused(answer, 503, 1016)
        assert answer.headers["Retry-After"] == "1"
        over.wait(1)
    return took


def gets_beside(slow, pool, work, also=lambda: None):
    """How long GETs took while each client was at its work, and how long what
    the clients did. Were every worker hashing, no client would be refused, and
    a GET would wait as long as they do, behind two of three of them; so however
    slow the machine is, half as long is far from both."""
    over = threading.Event()
    clients = [pool.submit(*work, over) for _ in range(CLIENTS)]
    end, gets = time.monotonic() + SECONDS, []
    try:
        while time.monotonic() < end or len(gets) < REQUESTS:
            seconds, answer = timed(
                lambda: slow.call("GET", "/users/admin"))
            done(answer)
            gets.append(seconds)
            also()
    finally:
        over.set()
    took = [seconds for each in clients for seconds in each.result()]
    one, other = statistics.median(gets), statistics.median(took)
    print(f"{len(took)} of {work[0].__name__}, median {other * 1000:.0f} ms;"
          f" beside them {len(gets)} requests, median {one * 1000:.1f} ms")
    assert one < other / 2
    return gets, took


def test_a_storm_of_logins_starves_nobody_else(slow):
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        gets, logins = gets_beside(slow, pool, (storm, slow))
    assert len(gets) > len(logins) / 3


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
        over.wait(1)
    return took


@pytest.mark.parametrize("make", [new_user, new_codes])
def test_other_hashes_starve_nobody_either(slow, make):
    """Neither another's GET nor, while codes are made, its log-ins."""
    tenant, logins = slow.tenant.instance.tenant(), []

    def log_in():
        if make is new_codes and len(logins) < 5:
            logins.append(slow.login("admin", NEW_PASSWORD).status_code)

    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        gets_beside(slow, pool, (hashes, tenant, make), log_in)
    assert make is not new_codes or 200 in logins
