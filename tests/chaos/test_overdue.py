# SPDX-License-Identifier: MIT
"""What a client is told whose request takes too long: its worker is killed by
the master at request_timeout, or nginx gives up before. Both say what a service
does that is away for a moment, in the shape of every error."""
import concurrent.futures
import contextlib
import os
import re
import signal
import time

import pytest

from harness import done, refused, wait_for
from test_trial import black_hole


@contextlib.contextmanager
def stopped_workers(victim):
    """They do nothing, and do not even end when asked to."""
    workers = victim.workers()
    def tell(pids, how):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, how)

    tell(workers, signal.SIGSTOP)
    try:
        yield
    finally:
        tell(set(workers) & set(victim.workers()), signal.SIGCONT)
        victim.settle()


@pytest.fixture
def impatient(victim):
    """nginx waits for an answer for a second only."""
    site = victim.run / "nginx" / "site.conf"
    before = site.read_text()

    def reload(text):
        old = set(children())
        site.write_text(text)
        os.kill(master, signal.SIGHUP)
        wait_for("nginx's new workers", lambda: children() and
                 not old & set(children()))

    def children():
        with open(f"/proc/{master}/task/{master}/children") as listed:
            return listed.read().split()

    master = int((victim.run / "pids" / "nginx.own").read_text())
    text, n = re.subn(r"(?m)^(\s*fastcgi_read_timeout) .*;", r"\1 1s;", before)
    assert n == 1
    reload(text)
    yield victim
    reload(before)


def told_to_come_back(response):
    body = refused(response, 503, "SERVICE_UNAVAILABLE")
    assert body["success"] is False and body["error"] == "service unavailable"
    assert int(response.headers["Retry-After"]) >= 1


def test_a_worker_killed_at_its_deadline(hasty):
    """Stuck while it waits for a receiver."""
    tenant = hasty.instance.tenant()
    tenant.admin.device()
    client = tenant.admin.client
    with black_hole() as (url, wait_for_visit), \
            concurrent.futures.ThreadPoolExecutor(1) as pool:
        done(client.post("/webhook", {
            "webhook_url": url, "enabled_events": ["*"]}), 201)
        began = time.monotonic()
        waiting = pool.submit(client.post, "/webhook/test")
        wait_for_visit()
        with stopped_workers(hasty):
            told_to_come_back(waiting.result())
            assert 3.5 < time.monotonic() - began < 20
    log = (hasty.run / "logs" / "wutsd.log").read_text()
    assert re.search(r"overdue in a request, killed", log)
    done(client.get("/users"))


def test_an_answer_that_nginx_does_not_wait_for(impatient):
    tenant = impatient.instance.tenant()
    with stopped_workers(impatient):
        began = time.monotonic()
        told_to_come_back(tenant.admin.client.get("/users"))
        assert 0.9 < time.monotonic() - began < 20
    done(tenant.admin.client.get("/users"))
