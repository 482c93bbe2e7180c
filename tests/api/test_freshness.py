# SPDX-License-Identifier: MIT
"""What workers remember is never older than a change that was answered: many
connections ask while another one changes, and the answer to a request that
began after the change's 2xx had come shows what it has made."""
import bisect
import collections
import random
import threading
import time

import pytest

from harness import done, wait_for
from wire import Wire

CONNECTIONS = 16
WARM = 48		# answers between two changes: everybody remembers


class Probe:
    """A request, what it shows, and what it should show in a state."""

    def __init__(self, token, path, expect):
        self.token, self.path, self.expect = token, path, expect

    @staticmethod
    def shown(status, body):
        data = body.get("data", {})
        return status, data.get("role"), data.get("active")


Seen = collections.namedtuple("Seen", "began ended probe shown")


class Hammer:
    """Asks on and on, and remembers when it was answered what."""

    def __init__(self, wuts, state, probes):
        self.wuts = wuts
        self.probes = list(probes)
        self.started, self.finished = [0.0], [0.0]
        self.states = [state]
        self.seen, self.failures = [], []
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._ask)
                        for _ in range(CONNECTIONS)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def _ask(self):
        wire = Wire(self.wuts)
        try:
            while not self.stopping.is_set():
                probe = random.choice(self.probes)
                began = time.monotonic()
                shown = probe.shown(*wire.call(probe.token, "GET",
                                               probe.path))
                self.seen.append(Seen(began, time.monotonic(), probe, shown))
        except Exception as failure:
            self.failures.append(failure)
            raise
        finally:
            wire.close()

    def warm(self):
        enough = len(self.seen) + WARM
        wait_for("answers", lambda: len(self.seen) >= enough
                 or self.failures)
        assert not self.failures

    def change(self, perform, state):
        """perform() returns when the change has been answered; its result."""
        self.warm()
        self.started.append(time.monotonic())
        self.states.append(state)
        result = perform()
        self.finished.append(time.monotonic())
        return result

    def check(self):
        """No answer is of a state that was over before it was asked for."""
        counts = collections.Counter()
        for seen in self.seen:
            oldest = bisect.bisect_right(self.finished, seen.began) - 1
            newest = bisect.bisect_right(self.started, seen.ended) - 1
            states = self.states[oldest:newest + 1]
            allowed = [seen.probe.expect(state) for state in states]
            # Beside a change that is not answered yet, the caller may be
            # judged by one state and the user shown as of the other.
            if len(states) > 1 and any(a[0] == 200 for a in allowed):
                allowed += [sight(200, user) for user in states
                            if isinstance(user, tuple)]
            assert seen.shown in allowed, (
                f"{seen.shown} {seen.began - self.finished[oldest]:.6f} s "
                f"after a change, instead of {allowed}")
            counts[oldest if oldest == newest else "during"] += 1
        # Every state was looked at while nothing was changing.
        assert all(counts[i] > 0 for i in range(len(self.states))), counts


def sight(status, user=None):
    return (status, user and user[0], user and user[1])


OUT = sight(401)


def own(user):
    """GET of oneself: user is (role, active), None: deleted."""
    return sight(200, user) if user and user[1] else OUT


def of_another(user):
    return sight(200, user) if user else sight(404)


def admins_only(user):
    if not user or not user[1]:
        return OUT
    return sight(200 if user[0] == "admin" else 403)


def probes_of(tenant, member):
    path = f"/users/{member.id}"
    return [Probe(member.token, path, own),
            Probe(tenant.admin.token, path, of_another),
            Probe(member.token, "/users?limit=1", admins_only)]


def test_a_role_is_as_it_was_made_last(wuts, tenant):
    member, state = tenant.member("manager"), ("manager", True)
    with Hammer(wuts, state, probes_of(tenant, member)) as hammer:
        for role in ("admin", "manager", "user") * 8:
            hammer.change(lambda role=role: done(tenant.admin.client.post(
                f"/users/{member.id}/promote", {"new_role": role})),
                (role, True))
        hammer.warm()
    hammer.check()


def test_an_active_flag_is_as_it_was_made_last(wuts, tenant):
    member = tenant.member("admin")
    with Hammer(wuts, ("admin", True), probes_of(tenant, member)) as hammer:
        for active in (False, True) * 10:
            hammer.change(lambda active=active: done(tenant.admin.client.put(
                f"/users/{member.id}", {"active": active})),
                ("admin", active))
        hammer.warm()
    hammer.check()


def test_an_old_token_is_out_and_a_new_one_in(wuts, tenant):
    """The state: how many tokens there were before the present one."""
    member = tenant.member()
    path = f"/users/{member.id}"

    def probe(token, n):
        return Probe(token, path, lambda state:
                     sight(200, ("user", True)) if state == n else OUT)

    with Hammer(wuts, 0, [probe(member.token, 0)]) as hammer:
        for n in range(1, 16):
            token = hammer.change(lambda: done(tenant.admin.client.post(
                path + "/token")), n)["token"]
            hammer.probes.append(probe(token, n))
            if len(hammer.probes) > 3:
                hammer.probes.pop(0)
        hammer.warm()
    hammer.check()


@pytest.mark.parametrize("turn", range(5))
def test_a_deleted_user_is_out_and_gone(wuts, tenant, turn):
    member = tenant.member("admin")
    with Hammer(wuts, ("admin", True), probes_of(tenant, member)) as hammer:
        hammer.change(lambda: done(tenant.admin.client.delete(
            f"/users/{member.id}")), None)
        hammer.warm()
    hammer.check()


def test_a_deleted_api_key_is_out(wuts, tenant):
    client = tenant.admin.client
    created = done(client.post("/api-keys", {"name": "hammer",
                                             "scope": "read"}), 201)
    probe = Probe(created["key"], f"/users/{tenant.admin.id}",
                  lambda there: sight(200, ("admin", True)) if there else OUT)
    with Hammer(wuts, True, [probe]) as hammer:
        hammer.change(lambda: done(client.delete(
            f"/api-keys/{created['api_key']['id']}")), False)
        hammer.warm()
    hammer.check()


def test_a_deleted_tenant_is_out(wuts):
    tenant = wuts.tenant()
    member = tenant.member("admin")
    with Hammer(wuts, ("admin", True), [
            Probe(member.token, f"/users/{member.id}", own),
            Probe(wuts.master_token, f"/users/{member.id}", of_another)
            ]) as hammer:
        hammer.change(lambda: done(wuts.master().delete(
            f"/global/tenants/{tenant.id}")), None)
        hammer.warm()
    hammer.check()
