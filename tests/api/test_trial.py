# SPDX-License-Identifier: MIT
"""POST /webhook/test: a sample delivered while the caller waits."""
import contextlib
import socket

import pytest

from harness import done, invalid, is_uuid, refused, verify_webhook

MEMBERS = {"id", "status", "duration_ms", "response_excerpt", "error"}


@pytest.fixture
def owner(tenant, hook):
    """A member whose device has a webhook to hook."""
    member = tenant.member()
    member.device_id = member.device()
    settings = {"webhook_url": hook.url, "enabled_events": ["call.offer"],
                "secret": "for-the-test"}
    done(member.client.post("/webhook", settings), 201)
    member.configure = lambda **changes: done(member.client.post(
        "/webhook", {**settings, **changes}))
    return member


@contextlib.contextmanager
def black_hole():
    """The URL of one that takes connections and never says anything."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen(16)
        yield "http://127.0.0.1:%d/" % s.getsockname()[1]


def test_a_sample_is_delivered_and_the_answer_shown(tenant, owner, hook):
    hook.answer = (202, {}, "obrigado ✓\n".encode())
    data = done(owner.client.post("/webhook/test"))["data"]
    assert set(data) == MEMBERS
    assert data["status"] == 202 and data["error"] is None
    assert data["response_excerpt"] == "obrigado ✓ "
    assert 0 <= data["duration_ms"] < 30000
    (delivery,) = hook.deliveries
    verify_webhook("for-the-test", delivery.headers, delivery.body)
    assert delivery.headers["x-wuts-event"] == "message.received"
    assert delivery.id == data["id"] and is_uuid(data["id"])
    message = delivery.message
    assert message["id"] == delivery.id
    assert message["event"] == "message.received"
    assert message["tenant_id"] == tenant.id
    assert message["device_id"] == owner.device_id
    assert message["data"] == {"test": True}
    assert done(owner.client.get("/webhook/deliveries"))["deliveries"] == []


def test_the_event_may_be_chosen(owner, hook):
    done(owner.client.post("/webhook/test", {"event": "call.accept"}))
    assert [d.event for d in hook.deliveries] == ["call.accept"]
    for event in "call.eaten", "user.created", "*", "call.*":
        refused(owner.client.post("/webhook/test", {"event": event}), 400,
                "UNKNOWN_EVENT")
    invalid(owner.client.post("/webhook/test", {"event": 1}), "event")
    assert len(hook.deliveries) == 1


def test_the_tenant_webhook_can_be_tested(tenant, hook):
    client = tenant.admin.client
    done(client.post("/webhook?scope=tenant", {
        "webhook_url": hook.url, "enabled_events": ["user.updated"]}), 201)
    data = done(client.post("/webhook/test?scope=tenant"))["data"]
    assert data["status"] == 200
    assert [d.event for d in hook.deliveries] == ["user.created"]
    assert hook.deliveries[0].message["device_id"] is None
    refused(client.post("/webhook/test?scope=tenant", {
        "event": "message.received"}), 400, "UNKNOWN_EVENT")


def test_a_failure_is_shown_and_not_tried_again(owner, hook):
    hook.answer = (500, {}, b"<b>no</b>")
    data = done(owner.client.post("/webhook/test"))["data"]
    assert (data["status"], data["response_excerpt"]) == (500, "<b>no</b>")
    hook.answer = 200
    assert done(owner.client.post("/webhook/test"))["data"]["status"] == 200
    assert len(hook.deliveries) == 2


def test_a_disabled_webhook_and_new_settings_are_tested(owner, hook, receiver):
    other = receiver.hook()
    owner.configure(enabled=False)
    assert done(owner.client.post("/webhook/test"))["data"]["status"] == 200
    owner.configure(webhook_url=other.url, headers={"X-A": "b"})
    assert done(owner.client.post("/webhook/test"))["data"]["status"] == 200
    assert len(hook.deliveries) == 1
    assert other.deliveries[0].headers["x-a"] == "b"


def test_who_does_not_answer_is_named_so(owner):
    owner.configure(webhook_url="http://127.0.0.1:1/x")
    data = done(owner.client.post("/webhook/test"))["data"]
    assert data["status"] is None and data["response_excerpt"] == ""
    assert data["error"] and "127" not in data["error"]


def test_who_says_nothing_is_waited_for_in_vain(owner):
    with black_hole() as url:
        owner.configure(webhook_url=url, timeout=1)
        data = done(owner.client.post("/webhook/test"))["data"]
    assert data["status"] is None and data["error"]
    assert 900 <= data["duration_ms"] < 10000	# not the usual 30 s


def test_without_a_webhook_there_is_nothing_to_test(tenant):
    member = tenant.member()
    refused(member.client.post("/webhook/test"), 404, "DEVICE_NOT_FOUND")
    member.device()
    refused(member.client.post("/webhook/test"), 404, "WEBHOOK_NOT_FOUND")
