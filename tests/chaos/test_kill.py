# SPDX-License-Identifier: MIT
"""SIGKILL of any process at any moment, under load: nothing acknowledged is
lost, nothing is invented, duplicates carry the same id and the same bytes.
WUTS_CHAOS_SECONDS (20) says how long, WUTS_CHAOS_SEED repeats the order of the
victims and the pauses between them."""
import collections
import json
import os
import random
import threading
import time
import uuid

import requests

from harness import Metrics, PASSWORD, done, wait_for

SECONDS = float(os.environ.get("WUTS_CHAOS_SECONDS", "20"))
SEED = int(os.environ.get("WUTS_CHAOS_SEED", random.randrange(1 << 32)))
VICTIMS = ("workers", "workers", "workers", "worker", "worker", "wuts-spool",
           "wuts-spool", "wutsd", "mariadbd", "nginx")
ADMINS = 6		# more than workers: each is busy with a role change
BACKLOG = 400		# events under way at most, so that the end is near


class Flaky:
    """The answers of a receiver that refuses one delivery in ten."""

    def __init__(self, rng):
        self.rng = rng

    def pop(self, _):
        return 500 if self.rng.random() < 0.1 else 200


class Load(threading.Thread):
    """Sends requests until told to stop. A failed assertion is kept for the
    test: in a thread nobody would see it."""

    def __init__(self, stop):
        super().__init__()
        self.stop = stop
        self.failure = None
        self.unclear = 0	# requests whose answer was not a yes
        self.acknowledged = 0

    def run(self):
        try:
            while not self.stop.is_set():
                self.once()
        except BaseException as failure:	# told in the test's thread
            self.failure = failure

    def ask(self, wanted, call):
        """The answer, or None when the system was hurt just then: no
        connection, or 503. Anything else is a failure."""
        try:
            response = call()
        except requests.RequestException:
            response = None
        if response is not None and response.status_code == wanted:
            return response
        assert response is None or response.status_code == 503, response.text
        self.unclear += 1
        self.stop.wait(0.02)
        return None


class Ingest(Load):
    """An engine: reports events in batches, each with an id of its own."""

    def __init__(self, stop, engine, device, hook, size):
        super().__init__(stop)
        self.engine, self.device, self.hook = engine, device, hook
        self.size = size
        self.sent = {}		# id -> number
        self.batches = []	# (ids, acknowledged)

    def once(self):
        if self.acknowledged - len(self.hook.deliveries) > BACKLOG:
            self.stop.wait(0.02)
            return
        ids = [str(uuid.uuid4()) for _ in range(self.size)]
        events = []
        for i in ids:
            self.sent[i] = len(self.sent)
            events.append({"event": "message.received", "id": i,
                           "data": {"number": self.sent[i]}})
        response = self.ask(202, lambda: self.engine.post(
            f"/devices/{self.device}/events", events))
        if response is not None:
            assert response.json()["ids"] == ids
            self.acknowledged += len(ids)
        self.batches.append((ids, response is not None))
        self.stop.wait(0.005)


class Roles(Load):
    """An admin who changes one user's role to and fro, as fast as it goes: a
    kill shall find transactions at every step."""

    def __init__(self, stop, tenant, number):
        super().__init__(stop)
        self.admin = tenant.instance.client(tenant.admin.token)
        self.user = done(self.admin.post("/users", {
            "email": f"user{number}@example.com", "password": PASSWORD}),
            201)["user"]["id"]
        self.role = "user"

    def look(self):
        response = self.ask(200, lambda: self.admin.get(
            f"/users/{self.user}"))
        return response and response.json()["data"]["role"]

    def once(self):
        self.role = self.role or self.look()
        if not self.role:
            return
        new = "user" if self.role == "manager" else "manager"
        response = self.ask(200, lambda: self.admin.post(
            f"/users/{self.user}/promote", {"new_role": new}))
        if response is None:
            self.role = None
            return
        told = response.json()["data"]
        assert (told["user_id"], told["new_role"]) == (self.user, new)
        # A request that was given up may have been carried out since: then
        # there was nothing left to change.
        if told["old_role"] != new:
            self.acknowledged += 1
        self.role = new


def kill_at_random(victim, rng, loads):
    """Until the time is over or a load fails. What was killed, how often."""
    killed = collections.Counter()
    end = time.monotonic() + SECONDS
    pause = threading.Event()
    while time.monotonic() < end and not any(t.failure for t in loads):
        name = rng.choice(VICTIMS)
        if victim.kill(name):
            killed[name] += 1
        pause.wait(rng.uniform(0.05, 0.9))
    return killed


def assert_same_bytes(deliveries):
    """Deliveries by webhook-id; every repetition is identical."""
    seen = {}
    for delivery in deliveries:
        assert seen.setdefault(delivery.id, delivery.body) == delivery.body
    return seen


def assert_events_exact(ingest):
    seen = assert_same_bytes(ingest.hook.deliveries)
    for ids, acknowledged in ingest.batches:
        came = [i in seen for i in ids]
        assert all(came) or not (acknowledged or any(came)), \
            "a batch is all or nothing, and all when it was acknowledged"
    for i, body in seen.items():
        assert i in ingest.sent, "invented"
        assert json.loads(body)["data"] == {"number": ingest.sent[i]}


def role_events(deliveries, user):
    """(old, new) of every event of a user's role, each id once."""
    bodies = map(json.loads, assert_same_bytes(deliveries).values())
    return collections.Counter(
        (b["data"]["old_role"], b["data"]["new_role"]) for b in bodies
        if b["event"] == "user.role_changed"
        and b["data"]["user_id"] == user)


def role_changes(victim, user):
    """The same from the audit trail: what was committed."""
    rows = victim.sql(
        "SELECT old_value, new_value FROM audit"
        f" WHERE target_id = UNHEX('{user.replace('-', '')}')"
        " AND action = 'user.role_changed'")
    return collections.Counter(
        (json.loads(old)["role"], json.loads(new)["role"])
        for old, new in rows)


def everything_came(ingests):
    return all(
        {i for ids, acknowledged in t.batches if acknowledged for i in ids}
        <= {d.id for d in list(t.hook.deliveries)} for t in ingests)


def scrape(victim):
    """The metrics, as soon as somebody answers."""
    def ask():
        try:
            response = victim.instance.master().get("/metrics")
        except requests.RequestException:
            return None
        return response.status_code == 200 and Metrics(response.text)
    return wait_for("an answer", ask)


def assert_accounts_exact(victim, before, seen):
    """However many were killed: every event that was accepted is in the
    accounts once, and what they call delivered is what arrived."""
    def is_all_told():
        metrics = scrape(victim)
        metrics.assert_identity()
        return metrics.waiting() == 0 and metrics

    after = wait_for("an empty queue", is_all_told, 60)
    print({name: value - before[name] for name, value in after.values.items()
           if name.startswith("wuts_queue_")})
    assert after["wuts_queue_delivered_total"] - \
        before["wuts_queue_delivered_total"] == len(seen)
    assert after["wuts_queue_dead_total"] == before["wuts_queue_dead_total"]
    assert after["wuts_spool_up"] == 1
    done = victim.instance.ctl("queue", "verify", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 0 and found["ok"], done.stdout
    assert found["accounts"]["compared"], done.stdout


def test_a_kill_at_any_moment_loses_and_invents_nothing(victim, receiver):
    print(f"WUTS_CHAOS_SEED={SEED}")
    rng = random.Random(SEED)
    random.seed(SEED)
    tenant = victim.instance.tenant()
    stop = threading.Event()
    ingests = []
    for size in 1, 7:
        hook = receiver.hook()
        hook.answers = Flaky(rng)
        device = tenant.admin.device()
        done(tenant.admin.client.post(f"/webhook?device_id={device}", {
            "webhook_url": hook.url, "enabled_events": ["*"],
            "retry_attempts": 20}), 201)
        ingests.append(Ingest(stop, victim.instance.engine(), device, hook,
                              size))
    roles_hook = receiver.hook()
    roles_hook.answers = Flaky(rng)
    done(tenant.admin.client.post("/webhook?scope=tenant", {
        "webhook_url": roles_hook.url, "enabled_events": ["user.role_changed"],
        "retry_attempts": 20}), 201)
    roles = [Roles(stop, tenant, n) for n in range(ADMINS)]
    loads = ingests + roles
    wait_for("an empty queue", lambda: scrape(victim).waiting() == 0)
    before = scrape(victim)

    for load in loads:
        load.start()
    try:
        killed = kill_at_random(victim, rng, loads)
    finally:
        stop.set()
        for load in loads:
            load.join()
    print(dict(killed), [(type(t).__name__, t.acknowledged, t.unclear)
                         for t in loads])
    for load in loads:
        if load.failure:
            raise load.failure
        assert load.acknowledged > 0

    victim.settle()
    wait_for("what was acknowledged", lambda: everything_came(ingests), 60)
    for user in (t.user for t in roles):
        wait_for("an event for each committed change", lambda: role_events(
            roles_hook.deliveries, user) == role_changes(victim, user), 60)
    for ingest in ingests:
        assert_events_exact(ingest)
    assert_accounts_exact(victim, before, {
        delivery.id for hook in (roles_hook, *(t.hook for t in ingests))
        for delivery in hook.deliveries})
    for load in roles:
        assert sum(role_changes(victim, load.user).values()) >= \
            load.acknowledged


def test_every_process_comes_back(victim):
    for name in "wuts-spool", "nginx", "mariadbd", "wutsd", "worker":
        wait_for(f"ready before {name}", victim.is_ready)
        pid = wait_for(f"a {name}", lambda: victim.kill(name))
        began = time.monotonic()
        if name == "worker":
            wait_for("another worker", lambda: pid not in victim.workers()
                     and len(victim.workers()) >= 4)
        else:
            wait_for(f"another {name}", lambda: victim.pid(name)
                     not in (None, pid))
        wait_for(f"ready after {name}", victim.is_ready)
        print(f"{name}: {time.monotonic() - began:.2f} s")
