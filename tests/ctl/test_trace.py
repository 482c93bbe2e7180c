# SPDX-License-Identifier: MIT
"""wutsctl trace: the way of a request and its events, from nginx to the
receiver, found by either id."""
import json
import uuid

import pytest

from harness import done, unique, wait_for

LOGS = "wutsd.log", "wuts-spool.log"


@pytest.fixture
def logs(wuts):
    return [wuts.run / "logs" / name for name in LOGS]


@pytest.fixture
def hook(receiver):
    return receiver.hook()


def tell(operator, ident, logs):
    """The story's items; it stays in the order of time."""
    items = operator.json("trace", ident, *logs)["items"]
    assert [i["time"] for i in items] == sorted(i["time"] for i in items)
    return items


def wait_told(operator, ident, logs, *parts):
    """The items, once each of these texts is in one of them."""
    def find():
        items = tell(operator, ident, logs)
        texts = [f"{item['source']} {item['text']}" for item in items]
        return all(any(part in text for text in texts) for part in parts) \
            and not any("now waiting" in text for text in texts) and items
    return wait_for(f"{parts} in the story of {ident}", find)


def test_an_event_leads_to_its_request_and_back(wuts, operator, tenant, hook,
                                                logs):
    device = tenant.admin.device()
    done(tenant.admin.client.post("/webhook", {
        "webhook_url": hook.url, "enabled_events": ["*"],
        "retry_attempts": 0}), 201)
    hook.answer = 500
    request = unique("trace")
    (event,) = done(wuts.engine().post(
        f"/devices/{device}/events", {"event": "call.offer", "data": {}},
        headers={"X-Request-Id": request}), 202)["ids"]
    hook.wait_event(event)
    by_event = wait_told(
        operator, event, logs, f"request={request} address=",
        f"event={event} request={request}", "outcome=dead",
        "attempt 1: status 500", "call.offer is dead",
        "call.offer accepted; now dead in dead/")
    assert tell(operator, request, logs) == by_event
    assert operator.run("trace", event, *logs).stdout.count("\n") == \
        len(by_event)


def test_a_change_is_told_with_its_event(wuts, operator, tenant, hook, logs):
    done(tenant.admin.client.post("/webhook?scope=tenant", {
        "webhook_url": hook.url, "enabled_events": ["user.role_changed"]}),
        201)
    member = tenant.member()
    request = str(uuid.uuid4())
    done(tenant.admin.client.put(f"/users/{member.id}", {"role": "manager"},
                                 headers={"X-Request-Id": request}))
    (delivery,) = hook.wait()
    items = wait_told(operator, request, logs, "audit user.role_changed",
                      "user.role_changed is delivered", "method=PUT",
                      "outcome=delivered")
    assert tell(operator, delivery.id, logs) == items
    assert not any(tenant.admin.token in item["text"] for item in items)


def test_what_nobody_knows_is_said_to_be_unknown(operator):
    for ident in "no-such-request", str(uuid.uuid4()):
        said = operator.refused("trace", ident)
        assert f"nothing is known of {ident}" in said
    assert "log /nonexistent" in operator.refused(
        "trace", "x", "/nonexistent")


def test_the_log_may_be_json(operator, tmp_path):
    request = unique("json")
    log = tmp_path / "log"
    log.write_text("".join(json.dumps({
        "time": f"2026-06-15T12:00:0{n}.000Z", "program": "wutsd", "pid": 1,
        "level": "info", "request": name}, separators=(",", ":")) + "\n"
        for n, name in enumerate([request, request + "0", "x" + request])))
    (item,) = tell(operator, request, [log])
    assert item["source"] == "log"
    assert json.loads(item["text"])["request"] == request


def test_the_journal_may_come_through_a_pipe(operator):
    request = unique("pipe")
    line = ("2026-06-15T12:00:01.000Z wutsd[7] info request=" + request
            + " address=192.0.2.1 status=200\n")
    for prefix in "", "Jun 15 12:00:01 host wutsd[7]: ":
        told = operator.json("trace", request, "/dev/stdin",
                             stdin=prefix + line)
        assert [(i["time"], i["source"]) for i in told["items"]] == [
            ("2026-06-15T12:00:01.000Z", "log")]
