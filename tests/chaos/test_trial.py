# SPDX-License-Identifier: MIT
"""Test deliveries: without a spooler, with few workers, and over a kill."""
import concurrent.futures
import contextlib
import socket
import time

import pytest

from harness import done, refused, wait_for


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
    done(client.post("/webhook/test"))
    stopped()
    began = time.monotonic()
    refused(client.post("/webhook/test"), 503, "SERVICE_UNAVAILABLE")
    assert time.monotonic() - began < 2
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
        s.settimeout(10)
        with contextlib.ExitStack() as taken:
            yield ("http://127.0.0.1:%d/" % s.getsockname()[1],
                   lambda: taken.enter_context(s.accept()[0]))


def test_of_two_workers_one_waits_and_one_serves_all(hasty):
    """Each of several clients, over connections that nginx keeps to both
    workers, is answered as quickly as ever while a receiver is waited for; a
    second test is refused at once."""
    tenant = hasty.instance.tenant()
    tenant.admin.device()
    client = tenant.admin.client
    with black_hole() as (url, wait_for_visit), \
            concurrent.futures.ThreadPoolExecutor(9) as pool:
        done(client.post("/webhook", {
            "webhook_url": url, "enabled_events": ["*"], "timeout": 1}), 201)
        clients = [hasty.instance.client(tenant.admin.token)
                   for _ in range(8)]

        def ask(n, until):
            """The longest time in which one of its requests was answered."""
            longest, asked = 0, 0
            while not until(asked):
                began = time.monotonic()
                done(clients[n].get("/users"))
                longest = max(longest, time.monotonic() - began)
                asked += 1
            return longest

        # So nginx has connections to both.
        list(pool.map(lambda n: ask(n, lambda asked: asked == 20), range(8)))
        waiting = pool.submit(client.post, "/webhook/test")
        wait_for_visit()
        began = time.monotonic()
        refused(clients[0].post("/webhook/test"), 503, "SERVICE_UNAVAILABLE")
        assert time.monotonic() - began < 0.5
        longest = max(pool.map(
            lambda n: ask(n, lambda _: waiting.done()), range(8)))
        data = done(waiting.result())["data"]
    assert data["status"] is None and data["duration_ms"] >= 900
    assert longest < 0.5


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
