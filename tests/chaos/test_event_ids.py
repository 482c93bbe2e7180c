# SPDX-License-Identifier: MIT
"""Events with an id of the caller's, and a worker that is killed while it takes
one: the id is noted in a transaction that appends the event to the queue, so
between the append and the COMMIT the event is there and its id is not. Who got
no answer sends it again: nothing is lost, whatever comes twice is the same
twice, and from the first answer on it is known."""
import contextlib
import os
import subprocess
import uuid

import pytest

from harness import BUILD, done, refused, wait_for

SHIM = BUILD / "tests/chaos/inject.so"

pytestmark = pytest.mark.skipif(not SHIM.exists(), reason=f"no {SHIM}")


@contextlib.contextmanager
def hurt_wutsd(victim, log, **inject):
    """In the place of the instance's: one worker at a time, and the first is
    killed at its time. log is there when it was."""
    log.unlink(missing_ok=True)
    env = dict(os.environ, LD_PRELOAD=str(SHIM), WUTS_INJECT_LOG=str(log),
               WUTS_INJECT_DIR=str(victim.run / "queue" / "open"),
               ASAN_OPTIONS="verify_asan_link_order=0:detect_leaks=0",
               **inject)
    victim.quickstart("stop", "wutsd")
    with open(victim.run / "logs" / "hurt.log", "a") as out:
        master = subprocess.Popen(
            [BUILD / "wutsd", "-c", victim.instance.config, "--workers", "1"],
            env=env, stdout=out, stderr=out)
    try:
        wait_for("an answer", victim.is_ready)
        yield
    finally:
        master.terminate()
        master.wait(60)
        victim.quickstart("start", "wutsd")
        wait_for("an answer", victim.is_ready)


def is_noted(victim, event_id):
    return victim.sql("SELECT 1 FROM event_seen WHERE id ="
                      f" UNHEX('{event_id.replace('-', '')}')") != []


@pytest.mark.parametrize("how", ["kill", "after"])
def test_a_worker_killed_before_the_commit_of_an_id(victim, receiver,
                                                    tmp_path, how):
    """In the place of the sync that makes the event durable, and after it."""
    tenant = victim.instance.tenant()
    hook = receiver.hook()
    device = tenant.admin.device()
    done(tenant.admin.client.post("/webhook", {
        "webhook_url": hook.url, "enabled_events": ["*"]}), 201)
    log = tmp_path / "injected"

    def send(event_id):
        return victim.instance.engine().post(f"/devices/{device}/events", {
            "id": event_id, "event": "call.offer",
            "timestamp": "2026-01-01T00:00:00Z", "data": {"id": event_id}})

    event_id, last = str(uuid.uuid4()), str(uuid.uuid4())
    with hurt_wutsd(victim, log, WUTS_INJECT=how, WUTS_INJECT_AT="1",
                    WUTS_INJECT_CALL="fdatasync"):
        refused(send(event_id), 503, "SERVICE_UNAVAILABLE")
        assert log.read_text() == "fdatasync"
        assert not is_noted(victim, event_id)
        if how == "after":
            hook.wait_event(event_id)	# it is durable all the same
        wait_for("the next worker", victim.is_ready)
        done(send(event_id), 202)
        assert is_noted(victim, event_id)
        # Known now: nothing happens.
        done(send(event_id), 202)
        done(send(last), 202)
    hook.wait_event(last)
    # Before the receiver is gone: whatever comes again has come.
    wait_for("the end of its events", lambda: victim.instance.ctl(
        "queue", "list", "--device", device).stdout == "")
    if how == "after":
        hook.wait_for(lambda seen: sum(d.id == event_id for d in seen) == 2)
    came = [d for d in hook.deliveries if d.id == event_id]
    assert len(came) == 2 if how == "after" else 1 <= len(came) <= 2
    assert len({d.body for d in came}) == 1
