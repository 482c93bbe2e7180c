# SPDX-License-Identifier: MIT
"""wuts-spool --shards: attempts in several processes, any of which may be
killed at any moment. Nothing on the disk knows of them."""
import contextlib
import os
import pathlib
import signal
import subprocess
import threading
import time
import uuid

import pytest

import harness
from harness import done, wait_for

SHARDS = 3
DEVICES = 12


@pytest.fixture(scope="module")
def sharded(request):
    instance = harness.Instance.start(shards=SHARDS, retry_base="50ms",
                                      webhook_disable_after="0")
    yield instance
    instance.stop_and_check(request.session.testsfailed > 0, (
        " died: signal 9",))


def children(pid):
    try:
        return [int(p) for p in pathlib.Path(
            f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def spooler(instance):
    """The file is away, or empty, for a moment while another starts."""
    def read():
        with contextlib.suppress(FileNotFoundError):
            return (instance.run / "pids/wuts-spool").read_text()

    return int(wait_for("a pid", read))


def is_shard(pid):
    """False also when there is no such process any more."""
    try:
        return b"--shard" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def shards(instance):
    """All of them, once all run."""
    return wait_for("all shards", lambda: len(
        pids := children(spooler(instance))) == SHARDS and pids)


class House:
    """A tenant with some devices, each with a webhook of its own."""

    def __init__(self, instance, receiver, **settings):
        self.instance, self.sent = instance, {}
        admin = instance.tenant().admin
        self.hooks = {}
        for _ in range(DEVICES):
            hook, device = receiver.hook(), admin.device()
            done(admin.client.post(f"/webhook?device_id={device}", {
                "webhook_url": hook.url, "enabled_events": ["*"],
                "retry_attempts": 20, **settings}), 201)
            self.hooks[device] = hook
        self.engine = instance.engine()

    def report(self, n=3):
        for device in self.hooks:
            ids = [str(uuid.uuid4()) for _ in range(n)]
            done(self.engine.post(f"/devices/{device}/events", [
                {"event": "message.received", "id": i, "data": {"n": i}}
                for i in ids]), 202)
            self.sent.setdefault(device, set()).update(ids)

    def seen(self, device):
        return {d.id for d in list(self.hooks[device].deliveries)}

    def all_came(self):
        return all(self.seen(device) == ids
                   for device, ids in self.sent.items())

    def repeated(self):
        return sum(len(hook.deliveries) - len(self.seen(device))
                   for device, hook in self.hooks.items())

    def assert_signed_and_whole(self):
        for device, hook in self.hooks.items():
            for delivery in hook.deliveries:
                assert delivery.message["data"] == {"n": delivery.id}
                assert delivery.message["device_id"] == device


def test_attempts_are_made_by_the_shards(sharded, receiver):
    pids = shards(sharded)
    house = House(sharded, receiver)
    house.report()
    wait_for("all events", house.all_came)
    house.assert_signed_and_whole()
    assert house.repeated() == 0
    wait_for("numbers", lambda: sharded.metrics()[
        'wuts_spool_shards{state="up"}'] == SHARDS)
    assert shards(sharded) == pids
    for pid in pids:
        name = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        assert name[1] == b"--shard"


def test_an_ordered_webhook_stays_in_order(sharded, receiver):
    house = House(sharded, receiver, ordered=True)
    for hook in house.hooks.values():
        hook.answers = [200, 500, 200]
    ids = {device: [] for device in house.hooks}
    for _ in range(4):
        for device, so_far in ids.items():
            so_far += done(house.engine.post(f"/devices/{device}/events", [
                {"event": "message.sent", "data": {}}] * 2), 202)["ids"]
    for device, hook in house.hooks.items():
        hook.wait(len(ids[device]) + 1)
        came = list(dict.fromkeys(d.id for d in hook.deliveries))
        assert came == ids[device]


def test_a_killed_shard_loses_nothing_and_holds_up_no_other(sharded,
                                                            receiver):
    house = House(sharded, receiver)
    before = sharded.metrics()
    killed = 0
    stop = threading.Event()
    failures = []

    def load():
        try:
            while not stop.is_set():
                house.report(2)
                stop.wait(0.1)
        except BaseException as failure:	# told in the test's thread
            failures.append(failure)

    thread = threading.Thread(target=load)
    thread.start()
    try:
        for n in range(4):
            pids = shards(sharded)
            for pid in pids[:1 + n % 2]:
                os.kill(pid, signal.SIGKILL)
                killed += 1
            time.sleep(0.2)
    finally:
        stop.set()
        thread.join()
    assert not failures
    wait_for("all events", house.all_came, 60)
    house.assert_signed_and_whole()

    def is_all_told():
        metrics = sharded.metrics()
        metrics.assert_identity()
        return metrics.waiting() == 0 and metrics

    def restarts(metrics):
        name = "wuts_spool_shard_restarts_total"
        return metrics[name] - before[name]

    after = wait_for("an empty queue", is_all_told)
    sent = sum(map(len, house.sent.values()))
    name = "wuts_queue_delivered_total"
    assert after[name] - before[name] == sent
    shards(sharded)
    wait_for("every restart", lambda: restarts(sharded.metrics()) >= killed)
    assert restarts(sharded.metrics()) == killed
    print(f"{killed} shards killed, {sent} events, "
          f"{house.repeated()} repeated")


def test_a_killed_parent_takes_its_shards_along(sharded, receiver):
    house = House(sharded, receiver)
    pids = shards(sharded)
    parent = spooler(sharded)
    os.kill(parent, signal.SIGKILL)
    wait_for("their end", lambda: not any(map(is_shard, pids)))
    house.report()
    wait_for("all events", house.all_came)
    assert spooler(sharded) != parent
    assert house.repeated() == 0


def test_what_is_in_flight_is_finished_at_the_end(sharded, receiver):
    house = House(sharded, receiver)
    shards(sharded)
    gate = threading.Event()

    def slowly():
        gate.wait(20)
        return 200

    for hook in house.hooks.values():
        hook.answer = slowly
    house.report(1)
    for hook in house.hooks.values():
        hook.wait(1)
    parent = spooler(sharded)
    os.kill(parent, signal.SIGTERM)
    os.kill(parent, signal.SIGHUP)	# changes nothing of that
    gate.set()
    wait_for("another", lambda: spooler(sharded) != parent)
    shards(sharded)
    house.report(1)
    wait_for("all events", house.all_came)
    assert house.repeated() == 0


def test_other_settings_reach_the_shards(sharded, receiver):
    house = House(sharded, receiver, retry_attempts=20)
    old = sharded.config.read_text()
    pids = shards(sharded)
    reloads = (sharded.run / "logs/wuts-spool.log").read_text().count(
        "settings reloaded")

    def reload(text):
        nonlocal reloads
        sharded.config.write_text(text)
        os.kill(spooler(sharded), signal.SIGHUP)
        reloads += 1
        wait_for("new settings", lambda: (
            sharded.run / "logs/wuts-spool.log").read_text().count(
                "settings reloaded") == reloads)

    assert "webhook_http = yes" in old
    try:
        reload(old.replace("webhook_http = yes", "webhook_http = no"))
        house.report(1)
        wait_for("attempts", lambda: sharded.metrics()[
            "wuts_queue_waiting"] >= DEVICES)
        assert all(not hook.deliveries for hook in house.hooks.values())
    finally:
        reload(old)
    wait_for("all events", house.all_came)
    assert shards(sharded) == pids


@pytest.mark.parametrize("arguments", [[], ["--shards", "1"],
                                       ["--shards", "7"]])
def test_the_number_of_shards_may_change(sharded, receiver, arguments):
    """What some have left, others deliver; --once ends when that is done."""
    house = House(sharded, receiver)
    for hook in house.hooks.values():
        hook.answers = [500] * 3
    house.report()
    for hook in house.hooks.values():
        hook.wait(3)
    subprocess.run([harness.SOURCE / "quickstart", "stop", "wuts-spool"],
                   env=sharded.env, check=True, timeout=60,
                   stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    house.report()
    end = time.monotonic() + 60
    while not house.all_came():
        assert time.monotonic() < end
        subprocess.run([harness.BUILD / "wuts-spool", "-c", sharded.config,
                        "--once", *arguments], check=True, timeout=60)
    subprocess.run([harness.SOURCE / "quickstart", "start", "wuts-spool"],
                   env=sharded.env, check=True, timeout=60,
                   stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    wait_for("accounts", lambda: sharded.metrics().waiting() == 0)
    sharded.metrics().assert_identity()
