# SPDX-License-Identifier: MIT
"""Admins against each other: whatever two of them do to one another at the
same moment, one change happens, the other is refused for what its caller has
become, and the tenant keeps an active admin. WUTS_RACE_PAIRS: how many."""
import collections
import concurrent.futures
import itertools
import os
import random

import pytest

from harness import PASSWORD, unique
from wire import Wire

PAIRS = int(os.environ.get("WUTS_RACE_PAIRS", "200"))
LANES = 4		# tenants at a time

DEMOTE = ("POST", "/users/{}/promote", {"new_role": "manager"})
LOWER = ("PUT", "/users/{}", {"role": "user"})
DISABLE = ("PUT", "/users/{}", {"active": False})
BOTH = ("PUT", "/users/{}", {"role": "user", "active": False})
DELETE = ("DELETE", "/users/{}", None)
ACTIONS = [DEMOTE, LOWER, DISABLE, BOTH, DELETE]

# What somebody hears to whom this has happened a moment before.
FORBIDDEN, UNAUTHORIZED = (403, "FORBIDDEN"), (401, "UNAUTHORIZED")
TOO_LATE = {id(DEMOTE): FORBIDDEN, id(LOWER): FORBIDDEN,
            id(DISABLE): UNAUTHORIZED, id(BOTH): UNAUTHORIZED,
            id(DELETE): UNAUTHORIZED}
# A key is nobody's and stays what it is: its target is the last one now.
LAST_ADMIN = (409, "LAST_ADMIN")


class Lane:
    """A tenant whose admins race, and the connections that they use."""

    def __init__(self, wuts, admins=2):
        self.master = wuts.master_token
        self.tenant = wuts.tenant()
        self.keys = []
        self.wires = [Wire(wuts) for _ in range(admins)]
        self.judge = Wire(wuts)
        self.size = admins
        self.admins = self.active_admins()

    def close(self):
        for wire in self.wires + [self.judge]:
            wire.close()

    def key(self, n):
        """The n-th API key. Each racer has one of its own: two requests of
        one key would wait for each other because of that alone."""
        while len(self.keys) <= n:
            status, body = self.judge.call(
                self.master, "POST", f"/api-keys?tenant_id={self.tenant.id}",
                {"name": "race", "scope": "full"})
            assert status == 201, body
            self.keys.append(body["key"])
        return self.keys[n]

    def users(self):
        status, body = self.judge.call(
            self.master, "GET", f"/users?tenant_id={self.tenant.id}")
        assert status == 200, body
        return {user["id"]: user for user in body["users"]}

    def active_admins(self):
        return [user for user in self.users().values()
                if user["role"] == "admin" and user["active"]]

    def fill(self):
        """As many active admins as there were, new ones if need be."""
        self.admins = self.active_admins()
        while len(self.admins) < self.size:
            status, body = self.judge.call(
                self.master, "POST", f"/users?tenant_id={self.tenant.id}",
                {"email": unique("racer") + "@example.com",
                 "password": PASSWORD, "role": "admin"})
            assert status == 201, body
            self.admins.append(body["user"])

    def tidy(self):
        """Who has lost is of no use any more, and makes the list long."""
        for user in self.users().values():
            if user["role"] != "admin" or not user["active"]:
                status, _ = self.judge.call(self.master, "DELETE",
                                            f"/users/{user['id']}")
                assert status == 200

    def race(self, moves):
        """All moves, (token, action, target), at once: their answers."""
        for wire, (token, (method, path, body), target) in zip(
                self.wires, moves):
            wire.ask(token, method, path.format(target["id"]), body)
        answers = []
        for wire, _ in zip(self.wires, moves):
            status, body = wire.answer()
            answers.append((status, body.get("error_code")))
        return answers


def happened(users, target, action):
    """Is this user what the action makes of it, or gone?"""
    user = users.get(target["id"])
    if action is DELETE:
        return user is None
    wanted = action[2]
    return user is not None and all(
        user[name] == wanted.get(name, wanted.get("new_" + name, user[name]))
        for name in ("role", "active"))


def run_pair(lane, actions, with_key):
    """Two admins; or a key for one of them or both (with_key: 0 to 2)."""
    lane.fill()
    one, two = lane.admins
    tokens = [one["token"], two["token"]]
    for i in range(with_key):
        tokens[i] = lane.key(i)
    moves = [(tokens[0], actions[0], two), (tokens[1], actions[1], one)]
    order = random.choice([1, -1])
    answers = lane.race(moves[::order])[::order]
    # Not in this list: two changes, or none.
    loses = [LAST_ADMIN if i < with_key else TOO_LATE[id(actions[1 - i])]
             for i in (0, 1)]
    allowed = [((200, None), loses[1]), (loses[0], (200, None))]
    assert tuple(answers) in allowed, (actions, with_key, answers)
    users = lane.users()
    winner = allowed.index(tuple(answers))
    assert happened(users, moves[winner][2], actions[winner])
    left = [u for u in users.values() if u["role"] == "admin" and u["active"]]
    assert [u["id"] for u in left] == [moves[1 - winner][2]["id"]]
    return "first" if (winner == 0) == (order == 1) else "second"


def run_lane(wuts, pairs):
    lane, winners = Lane(wuts), collections.Counter()
    try:
        for n, (actions, with_key) in enumerate(pairs):
            winners[run_pair(lane, actions, with_key)] += 1
            if n % 50 == 49:
                lane.tidy()
    finally:
        lane.close()
    return winners


def race_all(wuts, kinds, pairs):
    work = list(itertools.islice(itertools.cycle(kinds), pairs))
    random.shuffle(work)
    with concurrent.futures.ThreadPoolExecutor(LANES) as pool:
        return sum(pool.map(lambda lane: run_lane(wuts, work[lane::LANES]),
                            range(LANES)), collections.Counter())


def test_of_two_admins_at_each_other_one_stays(wuts):
    kinds = [(actions, 0) for actions in itertools.product(ACTIONS, repeat=2)]
    print(race_all(wuts, kinds, PAIRS))


def test_of_two_admins_one_stays_also_when_keys_go_at_them(wuts):
    kinds = [(actions, with_key) for with_key in (2, 1, 2)
             for actions in itertools.product(ACTIONS, repeat=2)]
    print(race_all(wuts, kinds, PAIRS // 4))


@pytest.mark.parametrize("action", ACTIONS, ids=lambda a: f"{a[0]} {a[2]}")
def test_of_a_ring_of_admins_one_stays(wuts, action):
    """Each at the next one: as many answers of success as changes."""
    lane = Lane(wuts, admins=5)
    try:
        for _ in range(max(2, PAIRS // 100)):
            lane.fill()
            ring = lane.admins
            answers = lane.race([
                (admin["token"], action, ring[(i + 1) % len(ring)])
                for i, admin in enumerate(ring)])
            users = lane.users()
            for i, answer in enumerate(answers):
                assert answer in ((200, None), TOO_LATE[id(action)])
                assert happened(users, ring[(i + 1) % len(ring)],
                                action) == (answer[0] == 200)
            assert lane.active_admins()
    finally:
        lane.close()
