# SPDX-License-Identifier: MIT
"""Callbacks of an On-Premises tenant outlive whoever carries them: none is
lost, each has the same bytes in every attempt, and the tenant's certificates
are known after a restart, also while the database is away."""
import collections
import json
import threading
import time

import pytest

from front import Front, make_certificate
from harness import wait_for
from shop import Shop

N = 60


@pytest.fixture
def front(receiver, tmp_path):
    make_certificate(tmp_path, "ca")
    make_certificate(tmp_path, "one", "ca")
    front = Front(tmp_path, receiver, {"one": ("http2", "one")})
    yield front
    front.close()


@pytest.fixture
def shop(victim, front, receiver):
    hook = receiver.hook()
    shop = Shop(victim.instance, front.url("one", hook),
                callback_backoff_delay_ms=200,
                max_callback_backoff_delay_ms=400)
    shop.trust(front.directory / "ca.pem")
    shop.hook = hook
    return shop


def message(n):
    return {"messages": [{"id": f"m{n}", "text": {"body": "x" * n}}]}


def report(shop, first, last):
    for n in range(first, last):
        shop.report(message(n))


def bodies(deliveries):
    seen = collections.defaultdict(set)
    for delivery in deliveries:
        seen[json.loads(delivery.body)["messages"][0]["id"]].add(
            delivery.body)
    return seen


def assert_all_came(shop):
    seen = shop.hook.wait_for(lambda seen: len(bodies(seen)) == N and
                              bodies(seen), 60)
    for n in range(N):
        assert seen[f"m{n}"] == {json.dumps(
            message(n), separators=(",", ":")).encode()}


def test_a_spooler_that_is_killed_loses_none(victim, shop):
    shop.hook.answers = [500, 200] * (N // 4)
    loads = [threading.Thread(target=report, args=(
        shop, first, first + N // 3)) for first in range(0, N, N // 3)]
    for load in loads:
        load.start()
    for _ in range(3):
        pid = wait_for("a spooler", lambda: victim.kill("wuts-spool"))
        wait_for("another", lambda: victim.pid("wuts-spool")
                 not in (None, pid))
        time.sleep(0.1)		# a part of the work, then the next
    for load in loads:
        load.join()
    assert_all_came(shop)


def test_a_restart_without_the_database_trusts_the_same(victim, shop):
    shop.hook.answer = 500
    report(shop, 0, N)
    shop.hook.wait_for(lambda seen: len(bodies(seen)) == N)
    # what was read is written down within ten seconds, and at an end
    victim.quickstart("stop", "wuts-spool")
    victim.quickstart("stop", "mariadbd")
    try:
        with shop.hook.receiver.arrived:
            shop.hook.deliveries.clear()
            shop.hook.answer = 200
        victim.quickstart("start", "wuts-spool")
        assert_all_came(shop)
    finally:
        victim.quickstart("start", "mariadbd")
        victim.settle()
