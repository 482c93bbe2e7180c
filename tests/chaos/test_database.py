# SPDX-License-Identifier: MIT
"""The database goes away and comes back: requests are refused at once, events
accepted before are delivered meanwhile, and nobody has to restart anything."""
import concurrent.futures
import json
import re
import signal
import time

import pytest

from harness import done, refused, wait_for

CLIENTS = 12		# more than there are workers


@pytest.fixture
def stopped(victim):
    """A function that stops the database; started again at the end."""
    yield lambda: victim.quickstart("stop", "mariadbd")
    victim.quickstart("start", "mariadbd")
    victim.settle()


@pytest.fixture
def frozen(victim):
    """The same, but it hangs instead of being gone."""
    pid = victim.pid("mariadbd")
    yield lambda: victim.kill("mariadbd", signal.SIGSTOP)
    if victim.pid("mariadbd") == pid:
        victim.kill("mariadbd", signal.SIGCONT)
    victim.settle()


def timed(call):
    began = time.monotonic()
    response = call()
    return response, time.monotonic() - began


def seconds_of(victim, response):
    """How long the worker took. What a client sees is more: twelve at once
    wait for each other, and for whatever else this machine has to do."""
    line = rf"request={response.headers['X-Request-Id']} .* ms=([\d.]+)"
    log = victim.run / "logs" / "wutsd.log"
    found = wait_for("the line of a request",
                     lambda: re.search(line, log.read_text()))
    return float(found.group(1)) / 1000


def ask_at_once(tenant, n):
    """n requests of n clients at the same time: answers and seconds."""
    clients = [tenant.instance.client(tenant.admin.token) for _ in range(n)]
    with concurrent.futures.ThreadPoolExecutor(n) as pool:
        return list(pool.map(lambda c: timed(
            lambda: c.post("/users", {"email": "x@example.com",
                                      "password": "long enough"})), clients))


def test_requests_are_refused_within_a_second_while_it_is_stopped(
        victim, stopped):
    tenant = victim.instance.tenant()
    stopped()
    for response, seconds in ask_at_once(tenant, CLIENTS):
        refused(response, 503, "SERVICE_UNAVAILABLE")
        assert seconds_of(victim, response) < 1
        assert seconds < 10
    refused(victim.instance.client().get("/readyz"), 503,
            "SERVICE_UNAVAILABLE")
    done(victim.instance.client().get("/healthz"))


def test_no_worker_hangs_while_it_does_not_answer(victim, frozen):
    tenant = victim.instance.tenant()
    frozen()
    for response, seconds in ask_at_once(tenant, CLIENTS):
        refused(response, 503, "SERVICE_UNAVAILABLE")
        # database_timeout is 1 s, and a worker may be found busy waiting.
        assert seconds_of(victim, response) < 2
        assert seconds < 15
    response, seconds = timed(
        lambda: victim.instance.client().get("/healthz"))
    done(response)
    assert seconds_of(victim, response) < 1
    assert seconds < 10


def test_service_resumes_within_five_seconds_of_its_return(victim, stopped):
    tenant = victim.instance.tenant()
    stopped()
    refused(tenant.admin.client.get("/users"), 503, "SERVICE_UNAVAILABLE")
    victim.quickstart("start", "mariadbd")
    returned = time.monotonic()
    assert victim.settle() - returned < 5
    done(tenant.admin.client.get("/users"))


def test_events_accepted_before_are_delivered_meanwhile(victim, receiver,
                                                        stopped):
    tenant = victim.instance.tenant()
    device = tenant.admin.device()
    hook = receiver.hook()
    hook.answer = 500
    done(tenant.admin.client.post(f"/webhook?device_id={device}", {
        "webhook_url": hook.url, "enabled_events": ["message.received"],
        "retry_attempts": 20}), 201)
    ids = done(victim.instance.engine().post(
        f"/devices/{device}/events",
        [{"event": "message.received", "data": {"n": n}} for n in range(20)]),
        202)["ids"]
    hook.wait(1)
    stopped()
    with receiver.arrived:
        hook.deliveries.clear()
        hook.answer = 200
    hook.wait_for(lambda seen: {d.id for d in seen} >= set(ids), 60)
    refused(victim.instance.client().get("/readyz"), 503,
            "SERVICE_UNAVAILABLE")
    assert sorted(json.loads(d.body)["data"]["n"] for d in {
        d.id: d for d in hook.deliveries}.values()) == list(range(20))
    # The delivery log is written afterwards.
    victim.quickstart("start", "mariadbd")
    victim.settle()
    path = f"/webhook/deliveries?device_id={device}&status=delivered"
    entries = wait_for("all are told of", lambda: (
        lambda seen: seen if len(seen) == 20 else None)(
        done(tenant.admin.client.get(path))["deliveries"]))
    assert sorted(d["id"] for d in entries) == sorted(ids)
    assert all(d["attempts"][-1]["status"] == 200 for d in entries)


def test_a_webhook_given_up_meanwhile_is_disabled_afterwards(
        victim, receiver, stopped):
    tenant = victim.instance.tenant()
    own, hook = receiver.hook(), receiver.hook()
    device = tenant.admin.device()
    done(tenant.admin.client.post("/webhook?scope=tenant", {
        "webhook_url": own.url, "enabled_events": ["webhook.disabled"]}), 201)
    path = f"/webhook?device_id={device}"
    done(tenant.admin.client.post(path, {
        "webhook_url": hook.url, "enabled_events": ["*"],
        "retry_attempts": 20}), 201)
    hook.answer = 500
    done(victim.instance.engine().post(
        f"/devices/{device}/events",
        [{"event": "message.received", "data": {}}] * 3), 202)
    hook.wait(1)
    stopped()
    with receiver.arrived:
        hook.answer = 410
        hook.deliveries.clear()
    hook.wait(1, 40)
    victim.quickstart("start", "mariadbd")
    (event,) = own.wait(1)
    assert event.message["data"]["device_id"] == device
    victim.settle()
    # Those in flight together are the only ones that came.
    assert len(hook.deliveries) <= 3
    assert done(tenant.admin.client.get(path))["webhook"]["enabled"] is False
    # Nothing is left waiting for it.
    done(tenant.admin.client.delete(path))
