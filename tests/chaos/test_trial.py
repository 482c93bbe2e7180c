# SPDX-License-Identifier: MIT
"""Test deliveries: without a spooler, with few workers, and over a kill."""
import concurrent.futures
import contextlib
import socket
import subprocess
import time

import pytest

from harness import BUILD, done, refused, wait_for


@pytest.fixture
def stopped(victim):
    """A function that stops the spooler; started again at the end."""
    yield lambda: victim.quickstart("stop", "wuts-spool")
    victim.quickstart("start", "wuts-spool")
    victim.settle()


def test_without_a_spooler_a_test_is_refused_at_once(victim, receiver,
                                                     stopped):
    tenant = victim.instance.tenant()
    hook = receiver.hook()
    tenant.admin.device()
    client = tenant.admin.client
    done(client.post("/webhook", {
        "webhook_url": hook.url, "enabled_events": ["*"]}), 201)
    # A spooler that has just been started takes tests a moment later.
    wait_for("tests are possible", lambda: client.post(
        "/webhook/test").status_code == 200)
    stopped()
    began = time.monotonic()
    refused(client.post("/webhook/test"), 503, "SERVICE_UNAVAILABLE")
    assert time.monotonic() - began < 10	# a test may take 22
    victim.quickstart("start", "wuts-spool")
    wait_for("tests are possible again", lambda: client.post(
        "/webhook/test").status_code == 200)
    assert len(hook.deliveries) == 2


@contextlib.contextmanager
def black_hole():
    """The URL of one that takes connections and never says anything, and a
    function that waits until it has taken one."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen(16)
        s.settimeout(30)
        with contextlib.ExitStack() as taken:
            yield ("http://127.0.0.1:%d/" % s.getsockname()[1],
                   lambda: taken.enter_context(s.accept()[0]))


@pytest.fixture
def two_workers(victim):
    """A wutsd with two in the place of the instance's."""
    victim.quickstart("stop", "wutsd")
    with open(victim.run / "logs" / "wutsd.log", "a") as log:
        master = subprocess.Popen(
            [BUILD / "wutsd", "-c", victim.instance.config, "--workers", "2"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        wait_for("an answer", victim.is_ready)
        yield victim
    finally:
        master.terminate()
        master.wait(60)
        victim.quickstart("start", "wutsd")
        victim.settle()


def test_of_two_workers_one_waits_and_one_serves_all(two_workers):
    """Each of several clients, over connections that nginx keeps to both
    workers, is answered while a receiver is waited for, none after that; a
    second test is refused at once."""
    tenant = two_workers.instance.tenant()
    tenant.admin.device()
    client = tenant.admin.client
    clients = [two_workers.instance.client(tenant.admin.token)
               for _ in range(8)]
    with concurrent.futures.ThreadPoolExecutor(9) as pool:
        def ask_all(times):
            def ask(one):
                for _ in range(times):
                    done(one.get("/users"))

            list(pool.map(ask, clients))

        with black_hole() as (url, wait_for_visit):
            done(client.post("/webhook", {
                "webhook_url": url, "enabled_events": ["*"],
                "timeout": 20}), 201)
            ask_all(20)		# so nginx has connections to both
            waiting = pool.submit(client.post, "/webhook/test")
            wait_for_visit()
            refused(clients[0].post("/webhook/test"), 503,
                    "SERVICE_UNAVAILABLE")
            ask_all(5)
            assert not waiting.done()
        data = done(waiting.result())["data"]
    assert data["status"] is None and data["error"]


def test_a_worker_killed_while_it_waits_leaves_its_place(hasty):
    tenant = hasty.instance.tenant()
    tenant.admin.device()
    client = tenant.admin.client
    with black_hole() as (url, wait_for_visit), \
            concurrent.futures.ThreadPoolExecutor(1) as pool:
        done(client.post("/webhook", {
            "webhook_url": url, "enabled_events": ["*"], "timeout": 60}), 201)
        waiting = pool.submit(hasty.instance.client(
            tenant.admin.token).post, "/webhook/test")
        wait_for_visit()
        hasty.kill("workers")
        refused(waiting.result(), 503, "SERVICE_UNAVAILABLE")
    hasty.settle()
    done(client.post("/webhook", {
        "webhook_url": "http://127.0.0.1:1/", "enabled_events": ["*"]}))
    wait_for("a test", lambda: client.post(
        "/webhook/test").status_code == 200)
