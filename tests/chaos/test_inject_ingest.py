# SPDX-License-Identifier: MIT
"""Fault injection on system calls of wutsd while requests with events meet in
its one worker: whoever was answered 202 has his event delivered, whoever was
refused has not, and the worker goes on; killed, it is replaced."""
import collections
import contextlib
import itertools
import re
import subprocess

import pytest

import fastcgi
from harness import BUILD, wait_for
from test_inject import KINDS, SHIM, make_stage  # noqa: F401

MEET, ROUNDS = 4, 3

pytestmark = pytest.mark.skipif(not SHIM.exists(), reason=f"no {SHIM}")


@contextlib.contextmanager
def wutsd(stage, run, path, env):
    """One of its own, on the stage's queue."""
    run.mkdir(exist_ok=True)
    with open(run / "log", "a") as log:
        process = subprocess.Popen(
            [BUILD / "wutsd", "-c", stage.config, "--workers", "1"],
            env=env, stdout=log, stderr=log)
        try:
            wait_for("a worker", lambda: path.exists() and
                     fastcgi.workers(process.pid))
            yield process
            process.terminate()
            assert process.wait(60) == 0
        finally:
            process.kill()
            process.wait()


class Numbers:
    """How the senders saw their events, which are numbered."""

    def __init__(self, stage, instance, run):
        self.stage, self.run = stage, run
        self.token = instance.engine_token
        self.path = instance.sockets / "ingest.sock"
        self.count = itertools.count()
        self.told = {}

    def meet(self, master):
        """One event a request; the statuses."""
        numbers = [next(self.count) for _ in range(MEET)]
        answers = fastcgi.meet(master, self.path, [
            fastcgi.post(f"/devices/{self.stage.devices[0]}/events",
                         self.token, {"event": "call.offer",
                                      "data": {"n": n}}) for n in numbers])
        statuses = [answer and answer[0] for answer in answers]
        self.told.update(zip(numbers, statuses))
        return statuses

    def told_any(self, status):
        return {n for n, told in self.told.items() if told == status}


def hurt(numbers, kind, at):
    """Rounds beside a call that goes wrong: which one it was."""
    stage = numbers.stage
    with wutsd(stage, numbers.run, numbers.path,
               stage.env(kind, at)) as process:
        seen = []
        for _ in range(ROUNDS):
            wait_for("a worker", lambda: fastcgi.workers(process.pid))
            (before,) = fastcgi.workers(process.pid)
            seen.append(numbers.meet(process.pid))
            if kind == "kill" and None in seen[-1]:
                wait_for("another worker", lambda: fastcgi.workers(
                    process.pid) not in ([], [before]))
            else:
                assert fastcgi.workers(process.pid) == [before]
    # At most one round feels it, and all of that round alike.
    bad = [statuses for statuses in seen if set(statuses) != {202}]
    assert len(bad) <= 1
    for statuses in bad:
        assert set(statuses) == {None if kind == "kill" else 503}
    return stage.hit()


def test_events_that_meet_at_a_call_that_fails(make_stage, victim,  # noqa
                                               tmp_path):
    run = tmp_path / "run"
    stage = make_stage("ingest")
    numbers = Numbers(stage, victim.instance, run)
    text = re.sub(r"(?m)^(run_dir|socket|workers)\b.*\n", "",
                  stage.config.read_text())
    stage.config.write_text(
        text + f"run_dir = {run}\nsocket = {numbers.path}\n")
    # It makes the queue's directories: after that no call comes before a
    # request.
    with wutsd(stage, run, numbers.path, None) as process:
        assert numbers.meet(process.pid) == [202] * MEET
    calls = collections.Counter()
    for n, kind in enumerate(KINDS):
        # Between them the kinds meet every call.
        for at in itertools.count(1 + n, len(KINDS)):
            hit = hurt(numbers, kind, at)
            if hit is None:
                break
            calls[kind, hit] += 1
    print(dict(calls))
    assert {"pwrite", "fdatasync"} <= {hit for _, hit in calls}
    stage.drain()
    arrived = collections.Counter(
        d.message["data"]["n"] for d in stage.hooks[0].deliveries
        if d.event == "call.offer")
    assert numbers.told_any(202) <= set(arrived), "lost"
    assert not numbers.told_any(503) & set(arrived), "refused, and delivered"
    assert set(arrived.values()) == {1}
    assert stage.wutsctl("queue", "verify")[0] == 0
