# SPDX-License-Identifier: MIT
"""Delivery to the webhook of an On-Premises tenant, over TLS: its own shape,
success and schedule, and the certificates that a tenant trusts besides the
system's."""
import datetime
import json
import re
import threading
import time

import pytest

from front import Front, make_certificate
from harness import Instance, Receiver, done, refused, wait_for
from shop import MESSAGE, Shop, sql

MAX_WAITING = 30
KEEP = 3
SERVERS = {"one": ("", "one"), "h2": ("http2", "one"), "two": ("", "two"),
           "own": ("", "own"), "old": ("", "one")}


@pytest.fixture(scope="module")
def receiver():
    receiver = Receiver()
    receiver.server.handle_error = lambda *_: None
    yield receiver
    receiver.close()


@pytest.fixture(scope="module")
def front(receiver, tmp_path_factory):
    directory = tmp_path_factory.mktemp("onprem")
    for name in "one", "two":
        make_certificate(directory, f"ca-{name}")
        make_certificate(directory, name, f"ca-{name}")
    make_certificate(directory, "own", options=(
        "-addext", "subjectAltName=IP:127.0.0.1",
        "-addext", "basicConstraints=critical,CA:FALSE"))
    front = Front(directory, receiver, SERVERS)
    yield front
    front.close()


@pytest.fixture
def shop(wuts, front, hook):
    shop = Shop(wuts, front.url("one", hook), callback_backoff_delay_ms=100,
                max_callback_backoff_delay_ms=250)
    shop.trust(front.directory / "ca-one.pem")
    return shop


# --- what is sent ---

def test_a_payload_arrives_byte_for_byte(shop, hook):
    text = '{"messages": [{"id":"A","n":1.50e1,\n"s":"\\u00e4 b"}]}'
    done(shop.instance.engine().post(
        f"/devices/{shop.device}/events",
        data='{"event":"message.received","data":%s}' % text,
        headers={"Content-Type": "application/json"}), 202)
    (delivery,) = hook.wait()
    assert delivery.body == b'{"messages":[{"id":"A","n":1.50e1,' \
        b'"s":"\\u00e4 b"}]}'


def test_a_request_has_its_own_headers_and_no_signature(shop, hook):
    hook.answers = [500]
    shop.report()
    first, second = hook.wait(2)
    assert first.body == second.body
    assert json.loads(first.body) == MESSAGE
    for delivery in first, second:
        headers = delivery.headers
        assert headers["content-type"] == "application/json"
        assert headers["x-wa-account-id"] == ""
        assert re.fullmatch("[0-9a-f]{32}", headers["x-request-id"])
        assert headers["user-agent"].startswith("wuts-spool/")
        assert not [name for name in headers
                    if name.startswith(("webhook-", "x-wuts-"))]
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


def test_a_request_names_the_number_of_the_paired_device(shop, hook):
    shop.report()
    hook.wait()
    shop.report({"jid": "16315550000:1@s.whatsapp.net"}, "device.connected")
    shop.report()
    assert [d.headers["x-wa-account-id"] for d in hook.wait(2)] == [
        "", "16315550000"]


def test_other_events_are_mapped_or_not_sent(shop, hook):
    shop.report({"jid": "1@s.whatsapp.net"}, "contact.presence")
    shop.report({"id": "a", "to": "4915@s.whatsapp.net",
                 "timestamp": 1600000000}, "message.delivered")
    shop.report({"errors": [{"code": 1014}]}, "connection.failure")
    assert {json.dumps(d.message) for d in hook.wait(2)} == {
        json.dumps({"statuses": [{"id": "a", "recipient_id": "4915",
                                  "status": "delivered",
                                  "timestamp": "1600000000"}]}),
        json.dumps({"errors": [{"code": 1014}]})}


def test_what_is_switched_off_is_not_sent(shop, hook):
    shop.set(webhooks={"message": {"sent": False}},
             webhook_payload_conversation_pricingmodel_disabled=True)
    shop.report({"statuses": [{"id": "a", "status": "sent"}]},
                "message.sent")
    shop.report({"statuses": [{"id": "a", "status": "read", "pricing": {}}]},
                "message.read")
    assert [d.body for d in hook.wait()] == [
        b'{"statuses":[{"id":"a","status":"read"}]}']


def test_its_device_may_have_a_webhook_besides(shop, front, hook, receiver):
    other = receiver.hook()
    done(shop.tenant.admin.client.post(
        f"/webhook?device_id={shop.device}", {
            "webhook_url": other.url, "enabled_events": ["*"]}), 201)
    (event_id,) = shop.report()
    assert other.wait_event(event_id).message["data"] == MESSAGE
    assert hook.wait()[0].message == MESSAGE


def test_a_repetition_is_not_sent_twice(shop, hook):
    event = {"event": "message.received", "data": MESSAGE,
             "id": "01920000-0000-7000-8000-000000000001"}
    for _ in range(2):
        done(shop.instance.engine().post(
            f"/devices/{shop.device}/events", event), 202)
    marker = {"messages": [{"id": "last"}]}
    shop.report(marker)
    wait_for("what was sent", lambda: len(shop.lines("outcome=delivered")) > 1)
    assert sorted(d.message == marker for d in hook.deliveries) == \
        [False, True]


# --- success, and the schedule ---

def test_only_200_is_success(shop, hook):
    answers = [201, 202, 204, 301, (302, {"Location": "/elsewhere"}), 400,
               404, 410, 429, 500, 503]
    hook.answers = list(answers)
    shop.set(callback_backoff_delay_ms=20, max_callback_backoff_delay_ms=20)
    shop.report()
    seen = hook.wait(len(answers) + 1, 30)
    assert len({d.body for d in seen}) == 1
    wait_for("its end", lambda: shop.lines("outcome=delivered"))
    assert len(hook.deliveries) == len(answers) + 1


def test_waits_grow_by_a_line_up_to_the_cap(shop, hook):
    hook.answers = [500] * 5
    shop.report()
    at = [d.at for d in hook.wait(6)]
    waits = [after - before for before, after in zip(at, at[1:])]
    for wait, planned in zip(waits, [0.1, 0.2, 0.25, 0.25, 0.25]):
        assert planned - 0.02 <= wait


def test_the_next_attempt_is_planned_on_that_line(wuts, shop, hook):
    shop.set(callback_backoff_delay_ms=1000_000,
             max_callback_backoff_delay_ms=2500_000)
    hook.answer = 500
    shop.report()

    def shown(attempts):
        answer = wuts.ctl("queue", "list", "--tenant", shop.tenant.id,
                          "--json")
        assert answer.returncode == 0, answer.stderr
        return next((event for event in json.loads(answer.stdout)["events"]
                     if event["attempts"] == attempts), None)

    for n, planned in enumerate((1000, 2000, 2500, 2500), 1):
        entry = wait_for("the failure", lambda n=n: shown(n))
        due = datetime.datetime.fromisoformat(entry["due_at"]).timestamp()
        # Times are shown in whole seconds.
        assert hook.deliveries[-1].at + planned - 1 <= due <= \
            time.time() + planned
        hurried = wuts.ctl("queue", "retry", entry["id"])
        assert hurried.returncode == 0, hurried.stderr
    wait_for("the last", lambda: shown(5))
    assert len(hook.deliveries) == 5	# one for each wish


def test_a_failing_event_holds_up_no_other(shop, hook):
    shop.set(callback_backoff_delay_ms=600000,
             max_callback_backoff_delay_ms=600000)
    hook.answers = [500] * 3
    shop.report()
    hook.wait(1)
    shop.report(n=20)
    assert len(hook.wait(21)) == 21


def test_a_changed_url_makes_everything_due(shop, front, hook, receiver):
    shop.set(callback_backoff_delay_ms=600000,
             max_callback_backoff_delay_ms=600000)
    hook.answers = [500] * 3
    shop.report(n=3)
    hook.wait(3)
    wait_for("failures", lambda: len(shop.lines("outcome=retry")) == 3)
    other = receiver.hook()
    shop.set(front.url("h2", other))
    assert len(other.wait(3)) == 3


def test_events_wait_for_a_url(wuts, front, hook):
    shop = Shop(wuts)
    shop.trust(front.directory / "ca-one.pem")
    shop.report(n=3)
    shop.set(front.url("one", hook))
    assert len(hook.wait(3)) == 3


def test_without_persistence_nothing_waits_for_a_url(wuts, front, hook):
    shop = Shop(wuts, callback_persist=False)
    shop.trust(front.directory / "ca-one.pem")
    shop.report()
    shop.set(front.url("one", hook))
    shop.report({"messages": [{"id": "second"}]})
    assert hook.wait()[0].message == {"messages": [{"id": "second"}]}


def test_no_more_at_once_than_allowed(shop, hook):
    most, now = 0, 0
    lock = hook.receiver.arrived
    two = threading.Event()

    def answer():
        nonlocal most, now
        with lock:
            now += 1
            most = max(most, now)
            if most > 1:
                two.set()
        two.wait(5)
        time.sleep(0.05)	# more than six would meet
        with lock:
            now -= 1
        return 200

    hook.answer = answer
    shop.report(n=60)
    hook.wait(60)
    wait_for("the end", lambda: len(shop.lines("delivered")) == 60)
    assert two.is_set() and most <= 6


# --- whom a tenant trusts ---

def is_refused(shop):
    return wait_for("a refusal", lambda: [
        line for line in shop.lines("status=0") if "certificate" in line])


def test_certificates_count_from_the_next_connection_on(wuts, front, hook):
    shop = Shop(wuts, front.url("one", hook), callback_backoff_delay_ms=100)
    shop.report()
    is_refused(shop)
    assert not hook.deliveries
    shop.trust(front.directory / "ca-two.pem", front.directory / "ca-one.pem")
    assert hook.wait()[0].message == MESSAGE
    # and no kept connection outlives their removal
    shop.trust()
    before = len(shop.lines("status=0"))
    shop.report()
    wait_for("a refusal", lambda: len(shop.lines("status=0")) > before)
    assert len(hook.deliveries) == 1


def test_one_tenant_trusts_not_what_another_does(wuts, front, hook, receiver):
    shop = Shop(wuts, front.url("two", hook))
    shop.trust(front.directory / "ca-two.pem")
    shop.report()
    hook.wait()
    other = Shop(wuts, front.url("two", receiver.hook()),
                 callback_backoff_delay_ms=100)
    other.trust(front.directory / "ca-one.pem")
    other.report(n=3)
    is_refused(other)
    assert not other.lines("status=200")
    shop.report()
    hook.wait(2)


def test_a_self_signed_certificate_is_its_own_anchor(wuts, front, hook):
    shop = Shop(wuts, front.url("own", hook))
    shop.trust(front.directory / "own.pem")
    shop.report()
    assert hook.wait()[0].message == MESSAGE


def test_webhooks_of_the_tenant_trust_them_too(wuts, front, hook):
    shop = Shop(wuts)
    done(shop.tenant.admin.client.post(
        f"/webhook?device_id={shop.device}", {
            "webhook_url": front.url("one", hook), "enabled_events": ["*"],
            "retry_attempts": 20}), 201)
    shop.report()
    is_refused(shop)
    shop.trust(front.directory / "ca-one.pem")
    assert hook.wait()[0].message["data"] == MESSAGE


# --- limits; they are short here ---

@pytest.fixture(scope="module")
def short(request):
    instance = Instance.start(
        onprem_webhook_keep=f"{KEEP}s", onprem_webhook_timeout="1s",
        onprem_webhook_max_waiting=str(MAX_WAITING),
        onprem_webhook_allow="127.0.0.0/9")
    yield instance
    instance.stop_and_check(request.session.testsfailed > 0)


def test_beyond_the_limit_nothing_is_accepted(short):
    for _ in range(20):		# until the first still wait at the end
        shop, began = Shop(short), time.monotonic()
        answers = [shop.report(n=n, status=None)
                   for n in (MAX_WAITING - 1, 2, 1, 1)]
        # other events go on
        other = shop.report({"x": 1}, "contact.presence", status=None)
        if time.monotonic() - began < KEEP:
            break
    for answer, is_full in zip(answers, (False, True, False, True)):
        if is_full:
            refused(answer, 503, "QUEUE_FULL")
        else:
            done(answer, 202)
    done(other, 202)
    # and those that waited too long make room
    wait_for("their end", lambda: len(shop.lines("for too long")) ==
             MAX_WAITING)
    shop.report()


def test_an_event_is_given_up_in_the_end(short, front, hook):
    hook.answer = 500
    shop = Shop(short, front.url("one", hook), callback_backoff_delay_ms=50,
                max_callback_backoff_delay_ms=100)
    shop.trust(front.directory / "ca-one.pem")
    began = time.monotonic()
    shop.report()
    (line,) = wait_for("its end", lambda: [
        line for line in shop.lines("outcome=dropped")
        if "attempt=0" not in line])
    assert KEEP - 0.5 <= time.monotonic() - began
    assert not shop.lines("outcome=dead")
    assert len(hook.deliveries) >= 4
    # it stands in the delivery log, in a place of its own
    wait_for("the log", lambda: sql(
        short, "SELECT event, state FROM delivery WHERE tenant_id ="
        f" x'{shop.id}' AND device_id = REPEAT(x'ff', 16)") == [
            ("onprem.inbound_message", "dropped")])


def test_addresses_are_those_that_the_operator_allows(short, front, hook):
    url = front.url("one", hook).replace("127.0.0.1", "127.128.0.1")
    shop = Shop(short, url)
    shop.report()
    (line,) = wait_for("a refusal", lambda: shop.lines("outcome=retry")[:1])
    assert "127.128.0.1 may not be connected to (onprem_webhook_allow)" in \
        line


def test_a_receiver_that_is_silent_costs_the_time_out(short, front, hook):
    over = threading.Event()
    hook.answer = lambda: over.wait(60) and 200 or 500
    shop = Shop(short, front.url("one", hook))
    shop.trust(front.directory / "ca-one.pem")
    shop.report()
    try:
        (line,) = wait_for("a time-out",
                           lambda: shop.lines("outcome=retry")[:1])
    finally:
        over.set()
    assert "status=0" in line
    # the setting's; it is 10 s otherwise
    assert 900 <= int(re.search(r" ms=(\d+)", line).group(1)) < 9000
