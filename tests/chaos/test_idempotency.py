# SPDX-License-Identifier: MIT
"""Workers die in the middle of requests that carry an Idempotency-Key, and
every request is sent again until it is answered: each has exactly one effect,
and its answer is about that."""
import collections
import os
import random
import threading
import time
import uuid

import requests

from harness import PASSWORD, done, unique, wait_for

SECONDS = float(os.environ.get("WUTS_CHAOS_SECONDS", "20")) / 3


class Sender(threading.Thread):
    """Makes one request after the other, each until it is answered for
    good. A failed assertion is kept for the test."""

    def __init__(self, stop, client, make):
        super().__init__()
        self.stop, self.client, self.make = stop, client, make
        self.failure = None
        self.again = 0		# requests sent again
        self.answered = []	# (what was sent, what was answered)

    def run(self):
        try:
            while not self.stop.is_set():
                self.once()
        except BaseException as failure:	# told in the test's thread
            self.failure = failure

    def once(self):
        path, sent, status = self.make()
        key = {"Idempotency-Key": str(uuid.uuid4())}
        end = time.monotonic() + 60
        while True:
            assert time.monotonic() < end, f"no answer to {path} {sent}"
            try:
                response = self.client.post(path, sent, headers=key)
            except requests.RequestException:
                response = None
            if response is not None and response.status_code == status:
                break
            if response is not None and response.status_code != 503:
                assert response.json()["error_code"] == \
                    "IDEMPOTENCY_IN_FLIGHT", response.text
            self.again += 1
            time.sleep(0.05)
        self.answered.append((sent, response.json()))
        repeated = self.repeat(path, sent, key)
        assert repeated is None or repeated.content == response.content

    def repeat(self, path, sent, key):
        try:
            response = self.client.post(path, sent, headers=key)
        except requests.RequestException:
            return None
        if response.status_code == 503:
            return None
        assert response.headers["Idempotent-Replayed"] == "true"
        return response


def new_user():
    return "/users", {"email": unique("u") + "@example.com",
                      "password": PASSWORD}, 201


def new_device():
    return "/devices", {"name": unique("d")}, 201


def new_events(device):
    return lambda: (f"/devices/{device}/events", [
        {"event": "call.offer", "data": {"n": n}} for n in range(3)], 202)


def kill_workers(victim, seconds):
    """How many."""
    end = time.monotonic() + seconds
    killed = 0
    while time.monotonic() < end:
        killed += victim.kill("worker") is not None
        time.sleep(random.uniform(0.02, 0.25))
    return killed


def entries(tenant, action):
    return done(tenant.admin.client.get("/audit", params={
        "action": action}))["entries"]


def test_a_request_sent_again_after_a_kill_has_one_effect(hasty, receiver):
    tenant = hasty.instance.tenant()
    device, hook = tenant.admin.device(), receiver.hook()
    done(tenant.admin.client.post(f"/webhook?device_id={device}", {
        "webhook_url": hook.url, "enabled_events": ["*"],
        "retry_attempts": 20}), 201)
    stop = threading.Event()
    senders = [Sender(stop, hasty.instance.client(tenant.admin.token), make)
               for make in (new_user, new_user, new_device, new_device,
                            new_events(device), new_events(device))]
    for sender in senders:
        sender.start()
    try:
        killed = kill_workers(hasty, SECONDS)
    finally:
        stop.set()
        for sender in senders:
            sender.join()
    print(f"killed {killed}:", [(len(s.answered), s.again) for s in senders])
    for sender in senders:
        if sender.failure:
            raise sender.failure
        assert sender.answered
    assert killed > 5 and sum(sender.again for sender in senders) > 0
    hasty.settle()

    answered = senders[0].answered + senders[1].answered
    users = done(tenant.admin.client.get("/users"))["users"]
    assert {(u["id"], u["email"], u["token"]) for u in users
            if u["id"] != tenant.admin.id} == {
        (a["user"]["id"], sent["email"], a["user"]["token"])
        for sent, a in answered}
    created = collections.Counter(
        e["target_id"] for e in entries(tenant, "user.created"))
    assert set(created.values()) == {1} and len(created) == len(users)

    answered = senders[2].answered + senders[3].answered
    devices = [(e["target_id"], e["new"]["name"])
               for e in entries(tenant, "device.created")]
    assert len(set(devices)) == len(devices)
    assert set(devices) == {(a["device"]["id"], sent["name"])
                            for sent, a in answered} | {(device, "a phone")}

    ids = {i for sender in senders[4:] for _, a in sender.answered
           for i in a["ids"]}
    wait_for("every event", lambda: ids <= {d.id for d in list(
        hook.deliveries)}, 60)
    assert {d.id for d in hook.deliveries} == ids
