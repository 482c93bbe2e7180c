# SPDX-License-Identifier: MIT
"""A tenant with many users (WUTS_MANY_USERS): the list is complete, in order,
whole as in pages, and costs a worker no more memory than a short one; and the
tenant's end takes a moment only, for itself and for its neighbours."""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import threading
import time

import pytest

import harness
from harness import done, refused

USERS = int(os.environ.get("WUTS_MANY_USERS", "20000"))
GROWTH_KIB = 2048


class Worker:
    """A worker process and its peak of resident memory since reset()."""

    def __init__(self, pid):
        self.proc = pathlib.Path("/proc") / pid

    def kib(self, name):
        text = (self.proc / "status").read_text()
        return int(re.search(rf"(?m)^{name}:\s+(\d+) kB", text).group(1))

    def reset(self):
        (self.proc / "clear_refs").write_text("5")
        self.resident = self.kib("VmRSS")

    def growth(self):
        return self.kib("VmHWM") - self.resident

    def is_sanitized(self):
        """A sanitizer's shadow is memory, too, and keeps what was freed."""
        return self.kib("VmSize") > 1 << 30


def workers(wuts):
    master = (wuts.run / "pids/wutsd").read_text().strip()
    pids = pathlib.Path(f"/proc/{master}/task/{master}/children").read_text()
    return [Worker(pid) for pid in pids.split()]


class Crowd:
    def __init__(self, wuts):
        self.tenant = wuts.tenant()
        out = subprocess.run(
            [harness.BUILD / "tests/api/fill_users", wuts.config,
             self.tenant.id, str(USERS)], check=True, capture_output=True,
            text=True, timeout=300).stdout
        self.tokens = {self.tenant.admin.id: self.tenant.admin.token}
        self.tokens.update(line.split() for line in out.splitlines())
        assert len(self.tokens) == USERS + 1
        self.client = self.tenant.admin.client

    def whole(self):
        return done(self.client.get("/users"))["users"]

    def pages(self, limit):
        """Every page, to the last."""
        cursor = ""
        while cursor is not None:
            page = done(self.client.get(f"/users?limit={limit}{cursor}"))
            yield page["users"]
            cursor = page["next_cursor"]
            cursor = cursor and "&cursor=" + cursor


@pytest.fixture(scope="module")
def crowds():
    return []


@pytest.fixture
def crowd(wuts, crowds):
    """The tests share one, until it is at its end."""
    if not crowds:
        crowds.append(Crowd(wuts))
    return crowds[0]


def test_the_whole_list_is_complete_and_in_order(crowd):
    users = crowd.whole()
    # In the order of creation, and each with its own token.
    assert [(u["id"], u["token"]) for u in users] == \
        list(crowd.tokens.items())
    assert {u["tenant_id"] for u in users} == {crowd.tenant.id}


@pytest.mark.parametrize("limit", [1000, 999])
def test_the_pages_are_the_whole_list(crowd, limit):
    pages = list(crowd.pages(limit))
    assert all(len(page) == limit for page in pages[:-1]) and pages[-1]
    assert [user for page in pages for user in page] == crowd.whole()


def test_a_walk_through_the_pages_survives_changes(crowd):
    """What is there from its begin to its end is met once, although the row
    that a cursor stands on goes and others come."""
    walk, lost = crowd.pages(1000), []
    met = [user["id"] for user in next(walk)]
    for page in walk:
        lost.append(met[-1])
        done(crowd.client.delete(f"/users/{met[-1]}"))
        crowd.tenant.member()
        met += [user["id"] for user in page]
    assert len(met) == len(set(met))
    assert set(crowd.tokens) <= set(met)
    for user_id in lost:
        del crowd.tokens[user_id]
    left = [user["id"] for user in crowd.whole()]
    assert left[:len(crowd.tokens)] == list(crowd.tokens)


def test_a_long_list_costs_a_worker_no_memory(wuts, crowd):
    small = wuts.tenant().admin
    for _ in range(16):		# every worker has listed something
        done(wuts.client(small.token).get("/users"))
    watched = workers(wuts)
    for worker in watched:
        worker.reset()

    def read_all(n):
        client = wuts.client(crowd.tenant.admin.token)
        if n % 2:
            return len(list(crowd.pages(1000)))
        return len(client.get("/users").content)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        sizes = list(pool.map(read_all, range(8)))
    assert sizes[0] > USERS * 200
    alive = [worker for worker in watched if worker.proc.exists()]
    assert alive
    if any(worker.is_sanitized() for worker in alive):
        pytest.skip("memory under a sanitizer says nothing")
    growth = [worker.growth() for worker in alive]
    print(growth, "KiB")
    assert max(growth) < GROWTH_KIB, growth


def test_the_end_of_a_large_tenant_holds_nobody_up(wuts, crowd, crowds):
    """From the answer on the tenant does not exist, a neighbour's requests
    never wait for long, and no worker grows by it."""
    crowds.clear()
    neighbour = wuts.tenant().admin
    watched, slowest, over = workers(wuts), [0.0], threading.Event()
    for worker in watched:
        worker.reset()

    def live_on():
        path = f"/users/{neighbour.id}"
        while not over.is_set():
            began = time.monotonic()
            done(neighbour.client.get(path))
            slowest[0] = max(slowest[0], time.monotonic() - began)

    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        living = pool.submit(live_on)
        try:
            answer = done(wuts.master().delete(
                f"/global/tenants/{crowd.tenant.id}", timeout=120))
        finally:
            over.set()
        living.result()
    print(f"{time.monotonic() - began:.2f} s, a neighbour at most "
          f"{slowest[0]:.2f} s")
    assert answer["data"]["tenant_id"] == crowd.tenant.id
    refused(crowd.client.get("/users"), 401, "UNAUTHORIZED")
    refused(wuts.master().get(f"/users?tenant_id={crowd.tenant.id}"), 404,
            "TENANT_NOT_FOUND")
    for user_id in list(crowd.tokens)[::USERS // 10]:
        refused(wuts.client(crowd.tokens[user_id]).get(f"/users/{user_id}"),
                401, "UNAUTHORIZED")
        refused(wuts.master().get(f"/users/{user_id}"), 404, "USER_NOT_FOUND")
    alive = [worker for worker in watched if worker.proc.exists()]
    if not any(worker.is_sanitized() for worker in alive):
        assert max(worker.growth() for worker in alive) < GROWTH_KIB
    assert slowest[0] < 5
