# SPDX-License-Identifier: MIT
"""The permission matrix is data: what `wutsctl matrix` says is in force for
every worker when the command has ended, shown by GET /roles, and lifts none of
the other rules."""
import itertools
import random

import pytest

import rules
from harness import done, refused
from rules import Ask, Caller, Target
from wire import Wire

CONNECTIONS = 12
ROWS = [(actor, old, new) for actor, old, new
        in itertools.product(rules.ROLES, repeat=3) if old != new]
SHIPPED = {(actor, *row.split("->")) for actor in rules.ROLES
           for row in rules.TRANSITIONS[actor].split()}


class Matrix:
    def __init__(self, wuts):
        self.wuts = wuts
        self.rows = set(SHIPPED)

    def ctl(self, *args):
        run = self.wuts.ctl("matrix", *args)
        assert run.returncode == 0, run.stderr

    def set(self, rows):
        for row in self.rows ^ set(rows):
            self.ctl("allow" if row in rows else "deny", *row)
        self.rows = set(rows)

    def reset(self):
        self.ctl("reset")
        self.rows = set(SHIPPED)

    def transitions(self):
        """As rules.TRANSITIONS."""
        return {actor: " ".join(f"{old}->{new}" for a, old, new in self.rows
                                if a == actor) for actor in rules.ROLES}

    def shown(self, client):
        return {(row["actor"], row["from"], row["to"])
                for row in done(client.get("/roles"))["transitions"]}


@pytest.fixture
def matrix(wuts):
    matrix = Matrix(wuts)
    yield matrix
    matrix.reset()


@pytest.fixture(scope="module")
def house(wuts):
    tenant = wuts.tenant()
    tenant.actors = {role: tenant.member(role) for role in rules.ROLES}
    tenant.targets = {role: tenant.member(role) for role in rules.ROLES}
    return tenant


def check_every_transition(house, matrix):
    for actor, old, new in ROWS:
        member, target = house.actors[actor], house.targets[old]
        ask = Ask("promote", new)
        response = member.client.request(*ask.request(target.id))
        expected = rules.answer(
            Caller("user", house, member.id, actor),
            Target(house, target.id, old, True), ask, matrix.transitions())
        assert (response.status_code, response.json().get("error_code")) == \
            expected, (actor, old, new, response.text)
        if expected == rules.OK:
            done(house.instance.master().put(f"/users/{target.id}",
                                             {"role": old}))


def test_any_matrix_is_in_force_at_once(house, matrix):
    everything, dice = set(ROWS), random.Random(3)
    samples = [{row for row in ROWS if dice.random() < 0.5}
               for _ in range(4)]
    for rows in [set(), everything] + samples:
        matrix.set(rows)
        check_every_transition(house, matrix)
        assert matrix.shown(house.admin.client) == rows
    matrix.reset()
    check_every_transition(house, matrix)
    assert matrix.shown(house.admin.client) == SHIPPED


def test_a_row_counts_for_every_worker_at_once(wuts, tenant, matrix):
    """Every connection asks at the same time, right after the command."""
    manager = tenant.member("manager")
    targets = [tenant.member() for _ in range(CONNECTIONS)]
    wires = [Wire(wuts) for _ in targets]

    def promote_all():
        for wire, target in zip(wires, targets):
            wire.ask(manager.token, "POST", f"/users/{target.id}/promote",
                     {"new_role": "manager"})
        return [wire.answer()[0] for wire in wires]

    def lower_all():
        for wire, target in zip(wires, targets):
            assert wire.call(tenant.admin.token, "PUT", f"/users/{target.id}",
                             {"role": "user"})[0] == 200

    try:
        for _ in range(5):
            assert promote_all() == [200] * CONNECTIONS
            lower_all()
            matrix.set(SHIPPED - {("manager", "user", "manager")})
            assert promote_all() == [403] * CONNECTIONS
            matrix.set(SHIPPED)
    finally:
        for wire in wires:
            wire.close()


def test_a_full_matrix_lifts_no_other_rule(wuts, house, matrix):
    matrix.set(set(ROWS))
    for role, member in house.actors.items():
        for new in rules.ROLES:
            refused(member.client.post(f"/users/{member.id}/promote",
                                       {"new_role": new}), *rules.SELF)
    for actor, target in ("manager", "admin"), ("manager", "manager"), \
            ("user", "user"), ("user", "admin"):
        for new in rules.ROLES:
            refused(house.actors[actor].client.put(
                f"/users/{house.targets[target].id}", {"role": new}),
                *rules.FORBIDDEN)
    lonely = wuts.tenant()
    key = done(lonely.admin.client.post("/api-keys", {"name": "key"}), 201)
    refused(wuts.client(key["key"]).put(f"/users/{lonely.admin.id}",
                                        {"role": "user"}), *rules.LAST_ADMIN)


def test_an_empty_matrix_does_not_bind_the_master(wuts, tenant, matrix):
    matrix.set(set())
    member = tenant.member()
    for new in "manager", "admin", "user":
        done(wuts.master().post(f"/users/{member.id}/promote",
                                {"new_role": new}))
    done(tenant.admin.client.put(f"/users/{member.id}", {"active": False}))
    done(tenant.admin.client.put(f"/users/{member.id}", {"role": "user"}))
