# SPDX-License-Identifier: MIT
"""GET /webhook/deliveries: what is said of an event that was tried; and dead
ones delivered again."""
import datetime
import time
import uuid

import pytest

from harness import done, invalid, is_time, refused, wait_for

MEMBERS = {"id", "event", "state", "attempts", "next_attempt", "response",
           "created_at", "updated_at"}


class Line:
    """A member's device whose events all go to hook."""

    def __init__(self, wuts, hook, **settings):
        self.hook = hook
        self.tenant = wuts.tenant()
        self.member = self.tenant.member()
        self.device = self.member.device()
        self.engine = wuts.engine()
        self.configure(201, **settings)

    def configure(self, status, **settings):
        done(self.member.client.post("/webhook", {
            "webhook_url": self.hook.url, "enabled_events": ["*"],
            **settings}), status)

    def report(self, event="message.received", n=1):
        return done(self.engine.post(f"/devices/{self.device}/events", [
            {"event": event, "data": {}} for _ in range(n)]), 202)["ids"]

    def list(self, **query):
        answer = done(self.member.client.get("/webhook/deliveries",
                                             params=query))
        assert ("next_cursor" in answer) == ("limit" in query)
        return answer["deliveries"]

    def wait_state(self, event_id, state):
        """The entry of the event, once it is in that state."""
        def find():
            return next((d for d in self.list() if d["id"] == event_id
                         and d["state"] == state), None)
        return wait_for(f"{event_id} is {state}", find)


@pytest.fixture
def line(wuts, hook):
    return Line(wuts, hook)


def test_a_delivery_is_told_of(line):
    assert line.list() == []
    (event_id,) = line.report("call.offer")
    entry = line.wait_state(event_id, "delivered")
    assert set(entry) == MEMBERS
    assert entry["event"] == "call.offer"
    assert entry["next_attempt"] is None and entry["response"] is None
    assert is_time(entry["created_at"]) and is_time(entry["updated_at"])
    (attempt,) = entry["attempts"]
    assert set(attempt) == {"at", "status", "duration_ms", "error"}
    assert is_time(attempt["at"]) and attempt["status"] == 200
    assert 0 <= attempt["duration_ms"] < 20000
    assert attempt["error"] is None


def test_every_attempt_is_told_of(wuts, hook):
    hook.answers = [500, 503]
    line = Line(wuts, hook)
    (event_id,) = line.report()
    hook.wait(3)
    entry = line.wait_state(event_id, "delivered")
    assert [a["status"] for a in entry["attempts"]] == [500, 503, 200]


def test_a_failure_is_told_of_while_it_is_tried_again(wuts, hook):
    hook.answer = (503, {"Retry-After": "600"})
    line = Line(wuts, hook)
    (event_id,) = line.report()
    entry = line.wait_state(event_id, "pending")
    assert [a["status"] for a in entry["attempts"]] == [503]
    at = datetime.datetime.fromisoformat(entry["next_attempt"])
    assert 500 < at.timestamp() - time.time() < 700


def test_a_dead_event_tells_what_was_answered(wuts, hook):
    hook.answers = [500]
    hook.answer = (500, {}, "não\x00 \"now\"\n".encode() + b"\xff" + b"x" * 9000)
    line = Line(wuts, hook, retry_attempts=1)
    (event_id,) = line.report()
    entry = line.wait_state(event_id, "dead")
    assert [a["status"] for a in entry["attempts"]] == [500, 500]
    assert entry["response"].startswith('não  "now" ?xxx')
    assert 4000 < len(entry["response"].encode()) <= 4096
    assert entry["next_attempt"] is None


def test_why_there_is_no_answer_names_no_address(wuts, hook):
    line = Line(wuts, hook, webhook_url="http://127.0.0.1:1/",
                retry_attempts=0)
    (event_id,) = line.report()
    (attempt,) = line.wait_state(event_id, "dead")["attempts"]
    assert attempt["status"] is None
    assert attempt["error"] and "127." not in attempt["error"]


def test_what_is_dropped_after_an_attempt_is_told_of(wuts, hook):
    hook.answer = (503, {"Retry-After": "1"})
    line = Line(wuts, hook, retry_attempts=20)
    (event_id,) = line.report()
    line.wait_state(event_id, "pending")
    done(line.member.client.delete("/webhook"))
    entry = line.wait_state(event_id, "dropped")
    assert len(entry["attempts"]) >= 1 and entry["next_attempt"] is None


def test_what_nobody_wants_is_in_no_list(wuts, hook):
    line = Line(wuts, hook, enabled_events=["call.*"])
    line.report("message.received")
    (wanted,) = line.report("call.offer")
    line.wait_state(wanted, "delivered")
    assert [d["id"] for d in line.list()] == [wanted]


def test_the_list_has_pages_from_the_newest(line, hook):
    ids = [i for _ in range(5) for i in line.report(n=7)]
    wait_for("all are told of", lambda: len(line.list()) == 35)
    every = line.list()
    times = [d["created_at"] for d in every]
    assert times == sorted(times, reverse=True)
    assert {d["id"] for d in every} == set(ids)
    pages, cursor = [], {}
    while True:
        answer = done(line.member.client.get(
            "/webhook/deliveries", params={"limit": 8, **cursor}))
        pages += answer["deliveries"]
        if answer["next_cursor"] is None:
            break
        assert len(answer["deliveries"]) == 8
        cursor = {"cursor": answer["next_cursor"]}
    assert pages == every


def test_the_list_is_narrowed(wuts, hook):
    hook.answers = [500] + [200] * 10
    line = Line(wuts, hook, retry_attempts=0)
    (dead,) = line.report("call.offer")
    line.wait_state(dead, "dead")
    line.report("call.offer", 2)
    line.report("message.sent", 3)
    wait_for("all are told of", lambda: len(line.list()) == 6)

    def ids(**query):
        return [d["id"] for d in line.list(**query)]

    assert ids(status="dead") == [dead]
    assert len(ids(status="delivered")) == 5
    assert ids(status="pending") == ids(status="dropped") == []
    assert len(ids(event="call.offer")) == 3
    assert ids(event="call.offer", status="dead") == [dead]
    assert ids(event="call.accept") == []
    assert len(ids(since="2020-01-01T00:00:00Z")) == 6
    assert ids(since="2100-01-01T00:00:00+02:00") == []
    assert ids(status="dead", limit=1) == [dead]


def test_a_filter_that_is_none_is_named(line):
    for query, field in (({"status": "lost"}, "status"),
                         ({"status": ""}, "status"),
                         ({"event": "message.eaten"}, "event"),
                         ({"since": "yesterday"}, "since"),
                         ({"since": "1950-01-01T00:00:00Z"}, "since"),
                         ({"limit": 0}, "limit"), ({"cursor": "x"}, "cursor"),
                         ({"cursor": "d" + "f" * 48}, "cursor"),
                         ({"cursor": "d00"}, "cursor")):
        query.setdefault("limit", 5)
        invalid(line.member.client.get("/webhook/deliveries", params=query),
                field)


def test_each_webhook_has_its_own_list(wuts, line, receiver):
    other = receiver.hook()
    done(line.tenant.admin.client.post("/webhook?scope=tenant", {
        "webhook_url": other.url, "enabled_events": ["user.created"]}), 201)
    (event_id,) = line.report()
    line.wait_state(event_id, "delivered")
    line.tenant.member()
    other.wait()
    client = line.tenant.admin.client
    events = wait_for("it is told of", lambda: done(client.get(
        "/webhook/deliveries?scope=tenant"))["deliveries"])
    assert [d["event"] for d in events] == ["user.created"]
    shown = done(client.get(f"/webhook/deliveries?device_id={line.device}"))
    assert [d["id"] for d in shown["deliveries"]] == [event_id]
    for member in line.tenant.member(), wuts.tenant().admin:
        refused(member.client.get(
            f"/webhook/deliveries?device_id={line.device}"), 404,
            "DEVICE_NOT_FOUND")


# --- replay ---

def replayed(client, answer, path=""):
    """The replay that was asked for, once it is done."""
    replay = answer["replay"]
    assert replay["state"] == "waiting" and replay["replayed"] == 0
    assert is_time(replay["created_at"]) and is_time(replay["updated_at"])

    def find():
        found = done(client.get(f"/webhook/replay/{replay['id']}{path}"))
        return found["replay"] if found["replay"]["state"] == "done" else None
    return wait_for("the replay is done", find)


def test_a_dead_event_is_delivered_again_when_asked(wuts, hook):
    hook.answer = 500
    line = Line(wuts, hook, retry_attempts=1)
    dead, other = line.report(n=2)
    line.wait_state(dead, "dead")
    line.wait_state(other, "dead")
    body = next(d.body for d in hook.deliveries if d.id == dead)
    with hook.receiver.arrived:
        hook.deliveries.clear()
        hook.answer = 200
    client = line.member.client
    answer = done(client.post(f"/webhook/deliveries/{dead}/replay"), 202)
    assert answer["replay"]["delivery_id"] == dead
    assert replayed(client, answer)["replayed"] == 1
    delivery = hook.wait_event(dead)
    assert delivery.body == body
    assert delivery.headers["x-wuts-attempt"] == "1"
    entry = line.wait_state(dead, "delivered")
    assert [a["status"] for a in entry["attempts"]] == [500, 500, 200]
    assert {d.id for d in hook.deliveries} == {dead}
    line.wait_state(other, "dead")


def test_what_is_not_dead_is_not_replayed(wuts, hook):
    hook.answers = [200, (503, {"Retry-After": "600"})]
    line = Line(wuts, hook)
    (delivered,) = line.report()
    line.wait_state(delivered, "delivered")
    (pending,) = line.report()
    line.wait_state(pending, "pending")
    for event_id in delivered, pending, str(uuid.uuid4()):
        body = refused(line.member.client.post(
            f"/webhook/deliveries/{event_id}/replay"), 404,
            "DELIVERY_NOT_FOUND")
        assert body["error"]
    invalid(line.member.client.post("/webhook/deliveries/x/replay"), "id")
    refused(line.member.client.get(f"/webhook/replay/{uuid.uuid4()}"), 404,
            "DELIVERY_NOT_FOUND")


def test_all_dead_events_since_a_time_are_delivered_again(wuts, receiver):
    hook, other_hook = receiver.hook(), receiver.hook()
    hook.answer = other_hook.answer = 400	# no reason to slow down
    line = Line(wuts, hook, retry_attempts=0)
    other = Line(wuts, other_hook, retry_attempts=0)
    old = line.report(n=3)
    other.wait_state(other.report()[0], "dead")
    for event_id in old:
        line.wait_state(event_id, "dead")
    since = datetime.datetime.now(datetime.timezone.utc)
    new = line.report(n=70)
    wait_for("all are dead", lambda: len(line.list(status="dead")) == 73)
    with receiver.arrived:
        hook.deliveries.clear()
        other_hook.deliveries.clear()
        hook.answer = other_hook.answer = 200
    client = line.member.client
    answer = done(client.post("/webhook/replay", params={
        "since": since.isoformat()}), 202)
    assert replayed(client, answer)["replayed"] == 70
    wait_for("all are delivered", lambda: len(
        line.list(status="delivered")) == 70)
    assert {d.id for d in hook.deliveries} == set(new)
    answer = done(client.post("/webhook/replay"), 202)
    assert replayed(client, answer)["replayed"] == 3
    wait_for("all are delivered", lambda: len(
        line.list(status="delivered")) == 73)
    assert sorted(d.id for d in hook.deliveries) == sorted(old + new)
    assert not other_hook.deliveries
    # A second time there is nothing left.
    answer = done(client.post("/webhook/replay"), 202)
    assert replayed(client, answer)["replayed"] == 0
    invalid(client.post("/webhook/replay?since=now"), "since")


def test_what_would_be_dropped_stays_dead(wuts, hook):
    hook.answer = 400
    line = Line(wuts, hook, retry_attempts=0)
    (dead,) = line.report()
    line.wait_state(dead, "dead")
    client, path = line.member.client, f"/webhook/deliveries/{dead}/replay"
    hook.answer = 200
    # nobody would get it
    done(client.delete("/webhook"))
    for ask in path, "/webhook/replay":
        refused(client.post(ask), 404, "WEBHOOK_NOT_FOUND")
    # that one never gets what is older than itself
    line.configure(201, retry_attempts=0)
    assert refused(client.post(path), 404, "DELIVERY_NOT_FOUND")[
        "error"] == "the event is older than the webhook"
    answer = done(client.post("/webhook/replay"), 202)
    assert replayed(client, answer)["replayed"] == 0
    # this one wants others
    hook.answer = 400
    (newer,) = line.report()
    line.wait_state(newer, "dead")
    hook.answer = 200
    line.configure(200, enabled_events=["call.*"])
    answer = done(client.post("/webhook/replay"), 202)
    assert replayed(client, answer)["replayed"] == 0
    line.configure(200)
    answer = done(client.post("/webhook/replay"), 202)
    assert replayed(client, answer)["replayed"] == 1
    line.wait_state(newer, "delivered")
    line.wait_state(dead, "dead")


def test_a_replay_is_told_of_to_whom_it_belongs(wuts, line):
    client = line.member.client
    answer = done(client.post("/webhook/replay"), 202)
    path = f"/webhook/replay/{answer['replay']['id']}"
    device = f"?device_id={line.device}"
    replayed(line.tenant.admin.client, answer, device)
    refused(line.tenant.admin.client.get(path + "?scope=tenant"), 404,
            "DELIVERY_NOT_FOUND")
    refused(wuts.tenant().admin.client.get(path + device), 404,
            "DEVICE_NOT_FOUND")
    entry = done(line.tenant.admin.client.get(
        "/audit?action=webhook.replay_requested"))["entries"][0]
    assert entry["new"] == {"replay_id": answer["replay"]["id"]}
