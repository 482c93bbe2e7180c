# SPDX-License-Identifier: MIT
"""Fault injection on system calls: at every write, sync, truncation, rename and
unlink in the queue the process ends there (SIGKILL), or the call fails (EIO,
ENOSPC). What was acknowledged arrives, what was refused does not, nothing is
invented, and a process that was only refused goes on without a restart.
WUTS_INJECT_ALL=1 tries every call, not a third of most."""
import collections
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import random
import re
import signal
import subprocess

import pytest

from harness import BUILD, done, wait_for

SHIM = BUILD / "tests/chaos/inject.so"
STORY = BUILD / "tests/chaos/queue_story"
STRIDE = 1 if os.environ.get("WUTS_INJECT_ALL") else 3
KINDS = ("kill", "EIO", "ENOSPC")

pytestmark = pytest.mark.skipif(not SHIM.exists(), reason=f"no {SHIM}")


@dataclasses.dataclass
class Stage:
    """A queue of its own beside the instance's, and the two hooks that its
    events go to: one takes all, one refuses for good."""
    config: pathlib.Path
    queue: pathlib.Path
    tenant: str
    devices: tuple
    hooks: tuple

    def env(self, kind, at):
        return dict(os.environ, LD_PRELOAD=str(SHIM), WUTS_INJECT=kind,
                    WUTS_INJECT_AT=str(at), WUTS_INJECT_DIR=str(self.queue),
                    WUTS_INJECT_LOG=str(self.log),
                    ASAN_OPTIONS="verify_asan_link_order=0:detect_leaks=0")

    @property
    def log(self):
        return self.queue.with_suffix(".injected")

    def hit(self):
        """The call that went wrong; None when the process never got there."""
        try:
            name = self.log.read_text()
            self.log.unlink()
            return name
        except FileNotFoundError:
            return None

    def story(self, count, env=None):
        """Run the producer. What it told, and its status."""
        ran = subprocess.run(
            [STORY, self.queue, str(count), self.tenant, *self.devices],
            env=env, stdout=subprocess.PIPE, text=True, timeout=120,
            stderr=subprocess.PIPE)
        return Told(ran.stdout), ran.returncode

    def spool(self, env=None):
        return subprocess.run(
            [BUILD / "wuts-spool", "-c", self.config, "--once"], env=env,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=120)

    def wutsctl(self, *args):
        ran = subprocess.run(
            [BUILD / "wutsctl", "-c", self.config, *args, "--json"],
            stdout=subprocess.PIPE, text=True, timeout=120)
        return ran.returncode, json.loads(ran.stdout)

    def is_empty(self):
        status = self.wutsctl("queue", "status")[1]
        return status["waiting"] == status["prepared"] == 0

    def drain(self):
        """Until nothing waits: a retry may be due a moment later."""
        for _ in range(20):
            ran = self.spool()
            assert ran.returncode == 0, ran.stdout
            if self.is_empty():
                return
        raise AssertionError("events still wait")


class Told:
    """How the producer saw its records."""

    def __init__(self, text):
        self.state = {}
        self.batches = []
        for line in text.splitlines():
            word, *ids = line.split()
            if word == "batch":
                self.batches.append(ids)
            else:
                self.state[ids[0]] = word

    def ids(self, word):
        return {i for i, told in self.state.items() if told == word}


class Arrived:
    """What came to the hooks or lies among the dead letters, by id."""

    def __init__(self, stage):
        self.times = collections.Counter()
        for delivery in list(stage.hooks[0].deliveries):
            assert_whole(delivery.id, delivery.body)
            self.times[delivery.id] += 1
        for delivery in list(stage.hooks[1].deliveries):
            assert_whole(delivery.id, delivery.body)
        status, found = stage.wutsctl("queue", "list", "--state", "dead")
        assert status == 0
        for event in found["events"]:
            self.times[event["id"]] += 1


def assert_whole(event_id, body):
    assert json.loads(body) == {"id": event_id,
                                "data": f"bytes of {event_id}"}


def assert_exact(told, times):
    assert told.ids("yes") <= set(times), "lost"
    assert not told.ids("no") & set(times), "refused, and delivered"
    assert set(times) <= set(told.state), "invented"
    for batch in told.batches:
        assert len({i in times for i in batch}) == 1, "half a batch"


@pytest.fixture
def make_stage(victim, receiver, tmp_path):
    tenant = victim.instance.tenant()
    text = re.sub(r"(?m)^(queue_dir|log_file|retry_base)\b.*\n", "",
                  victim.instance.config.read_text())

    def make(name):
        queue = tmp_path / name
        config = tmp_path / f"{name}.conf"
        config.write_text(text + f"queue_dir = {queue}\nlog_file = -\n"
                          "retry_base = 1ms\n")
        config.chmod(0o600)
        hooks, devices = (receiver.hook(), receiver.hook()), []
        # A sign of life: no breaker opens.
        hooks[1].answer = 400
        for hook in hooks:
            devices.append(tenant.admin.device())
            done(tenant.admin.client.post(
                f"/webhook?device_id={devices[-1]}",
                {"webhook_url": hook.url, "enabled_events": ["*"],
                 "retry_attempts": 1}), 201)
        return Stage(config, queue, tenant.id, tuple(devices), hooks)

    return make


def test_a_producer_that_fails_at_any_call(make_stage):
    stage = make_stage("producer")
    told = Told("")
    calls = collections.Counter()
    for kind in KINDS:
        for at in range(1, 1000, 1 if kind == "kill" else STRIDE):
            ran, status = stage.story(16, stage.env(kind, at))
            told.state.update(ran.state)
            told.batches += ran.batches
            hit = stage.hit()
            if hit is None:
                break
            calls[kind, hit] += 1
            if kind == "kill":
                assert status == -signal.SIGKILL
            else:
                # It went on, and was refused at most what it did then.
                assert status == 0
                assert len(ran.ids("no")) <= 3
                assert len(ran.ids("yes")) >= 12
        assert at > 50
    print(dict(calls))
    stage.drain()
    assert_exact(told, Arrived(stage).times)
    assert stage.wutsctl("queue", "verify")[0] == 0
    assert not list((stage.queue / "corrupt").iterdir())


def kill_spooler(stage, env):
    ran = stage.spool(env)
    hit = stage.hit()
    assert ran.returncode == (0 if hit is None else -signal.SIGKILL), \
        ran.stdout
    stage.drain()
    return hit


def refuse_spooler(stage, env):
    """It goes on until all is delivered; refused at its start it may end."""
    with open(stage.queue.with_suffix(".log"), "w+") as log:
        spool = subprocess.Popen(
            [BUILD / "wuts-spool", "-c", stage.config], env=env, stdout=log,
            stderr=subprocess.STDOUT)
        try:
            wait_for("the end of what waits", lambda: stage.is_empty()
                     or spool.poll() is not None, 60)
            spool.terminate()
            assert spool.wait(60) in (0, 69), log.seek(0) or log.read()
        finally:
            spool.kill()
    if spool.returncode != 0:
        stage.drain()
    return stage.hit()


def spool_once(stage, kind, at):
    """A backlog, a spooler that is hurt, and one that is not where the first
    cannot go on. The call that went wrong."""
    told, status = stage.story(6)
    assert status == 0
    run = kill_spooler if kind == "kill" else refuse_spooler
    hit = run(stage, stage.env(kind, at))
    assert stage.is_empty()
    times = Arrived(stage).times
    assert_exact(told, times)
    assert max(times.values()) <= 2
    assert stage.wutsctl("queue", "verify")[0] == 0
    return hit


def test_a_spooler_that_fails_at_any_call(make_stage):
    calls = collections.Counter()
    first = random.randrange(STRIDE)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for n, kind in enumerate(KINDS):
            # between them the kinds meet every call
            at, over = (first + n) % STRIDE + 1, False
            while not over:
                jobs = []
                for _ in range(8):
                    stage = make_stage(f"{kind}{at}")
                    jobs.append(pool.submit(spool_once, stage, kind, at))
                    at += STRIDE
                for job in jobs:
                    hit = job.result()
                    calls[kind, hit] += hit is not None
                    over = over or hit is None
    print(dict(calls))
    assert len({hit for _, hit in calls if hit}) >= 4
