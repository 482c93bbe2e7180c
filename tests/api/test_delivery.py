# SPDX-License-Identifier: MIT
"""From an event to the receiver: signatures, retries, the pending webhook, the
events of the tenant, and what a change of the settings does."""
import calendar
import hashlib
import hmac
import threading
import time
import uuid

import pytest

from harness import (SignatureError, done, free_port, invalid, is_uuid,
                     refused, signing_key, verify_webhook, wait_for)


class Line:
    """A device with a webhook to hook, and the engine at its other end."""

    def __init__(self, wuts, hook, **settings):
        self.wuts = wuts
        self.hook = hook
        self.tenant = wuts.tenant()
        self.member = self.tenant.member()
        self.device = self.member.device()
        self.engine = wuts.engine()
        self.secret = None
        self.configure(201, **settings)

    def configure(self, status=200, **settings):
        answer = done(self.member.client.post("/webhook", {
            "webhook_url": self.hook.url, "enabled_events": ["*"],
            **settings}), status)["webhook"]
        self.secret = settings.get("secret", answer.get("secret",
                                                        self.secret))
        return answer

    def report(self, event="message.received", data=None, n=1):
        """The ids of n new events."""
        return done(self.engine.post(f"/devices/{self.device}/events", [
            {"event": event, "data": data or {}} for _ in range(n)]),
            202)["ids"]


@pytest.fixture
def line(wuts, hook):
    return Line(wuts, hook)


# --- signatures and headers ---

def test_a_delivery_has_the_documented_headers(line, hook):
    began = int(time.time())
    (event_id,) = line.report(data={"a": 1})
    delivery = hook.wait_event(event_id)
    headers = delivery.headers
    assert headers["content-type"] == "application/json"
    assert headers["webhook-id"] == event_id == delivery.message["id"]
    assert began <= int(headers["webhook-timestamp"]) <= delivery.at
    assert headers["x-wuts-event"] == "message.received"
    assert headers["x-wuts-attempt"] == "1"
    assert headers["x-wuts-delivery"]
    assert headers["user-agent"].startswith("wuts-spool/")


def test_the_generated_secret_verifies_both_signatures(line, hook):
    (event_id,) = line.report()
    delivery = hook.wait_event(event_id)
    verify_webhook(line.secret, delivery.headers, delivery.body)
    mac = hmac.new(signing_key(line.secret), delivery.body, hashlib.sha256)
    assert delivery.headers["x-wuts-signature"] == "sha256=" + mac.hexdigest()
    with pytest.raises(SignatureError):
        verify_webhook(line.secret, delivery.headers, delivery.body + b" ")
    with pytest.raises(SignatureError):
        verify_webhook("whsec_AAAA", delivery.headers, delivery.body)


@pytest.mark.parametrize("secret", [
    "just-a-pass-phrase", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "whsec_not base64!", "whsec_MfKQ9r8GKYqrTwjUPD8ILP="])
def test_a_given_secret_verifies(wuts, hook, secret):
    line = Line(wuts, hook, secret=secret)
    (event_id,) = line.report()
    delivery = hook.wait_event(event_id)
    verify_webhook(secret, delivery.headers, delivery.body)


def test_a_new_secret_signs_from_the_next_event_on(line, hook):
    hook.wait_event(line.report()[0])
    line.configure(secret="another-secret-value")
    delivery = hook.wait_event(line.report()[0])
    verify_webhook("another-secret-value", delivery.headers, delivery.body)


def test_after_a_rotation_both_secrets_sign(line, hook):
    old = line.secret
    answer = done(line.member.client.post("/webhook/secret"))
    new = answer["secret"]
    assert new != old and new.startswith("whsec_")
    assert "secret" not in answer["webhook"]
    until = calendar.timegm(time.strptime(answer["old_secret_valid_until"],
                                          "%Y-%m-%dT%H:%M:%SZ"))
    assert abs(until - time.time() - 24 * 3600) < 60
    delivery = hook.wait_event(line.report()[0])
    assert delivery.headers["webhook-signature"].count("v1,") == 2
    for secret in new, old:
        verify_webhook(secret, delivery.headers, delivery.body)
    mac = hmac.new(signing_key(new), delivery.body, hashlib.sha256)
    assert delivery.headers["x-wuts-signature"] == "sha256=" + mac.hexdigest()
    # a change that gives no secret leaves both, another rotation the last two
    line.configure(timeout=7)
    newest = done(line.member.client.post("/webhook/secret"))["secret"]
    delivery = hook.wait_event(line.report()[0])
    for secret in newest, new:
        verify_webhook(secret, delivery.headers, delivery.body)
    with pytest.raises(SignatureError):
        verify_webhook(old, delivery.headers, delivery.body)


def test_a_secret_that_is_given_is_the_only_one(line, hook):
    old = done(line.member.client.post("/webhook/secret"))["secret"]
    line.configure(secret="mine-and-mine-alone")
    delivery = hook.wait_event(line.report()[0])
    verify_webhook("mine-and-mine-alone", delivery.headers, delivery.body)
    assert delivery.headers["webhook-signature"].count("v1,") == 1
    with pytest.raises(SignatureError):
        verify_webhook(old, delivery.headers, delivery.body)


def test_only_a_webhook_that_is_there_has_a_secret(tenant):
    member = tenant.member()
    refused(member.client.post("/webhook/secret"), 404, "DEVICE_NOT_FOUND")
    member.device()
    refused(member.client.post("/webhook/secret"), 404, "WEBHOOK_NOT_FOUND")


def test_the_configured_headers_are_sent(wuts, hook):
    line = Line(wuts, hook, headers={
        "X-Tenant": "acme", "Authorization": "Basic dTpw", "X-Sp": "a  b"})
    headers = hook.wait_event(line.report()[0]).headers
    assert headers["x-tenant"] == "acme" and headers["x-sp"] == "a  b"
    assert headers["authorization"] == "Basic dTpw"
    assert headers["host"] == hook.url.split("/")[2]


def test_only_enabled_events_are_delivered(wuts, hook):
    line = Line(wuts, hook, enabled_events=["message.sent", "call.offer"])
    line.report("message.received")
    line.report("contact.about")
    wanted = line.report("call.offer") + line.report("message.sent")
    hook.wait_for(lambda seen: {d.id for d in seen} >= set(wanted))
    assert {d.id for d in hook.deliveries} == set(wanted)


def test_a_pattern_stands_for_its_group(wuts, hook):
    line = Line(wuts, hook, enabled_events=["message.*", "call.offer"])
    line.report("mention.sent")
    line.report("call.accept")
    wanted = [line.report(event)[0] for event in (
        "message.received", "message.delete_for_me", "call.offer")]
    hook.wait_for(lambda seen: {d.id for d in seen} >= set(wanted))
    assert {d.id for d in hook.deliveries} == set(wanted)


# --- the pending webhook ---

def test_the_staged_webhook_works_from_the_first_connect_on(wuts, hook):
    tenant = wuts.tenant(webhook_url=hook.url)
    device = tenant.admin.device()
    path = f"/devices/{device}/events"
    done(wuts.engine().post(path, {"event": "message.received", "data": {}}),
         202)
    refused(tenant.admin.client.get("/webhook"), 404, "WEBHOOK_NOT_FOUND")
    connected = done(wuts.engine().post(path, {
        "event": "device.connected",
        "data": {"jid": "5511999999999@s.whatsapp.net"}}), 202)["ids"][0]
    later = done(wuts.engine().post(path, {
        "event": "call.offer", "data": {"from": "x"}}), 202)["ids"][0]
    webhook = done(tenant.admin.client.get("/webhook"))["webhook"]
    assert webhook["webhook_url"] == hook.url
    assert webhook["enabled"] is True
    events = done(tenant.admin.client.get("/webhook/events"))["events"]
    assert webhook["enabled_events"] == ["*"] or \
        set(webhook["enabled_events"]) == set(events)
    first = hook.wait_event(connected)
    assert first.event == "device.connected"
    assert first.headers["webhook-signature"].startswith("v1,")
    hook.wait_event(later)
    assert {d.id for d in hook.deliveries} == {connected, later}
    # nobody was told the secret: giving one makes the signatures verify
    done(tenant.admin.client.post("/webhook", {
        "webhook_url": hook.url, "enabled_events": ["*"],
        "secret": "told-afterwards"}))
    signed = hook.wait_event(done(wuts.engine().post(path, {
        "event": "call.accept", "data": {}}), 202)["ids"][0])
    verify_webhook("told-afterwards", signed.headers, signed.body)


def test_a_webhook_staged_for_a_user_is_that_users(wuts, tenant, receiver):
    hooks = [receiver.hook(), receiver.hook()]
    for hook in hooks:
        member = tenant.member(webhook_url=hook.url)
        hook.path = f"/devices/{member.device()}/events"
        hook.member = member
    for hook in hooks:
        connected = done(wuts.engine().post(hook.path, {
            "event": "device.connected", "data": {"jid": "1@x"}}),
            202)["ids"][0]
        hook.wait_event(connected)
        assert [d.id for d in hook.deliveries] == [connected]


def test_a_user_stages_a_webhook_for_its_new_devices(wuts, tenant, receiver):
    first, second = receiver.hook(), receiver.hook()
    member = tenant.member(webhook_url=first.url)
    client = member.client
    assert done(client.get("/user/webhook"))["data"] == {
        "webhook_url": first.url}
    answer = done(client.post("/user/webhook", {"webhook_url": second.url}))
    assert answer["message"] == "Webhook URL configured. It will be " \
        "automatically applied to new devices with ALL available events"
    data = answer["data"]
    assert data["webhook_url"] == second.url
    assert data["available_events"] == done(
        client.get("/webhook/events"))["events"]
    assert data["events_count"] == len(data["available_events"]) == 58
    assert done(client.get("/user/webhook"))["data"] == {
        "webhook_url": second.url}
    assert done(tenant.member().client.get("/user/webhook"))["data"] == {
        "webhook_url": None}

    def connect():
        device = member.device()
        return device, done(wuts.engine().post(f"/devices/{device}/events", {
            "event": "device.connected", "data": {"jid": "1@x"}}),
            202)["ids"][0]

    for _ in range(2):
        device, event_id = connect()
        second.wait_event(event_id)
        assert done(client.get(f"/webhook?device_id={device}"))["webhook"][
            "webhook_url"] == second.url
    assert not first.deliveries
    for _ in range(2):
        assert "removed" in done(client.delete("/user/webhook"))["message"]
    assert done(client.get("/user/webhook"))["data"] == {"webhook_url": None}
    device, _ = connect()
    refused(client.get(f"/webhook?device_id={device}"), 404,
            "WEBHOOK_NOT_FOUND")
    assert [entry["action"] for entry in done(tenant.admin.client.get(
        f"/audit?user_id={member.id}"))["entries"]].count(
            "user.webhook_unstaged") == 1


def test_what_is_staged_must_be_a_url_that_may_be_called(tenant):
    client = tenant.member().client
    for url in "ftp://x/", "http://10.0.0.1/", "https://u:p@example.com/":
        invalid(client.post("/user/webhook", {"webhook_url": url}),
                "webhook_url")
    invalid(client.post("/user/webhook", {}), "webhook_url")
    assert done(client.get("/user/webhook"))["data"] == {"webhook_url": None}


def test_a_second_connect_does_not_bring_a_deleted_webhook_back(wuts, hook):
    tenant = wuts.tenant(webhook_url=hook.url)
    path = f"/devices/{tenant.admin.device()}/events"
    event = {"event": "device.connected", "data": {"jid": "1@x"}}
    hook.wait_event(done(wuts.engine().post(path, event), 202)["ids"][0])
    done(tenant.admin.client.delete("/webhook"))
    done(wuts.engine().post(path, event), 202)
    refused(tenant.admin.client.get("/webhook"), 404, "WEBHOOK_NOT_FOUND")


def test_a_configured_webhook_is_not_replaced_by_the_staged_one(wuts, receiver):
    staged, chosen = receiver.hook(), receiver.hook()
    tenant = wuts.tenant(webhook_url=staged.url)
    path = f"/devices/{tenant.admin.device()}/events"
    done(tenant.admin.client.post("/webhook", {
        "webhook_url": chosen.url, "enabled_events": ["*"]}), 201)
    event = {"event": "device.connected", "data": {"jid": "1@x"}}
    chosen.wait_event(done(wuts.engine().post(path, event), 202)["ids"][0])
    assert done(tenant.admin.client.get("/webhook"))["webhook"][
        "webhook_url"] == chosen.url
    assert not staged.deliveries


def test_concurrent_first_connects_make_one_webhook(wuts, hook):
    tenant = wuts.tenant(webhook_url=hook.url)
    path = f"/devices/{tenant.admin.device()}/events"
    answers = []

    def connect():
        answers.append(done(wuts.engine().post(path, {
            "event": "device.connected", "data": {"jid": "1@x"}}),
            202)["ids"][0])

    threads = [threading.Thread(target=connect) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4
    done(tenant.admin.client.get("/webhook"))
    hook.wait_event(done(wuts.engine().post(path, {
        "event": "call.offer", "data": {}}), 202)["ids"][0])


# --- the events of the tenant ---

@pytest.fixture
def watched(wuts, hook):
    """A tenant whose own events all go to hook."""
    tenant = wuts.tenant()
    tenant.secret = done(tenant.admin.client.post("/webhook?scope=tenant", {
        "webhook_url": hook.url, "enabled_events": ["*"]}),
        201)["webhook"]["secret"]
    return tenant


def of(event):
    return lambda seen: [d for d in seen if d.event == event]


def test_a_role_change_reaches_the_tenant_webhook(watched, hook):
    member = watched.member()
    created = hook.wait_for(of("user.created"))[0]
    assert created.message["data"]["user_id"] == member.id
    done(watched.admin.client.post(f"/users/{member.id}/promote",
                                   {"new_role": "manager"}))
    changed = hook.wait_for(of("user.role_changed"))[0]
    verify_webhook(watched.secret, changed.headers, changed.body)
    message = changed.message
    assert is_uuid(message["id"]) and message["id"] == changed.id
    assert message["tenant_id"] == watched.id
    assert message["device_id"] is None
    assert message["data"] == {
        "user_id": member.id, "old_role": "user", "new_role": "manager",
        "changed_by": watched.admin.id}


def test_a_refused_or_empty_change_says_nothing(watched, hook):
    manager, member = watched.member("manager"), watched.member()
    path = f"/users/{member.id}"
    refused(manager.client.post(path + "/promote", {"new_role": "admin"}),
            403, "ROLE_TRANSITION_DENIED")
    refused(watched.admin.client.put(path, {"role": "manager"}, headers={
        "If-Match": '"x"'}), 412, "PRECONDITION_FAILED")
    done(watched.admin.client.post(path + "/promote", {"new_role": "user"}))
    done(watched.admin.client.put(path, {"active": True}))
    done(watched.admin.client.put(path, {"active": False}))
    updated = hook.wait_for(of("user.updated"))
    assert updated[0].message["data"]["user_id"] == member.id
    done(watched.admin.client.put(path, {"role": "manager"}))
    hook.wait_for(of("user.role_changed"))
    hook.wait(4)	# they come in any order
    assert sorted(d.event for d in hook.deliveries) == [
        "user.created", "user.created", "user.role_changed", "user.updated"]


def test_what_the_tenant_webhook_hears_is_its_tenants(wuts, watched, hook):
    other = wuts.tenant()
    done(other.admin.client.post(f"/users/{other.member().id}/promote",
                                 {"new_role": "admin"}))
    member = watched.member()
    hook.wait_for(of("user.created"))
    assert all(d.message["tenant_id"] == watched.id for d in hook.deliveries)
    assert [d.message["data"]["user_id"] for d in hook.deliveries] == \
        [member.id]


def test_the_masters_change_names_no_user(wuts, watched, hook):
    member = watched.member()
    done(wuts.master().post(f"/users/{member.id}/promote",
                            {"new_role": "admin"}))
    data = hook.wait_for(of("user.role_changed"))[0].message["data"]
    assert data["new_role"] == "admin"
    assert not is_uuid(data["changed_by"])


def test_concurrent_role_changes_each_are_heard_once(watched, hook):
    members = [watched.member() for _ in range(4)]

    def promote(member):
        for role in "manager", "user", "manager":
            done(watched.admin.client.post(f"/users/{member.id}/promote",
                                           {"new_role": role}))

    threads = [threading.Thread(target=promote, args=(m,)) for m in members]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    hook.wait_for(lambda seen: len(of("user.role_changed")(seen)) >= 12)
    changes = of("user.role_changed")(hook.deliveries)
    assert len({d.id for d in changes}) == 12


# --- retries ---

def test_a_retry_repeats_id_and_body(line, hook):
    hook.answers = [500, 503]
    (event_id,) = line.report(data={"n": 1.10})
    tries = hook.wait(3)
    assert {d.id for d in tries} == {event_id}
    assert len({d.body for d in tries}) == 1
    assert [d.headers["x-wuts-attempt"] for d in tries] == ["1", "2", "3"]
    for delivery in tries:
        verify_webhook(line.secret, delivery.headers, delivery.body)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_success(line, hook, status):
    hook.answer = status
    first, second = line.report() + line.report()
    # Two workers may have taken them: they come in either order.
    hook.wait_event(first)
    hook.wait_event(second)
    hook.answer = 200
    hook.wait_event(line.report()[0])
    assert len([d for d in hook.deliveries if d.id == first]) == 1


def test_redirects_are_failures_and_not_followed(line, hook, receiver):
    other = receiver.hook()
    hook.answers = [(302, {"Location": other.url}),
                    (307, {"Location": other.url})]
    hook.wait_event(line.report()[0])
    hook.wait(3)
    assert not other.deliveries


def test_after_its_attempts_an_event_is_dead(wuts, hook):
    line = Line(wuts, hook, retry_attempts=2)
    hook.answers = [500, 500, 500]
    (event_id,) = line.report()
    hook.wait(3)
    wait_for("the dead letter is on disk", lambda: '"state":"dead"' in
             wuts.ctl("queue", "show", event_id, "--json").stdout)
    (later,) = line.report()
    hook.wait_event(later)
    assert len([d for d in hook.deliveries if d.id == event_id]) == 3


def test_without_retries_there_is_one_attempt(wuts, hook):
    line = Line(wuts, hook, retry_attempts=0)
    hook.answers = [500]
    (event_id,) = line.report()
    hook.wait_event(event_id)
    hook.wait_event(line.report()[0])
    assert len([d for d in hook.deliveries if d.id == event_id]) == 1


def test_a_closed_port_is_retried_until_it_opens(wuts, receiver):
    back = receiver.hook()
    line = Line(wuts, back, retry_attempts=20,
                webhook_url=f"http://127.0.0.1:{free_port()}/")
    (event_id,) = line.report()
    line.configure(retry_attempts=20)
    assert back.wait_event(event_id).message["id"] == event_id


def test_retry_after_is_honoured(line, hook):
    hook.answers = [(503, {"Retry-After": "2"})]
    line.report()
    first, second = hook.wait(2)
    assert second.at - first.at >= 1.9


# --- changes of the settings ---

def test_events_of_a_disabled_webhook_wait_until_it_is_enabled(line, hook):
    line.configure(enabled=False)
    waiting = line.report(n=3)
    assert done(line.member.client.get("/webhook"))["webhook"][
        "enabled"] is False
    line.configure(enabled=True)
    hook.wait_for(lambda seen: {d.id for d in seen} >= set(waiting))


def test_a_new_url_is_used_by_the_next_attempt(wuts, hook, receiver):
    hook.answer = 500
    line = Line(wuts, hook, retry_attempts=20)
    (event_id,) = line.report()
    hook.wait_event(event_id)
    other = receiver.hook()
    line.configure(webhook_url=other.url, retry_attempts=20)
    count = len(hook.deliveries)
    assert other.wait_event(event_id)
    assert len(hook.deliveries) <= count + 1
    later = line.report()
    other.wait_event(later[0])
    assert later[0] not in {d.id for d in hook.deliveries}


def test_deleting_drops_what_is_queued(line, hook):
    hook.answer = 500
    (event_id,) = line.report()
    hook.wait_event(event_id)
    done(line.member.client.delete("/webhook"))
    begun = len(hook.deliveries)
    hook.answer = 200
    line.configure(201)
    (later,) = line.report()
    hook.wait_event(later)
    # an attempt that was under way when DELETE answered may still have come
    old = [d for d in hook.deliveries[begun + 1:] if d.id == event_id]
    assert not old


def test_an_event_without_webhook_is_not_delivered_to_a_later_one(
        wuts, hook):
    tenant = wuts.tenant()
    path = f"/devices/{tenant.admin.device()}/events"
    old = done(wuts.engine().post(path, {"event": "call.offer", "data": {}}),
               202)["ids"][0]
    done(tenant.admin.client.post("/webhook", {
        "webhook_url": hook.url, "enabled_events": ["*"]}), 201)
    new = done(wuts.engine().post(path, {"event": "call.offer", "data": {}}),
               202)["ids"][0]
    hook.wait_event(new)
    assert old not in {d.id for d in hook.deliveries}


def test_a_slow_receiver_does_not_delay_another(wuts, receiver):
    slow, quick = receiver.hook(), receiver.hook()
    over = threading.Event()
    slow.answer = lambda: over.wait(60) and 200 or 500
    lines = [Line(wuts, slow, timeout=60), Line(wuts, quick)]
    try:
        waiting = lines[0].report(n=50)
        slow.wait()
        ids = lines[1].report(n=50)
        # All of them while the slow one has not answered once.
        quick.wait_for(lambda seen: {d.id for d in seen} >= set(ids), 50)
    finally:
        over.set()
    slow.wait_for(lambda seen: {d.id for d in seen} >= set(waiting))


def test_a_failing_receiver_does_not_delay_another(wuts, receiver):
    failing, quick = receiver.hook(), receiver.hook()
    failing.answer = 500
    lines = [Line(wuts, failing, retry_attempts=20), Line(wuts, quick)]
    lines[0].report(n=50)
    ids = lines[1].report(n=50)
    quick.wait_for(lambda seen: {d.id for d in seen} >= set(ids))
    assert all(d.headers["x-wuts-attempt"] == "1" for d in quick.deliveries)
    done(lines[0].member.client.delete("/webhook"))


def test_an_id_of_the_engine_is_the_webhook_id(line, hook):
    event_id = str(uuid.uuid4())
    done(line.engine.post(f"/devices/{line.device}/events", {
        "event": "call.offer", "data": {}, "id": event_id}), 202)
    assert hook.wait_event(event_id).headers["webhook-id"] == event_id


def test_the_operator_lets_a_retry_be_due_at_once(wuts, line, hook):
    hook.answers = [(503, {"Retry-After": "3600"})]
    (event_id,) = line.report()
    hook.wait_event(event_id)
    # Once the first attempt has been noted it waits for an hour.
    wait_for("the retry", lambda: '"state":"retrying"' in wuts.ctl(
        "queue", "show", event_id, "--json").stdout)
    asked = wuts.ctl("queue", "retry", event_id)
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout == "the event is due now\n"
    first, second = hook.wait(2)
    assert first.id == second.id and first.body == second.body
    assert second.headers["x-wuts-attempt"] == "2"
    wait_for("its end", lambda: wuts.ctl(
        "queue", "retry", event_id).returncode == 1)
