# SPDX-License-Identifier: MIT
"""The truth table of spec/wuts.md §3 over HTTP: every kind of caller asks
every change of every kind of user, and of itself. Each cell is held against
rules.py, and the user is read again: refused means that nothing has changed.
"""
import pytest

import rules
from harness import PASSWORD, Member, done, refused, unique
from rules import ASKS, Ask, Caller, Target

CALLERS = ("master", "admin", "manager", "user", "inactive", "none", "engine",
           "foreign", "foreign_key", "full_key", "reading_key")


class World:
    """A house with one of everybody, and another house to look in from."""

    def __init__(self, wuts):
        self.wuts = wuts
        self.master = wuts.master()
        self.house = house = wuts.tenant()
        self.other = other = wuts.tenant()
        self.members = {"admin": house.admin,
                        "manager": house.member("manager"),
                        "user": house.member("user"),
                        "inactive": house.member("admin"),
                        "foreign": other.admin}
        self.keys = {"full_key": self.key(house, "full"),
                     "reading_key": self.key(house, "read"),
                     "foreign_key": self.key(other, "full")}
        done(self.master.put(f"/users/{self.members['inactive'].id}",
                             {"active": False}))
        self.targets = {(role, active): self.new_target(role, active)
                        for role in rules.ROLES for active in (True, False)}

    @staticmethod
    def key(house, scope):
        return done(house.admin.client.post("/api-keys", {
            "name": scope, "scope": scope}), 201)["key"]

    def new_target(self, role, active):
        user = done(self.master.post(f"/users?tenant_id={self.house.id}", {
            "email": unique("target") + "@example.com", "role": role,
            "password": PASSWORD}), 201)["user"]
        if not active:
            done(self.master.put(f"/users/{user['id']}", {"active": False}))
        return Member(self.wuts, user)

    def client(self, name):
        """A new one, with an address of its own: what is refused for a token
        must not count against another cell."""
        if name in ("master", "engine"):
            return getattr(self.wuts, name)()
        if name == "none":
            return self.wuts.client()
        if name in self.keys:
            return self.wuts.client(self.keys[name])
        return self.wuts.client(self.members[name].token)

    def caller(self, name):
        if name in ("master", "none", "engine"):
            return Caller(name)
        house = self.other if name.startswith("foreign") else self.house
        if name in self.keys:
            return Caller("key", house, role="admin",
                          reads_only=name == "reading_key")
        member = self.members[name]
        return Caller("user", house, member.id, member.role,
                      name != "inactive")

    def state(self, user_id):
        """The user's data and entity tag, or None: not there."""
        response = self.master.get(f"/users/{user_id}")
        if response.status_code == 404:
            return None
        return done(response)["data"], response.headers["ETag"]

    def restore(self, key):
        """The target as it was, whatever a cell has made of it."""
        target, (role, active) = self.targets[key], key
        if self.state(target.id) is None:
            self.targets[key] = self.new_target(role, active)
        else:
            done(self.master.put(f"/users/{target.id}",
                                 {"role": role, "active": active}))


@pytest.fixture(scope="module")
def world(wuts):
    return World(wuts)


def agrees(response, expected):
    assert (response.status_code, response.json().get("error_code")) == \
        expected, response.text


def check_token(world, member, active, token):
    """It is the user's, and no other is: an inactive user's is no good."""
    response = world.wuts.client(token).get(f"/users/{member.id}")
    if active and token == member.token:
        done(response)
    else:
        refused(response, 401, "UNAUTHORIZED")


def check_success(world, member, before, ask, response):
    after = world.state(member.id)
    if ask.what == "delete":
        assert after is None
        check_token(world, member, False, member.token)
        return
    (old, _), (new, _) = before, after
    role, active = ask.after(old["role"], old["active"])
    assert new == {**old, "role": role, "active": active,
                   "updated_at": new["updated_at"]}
    if ask.what == "get":
        assert response.json()["data"] == old and before == after
    if ask.what == "promote":
        assert response.json()["data"] == {
            "user_id": member.id, "old_role": old["role"], "new_role": role}
    if ask.what == "rotate":
        lost, member.token = member.token, response.json()["token"]
        assert lost != member.token
        check_token(world, member, active, lost)
        check_token(world, member, active, member.token)


def check_cell(world, name, member, ask):
    """Was it allowed?"""
    before = world.state(member.id)
    data, _ = before
    expected = rules.answer(world.caller(name), Target(
        world.house, member.id, data["role"], data["active"]), ask)
    response = world.client(name).request(*ask.request(member.id))
    agrees(response, expected)
    if expected == rules.OK:
        check_success(world, member, before, ask, response)
        return True
    assert world.state(member.id) == before
    if expected == rules.TRANSITION:
        for word in world.caller(name).role, data["role"], ask.role:
            assert word in response.json()["error"]
    if ask.what == "rotate":
        check_token(world, member, data["active"], member.token)
    return False


@pytest.mark.parametrize("ask", ASKS, ids=str)
@pytest.mark.parametrize("name", CALLERS)
def test_a_caller_and_everybody(world, name, ask):
    for key in list(world.targets):
        if check_cell(world, name, world.targets[key], ask):
            world.restore(key)


@pytest.mark.parametrize("ask", ASKS, ids=str)
@pytest.mark.parametrize("name", ["admin", "manager", "user", "inactive"])
def test_a_caller_and_itself(world, name, ask):
    check_cell(world, name, world.members[name], ask)


@pytest.mark.parametrize("ask", ASKS, ids=str)
def test_the_last_active_admin_and_a_key(wuts, world, ask):
    """Only who is no admin itself can meet a last admin: a key."""
    lonely = wuts.tenant()
    world.keys["lonely_key"] = world.key(lonely, "full")
    inactive = lonely.member("admin")
    done(world.master.put(f"/users/{inactive.id}", {"active": False}))
    before = world.state(lonely.admin.id)
    expected = rules.answer(Caller("key", lonely, role="admin"), Target(
        lonely, lonely.admin.id, "admin", True, others=0), ask)
    response = world.client("lonely_key").request(
        *ask.request(lonely.admin.id))
    agrees(response, expected)
    if expected == rules.OK:
        check_success(world, lonely.admin, before, ask, response)
    else:
        assert world.state(lonely.admin.id) == before


@pytest.mark.parametrize("ask", [
    Ask("put", "user"), Ask("put", None, False), Ask("promote", "manager"),
    Ask("delete")], ids=str)
def test_the_master_takes_even_the_last_admin(wuts, world, ask):
    lonely = wuts.tenant()
    before = world.state(lonely.admin.id)
    response = world.master.request(*ask.request(lonely.admin.id))
    done(response)
    check_success(world, lonely.admin, before, ask, response)
