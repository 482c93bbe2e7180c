# SPDX-License-Identifier: MIT
"""Webhooks that are given up: a receiver that answers 410, and one on which
everything fails for too long. Disabling is a change like any other: in the
row, in the audit trail and as an event, or not at all."""
import datetime
import re
import subprocess
import threading
import time

import pytest

from harness import SOURCE, Instance, Receiver, done

DISABLE_AFTER = 6
QUERY = "?token=secret"


@pytest.fixture(scope="module")
def impatient(request):
    """An instance that gives up after seconds, not days."""
    instance = Instance.start(webhook_disable_after=f"{DISABLE_AFTER}s",
                              retry_base="100ms", retry_cap="300ms")
    yield instance
    instance.stop_and_check(request.session.testsfailed > 0)


@pytest.fixture(scope="module")
def receiver():
    receiver = Receiver()
    # A spooler that is restarted resets its connections.
    receiver.server.handle_error = lambda *_: None
    yield receiver
    receiver.close()


class Watched:
    """A tenant that watches its own events, and a device with a webhook."""

    def __init__(self, instance, receiver):
        self.instance = instance
        self.hook, self.own = receiver.hook(), receiver.hook()
        receiver.hooks["/" + self.hook.url.split("/", 3)[3] + QUERY] = \
            self.hook
        self.tenant = instance.tenant()
        self.admin = self.tenant.admin.client
        self.device = self.tenant.admin.device()
        done(self.admin.post("/webhook?scope=tenant", {
            "webhook_url": self.own.url, "enabled_events": ["*"]}), 201)
        self.configure(201)

    def configure(self, status=200):
        return done(self.admin.post(f"/webhook?device_id={self.device}", {
            "webhook_url": self.hook.url + QUERY,
            "enabled_events": ["*"], "retry_attempts": 20}), status)

    def report(self, n=1):
        return done(self.instance.engine().post(
            f"/devices/{self.device}/events",
            [{"event": "message.received", "data": {}}] * n), 202)["ids"]

    def is_enabled(self):
        return done(self.admin.get(f"/webhook?device_id={self.device}"))[
            "webhook"]["enabled"]

    def disabled(self):
        return [d for d in self.own.deliveries
                if d.event == "webhook.disabled"]

    def audited(self):
        return [e for e in done(self.admin.get("/audit"))["entries"]
                if e["action"] == "webhook.disabled"]


@pytest.fixture
def watched(impatient, receiver):
    return Watched(impatient, receiver)


def test_410_disables_at_once_and_says_so(watched):
    watched.hook.answers = [410]
    ids = watched.report(n=3)
    event = watched.own.wait_for(lambda _: watched.disabled())[0]
    host = watched.hook.url.split("/")[2]
    data = event.message["data"]
    assert data.pop("webhook_id").startswith("wh_")
    assert data == {"host": host, "device_id": watched.device,
                    "reason": "the receiver answered 410 Gone"}
    assert event.message["tenant_id"] == watched.tenant.id
    assert event.message["device_id"] is None
    assert watched.is_enabled() is False
    (entry,) = watched.audited()
    assert entry["actor"]["kind"] == "none"
    assert entry["target_id"] == watched.device
    assert entry["old"]["enabled"] is True
    assert entry["new"]["enabled"] is False
    assert "secret" not in str(entry)
    watched.configure()
    watched.hook.wait_for(lambda seen: {d.id for d in seen} >= set(ids))
    assert len(watched.disabled()) == 1


def test_what_waits_for_a_disabled_webhook_is_not_tried(watched):
    watched.hook.answer = 410
    watched.report()
    watched.own.wait_for(lambda _: watched.disabled())
    tried = len(watched.hook.deliveries)
    ids = watched.report(n=5)
    # Another webhook's event, accepted later, has come and gone meanwhile.
    member = watched.tenant.member()
    watched.own.wait_for(lambda seen: any(
        d.event == "user.created" and d.message["data"]["user_id"] ==
        member.id for d in seen))
    assert len(watched.hook.deliveries) == tried
    watched.hook.answer = 200
    watched.configure()
    watched.hook.wait_for(lambda seen: {d.id for d in seen} >= set(ids))


def test_the_trail_holds_with_entries_of_the_spooler(watched):
    watched.hook.answer = 410
    watched.report()
    watched.own.wait_for(lambda _: watched.disabled())
    watched.configure()
    verdict = watched.instance.ctl("audit", "verify")
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


def test_who_changed_the_webhook_meanwhile_has_decided(watched):
    asked, changed = threading.Event(), threading.Event()

    def late():
        asked.set()
        changed.wait(25)
        return 410

    watched.hook.answers = [late]
    (first,) = watched.report()
    assert asked.wait(60)
    watched.configure()
    changed.set()
    (second,) = watched.report()
    watched.hook.wait_for(lambda seen: {d.id for d in seen} >= {
        first, second} and len(seen) >= 3)
    assert watched.is_enabled() is True
    assert not watched.audited() and not watched.disabled()


def test_failing_for_too_long_disables(watched):
    watched.hook.answer = 500
    began = time.time()
    watched.report(n=3)
    event = watched.own.wait_for(lambda _: watched.disabled(), 60)[0]
    assert time.time() - began >= DISABLE_AFTER - 0.1
    reason = event.message["data"]["reason"]
    assert reason.startswith("everything has failed for ")
    assert reason.endswith(" seconds, last with status 500")
    assert watched.is_enabled() is False


def test_one_success_begins_it_anew(watched):
    watched.hook.answer = 500
    began = time.time()
    watched.report(n=6)
    watched.hook.wait_for(
        lambda seen: time.time() - began > DISABLE_AFTER * 0.4)
    again = []

    def succeed():
        again.append(time.time())
        return 200

    watched.hook.answers = [succeed]
    watched.report(n=2)
    event = watched.own.wait_for(lambda _: watched.disabled())[0]
    assert event.at - again[0] >= DISABLE_AFTER - 0.1


def test_a_restart_does_not_forget_since_when(watched):
    instance = watched.instance
    watched.hook.answer = 500
    watched.report(n=5)
    # What is tried again has failed before.
    failed = watched.hook.wait_for(lambda seen: next(
        (d.at for d in seen if d.headers["x-wuts-attempt"] == "2"), None))
    watched.hook.wait_for(
        lambda seen: time.time() - failed > DISABLE_AFTER * 0.8)
    for command in "stop", "start":
        started = time.time()
        subprocess.run([SOURCE / "quickstart", command, "wuts-spool"],
                       env=instance.env, check=True, timeout=60,
                       stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    event = watched.own.wait_for(lambda _: watched.disabled())[0].message
    seconds = int(re.search(r"for (\d+) seconds",
                            event["data"]["reason"]).group(1))
    at = datetime.datetime.fromisoformat(event["timestamp"]).timestamp()
    assert at - seconds <= started - 1	# both are cut to whole seconds
