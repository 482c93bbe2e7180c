# SPDX-License-Identifier: MIT
"""Deliveries over TLS to a real nginx: HTTP/2 where it is offered, kept
connections, certificates verified."""
import json
import time

import pytest

from front import Front, make_certificate
from harness import Instance, Receiver, done, verify_webhook, wait_for


@pytest.fixture(scope="module")
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="module")
def front(receiver, tmp_path_factory):
    directory = tmp_path_factory.mktemp("tls")
    make_certificate(directory, "authority")
    make_certificate(directory, "good", "authority")
    make_certificate(directory, "stranger")
    make_certificate(directory, "bad", "stranger")
    front = Front(directory, receiver)
    yield front
    front.close()


@pytest.fixture(scope="module")
def secure(front, request):
    """An instance that trusts the front's authority."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(front.directory / "authority.pem"))
        instance = Instance.start(webhook_http="no")
    yield instance
    instance.stop_and_check(request.session.testsfailed > 0)


class Line:
    def __init__(self, instance, url, **settings):
        self.instance = instance
        tenant = instance.tenant()
        self.device = tenant.admin.device()
        self.secret = done(tenant.admin.client.post(
            f"/webhook?device_id={self.device}", {
                "webhook_url": url, "enabled_events": ["*"], **settings}),
            201)["webhook"]["secret"]

    def report(self, data, n=1):
        return done(self.instance.engine().post(
            f"/devices/{self.device}/events",
            [{"event": "message.received", "data": data}] * n), 202)["ids"]


def fronts(deliveries):
    return {tuple(d.headers["x-front"].split()) for d in deliveries}


@pytest.mark.parametrize("name, protocol", [("h2", "HTTP/2.0"),
                                            ("h1", "HTTP/1.1")])
def test_the_best_protocol_on_offer_is_spoken(secure, front, receiver, name,
                                              protocol):
    hook = receiver.hook()
    line = Line(secure, front.url(name, hook))
    delivery = hook.wait_event(line.report({"a": 1})[0])
    verify_webhook(line.secret, delivery.headers, delivery.body)
    assert [p for p, _ in fronts([delivery])] == [protocol]


def test_many_at_once_share_connections(secure, front, receiver):
    hook = receiver.hook()
    line = Line(secure, front.url("h2", hook), max_concurrency=64)
    ids = line.report({"text": "x" * 500}, n=1000)
    seen = hook.wait_for(lambda seen: len(seen) >= 1000 and list(seen), 60)
    assert {d.id for d in seen} == set(ids) and len(seen) == 1000
    assert len(fronts(seen)) <= 8


def test_large_bodies_arrive_as_they_are(secure, front, receiver):
    hook = receiver.hook()
    line = Line(secure, front.url("h2", hook), max_concurrency=16)
    texts = ["".join(chr(33 + (i + j) % 90) for j in range(200_000))
             for i in range(24)]
    ids = {line.report({"text": text})[0]: text for text in texts}
    hook.wait_for(lambda seen: {d.id for d in seen} >= set(ids), 60)
    for delivery in hook.deliveries:
        verify_webhook(line.secret, delivery.headers, delivery.body)
        assert json.loads(delivery.body)["data"]["text"] == ids[delivery.id]


def test_answers_over_http2_are_understood(secure, front, receiver):
    hook = receiver.hook()
    line = Line(secure, front.url("h2", hook), max_concurrency=8)
    hook.first = [503, (429, {"Retry-After": "1"}), 302, 500]
    ids = line.report({}, n=4)
    hook.wait_for(lambda seen: len(seen) >= 8)
    assert sorted(d.id for d in hook.deliveries) == sorted(ids * 2)


def test_an_unknown_authority_is_not_delivered_to(secure, front, receiver):
    hook = receiver.hook()
    line = Line(secure, front.url("untrusted", hook), retry_attempts=0)
    (event_id,) = line.report({})
    log = secure.run / "logs" / "wuts-spool.log"
    found = wait_for("the failed attempt", lambda: [
        text for text in log.read_text().splitlines()
        if f"event={event_id} " in text and "attempt=1" in text])
    assert "status=0" in found[0] and "certificate" in found[0]
    assert not hook.deliveries


def test_a_connection_that_the_front_closes_is_made_again(secure, front,
                                                          receiver):
    hook = receiver.hook()
    line = Line(secure, front.url("h2", hook), retry_attempts=20)
    hook.wait_event(line.report({})[0])
    # New workers; the old ones say GOAWAY and finish.
    front.process.send_signal(1)
    end = time.monotonic() + 2
    ids = []
    while time.monotonic() < end:
        ids += line.report({}, n=5)
        # No more than a slow machine delivers as well.
        hook.wait_for(lambda seen: len(seen) > len(ids) - 100)
    hook.wait_for(lambda seen: {d.id for d in seen} >= set(ids), 60)
