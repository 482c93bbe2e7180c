# SPDX-License-Identifier: MIT
"""Operations 8 to 15 of the Wacht dialect: addresses and phone numbers."""
import concurrent.futures
import uuid

import pytest

from harness import done, unique
from test_wacht_users import PASSWORD, World, form
from wacht_user import Wacht


@pytest.fixture(scope="module")
def world(wuts):
    return World(wuts)


@pytest.fixture
def user(world):
    return world.create(phone_number="+1555" + str(uuid.uuid4().int)[:9])


def address():
    return unique("a") + "@example.com"


def number():
    return {"country_code": "+49", "phone_number": str(
        uuid.uuid4().int % 10**9 + 10**9)}


# kind: the path, what makes one, the member that tells the primary one's id
KINDS = {"emails": (lambda: {"email": address()}, "email_addresses",
                    "primary_email_address_id"),
         "phones": (number, "phone_numbers", "primary_phone_number_id")}


@pytest.fixture(params=sorted(KINDS))
def kind(request):
    return request.param


def primary_id(world, user, kind):
    return world.details(user)[KINDS[kind][2]]


def check_flags(world, user):
    """At most one address has the flag, and it agrees with the user."""
    details = world.details(user)
    primaries = [e for e in details["email_addresses"] if e["is_primary"]]
    assert [e["id"] for e in primaries] == [
        i for i in [details["primary_email_address_id"]] if i is not None]
    assert [e["email"] for e in primaries] == [
        e for e in [details["primary_email_address"]] if e is not None]
    [found] = [u for u in world.call.ok(
        "GET", "/users?limit=1000")["data"] if u["id"] == user["id"]]
    for member in ("primary_email_address", "primary_phone_number",
                   "updated_at"):
        assert found[member] == details[member]


def test_one_is_added_without_becoming_primary(world, user, kind):
    make, member, _ = KINDS[kind]
    before = primary_id(world, user, kind)
    path = f"/users/{user['id']}/{kind}"
    body = make()
    added = world.call.ok("POST", path, body)
    assert {k: added[k] for k in body} == body
    assert not added["verified"]
    assert added["verified_at"] == added["created_at"]
    assert primary_id(world, user, kind) == before
    details = world.details(user)
    assert [x["id"] for x in details[member]][-1] == added["id"]
    assert details["updated_at"] > user["updated_at"]
    check_flags(world, user)


def test_one_takes_the_primary_role_verified_or_not(world, user, kind):
    make, _, _ = KINDS[kind]
    path = f"/users/{user['id']}/{kind}"
    added = world.call.ok("POST", path, {**make(), "is_primary": True})
    assert primary_id(world, user, kind) == added["id"]
    check_flags(world, user)
    other = world.call.ok("POST", path, make())
    world.call.ok("PATCH", f"{path}/{other['id']}", {"is_primary": True})
    assert primary_id(world, user, kind) == other["id"]
    world.call.ok("PATCH", f"{path}/{other['id']}", {"is_primary": False})
    assert primary_id(world, user, kind) == other["id"]
    check_flags(world, user)


def test_only_a_verified_one_is_made_primary(world, user, kind):
    make, _, _ = KINDS[kind]
    path = f"/users/{user['id']}/{kind}"
    added = world.call.ok("POST", path, make())
    one = f"{path}/{added['id']}"
    world.call.refused(400, "POST", one + "/make-primary")
    verified = world.call.ok("PATCH", one, {"verified": True})
    assert verified["verified"]
    assert verified["verified_at"] > added["verified_at"]
    for _ in range(2):
        assert world.call.ok("POST", one + "/make-primary") == {}
        assert primary_id(world, user, kind) == added["id"]
    again = world.call.ok("PATCH", one, {"verified": False})
    assert not again["verified"]
    assert again["verified_at"] == verified["verified_at"]
    check_flags(world, user)


def test_deleting_the_primary_one_promotes_nobody(world, user, kind):
    make, member, primary = KINDS[kind]
    path = f"/users/{user['id']}/{kind}"
    world.call.ok("POST", path, {**make(), "verified": True})
    one = f"{path}/{primary_id(world, user, kind)}"
    assert world.call.ok("DELETE", one) == {}
    world.call.refused(404, "DELETE", one)
    details = world.details(user)
    assert details[primary] is None and len(details[member]) == 1
    check_flags(world, user)


def test_a_taken_one_is_a_conflict_and_ones_own_is_not(world, user, kind):
    make, member, _ = KINDS[kind]
    path = f"/users/{user['id']}/{kind}"
    body = make()
    added = world.call.ok("POST", path, body)
    other = world.create()
    elsewhere = f"/users/{other['id']}/{kind}"
    same = ({"email": body["email"].upper()} if kind == "emails" else
            {"country_code": "", "phone_number":
             "+" + body["country_code"][1:] + body["phone_number"]})
    world.call.refused(409, "POST", elsewhere, same)
    world.call.refused(409, "POST", path, same)
    mine = world.call.ok("POST", elsewhere, make())
    world.call.refused(409, "PATCH", f"{elsewhere}/{mine['id']}", same)
    changed = world.call.ok("PATCH", f"{path}/{added['id']}", same)
    assert {k: changed[k] for k in same} == same
    world.call.ok("DELETE", f"{path}/{added['id']}")
    world.call.ok("POST", elsewhere, same)
    assert len(world.details(other)[member]) == (3 if kind == "emails" else 2)


def test_an_empty_patch_changes_nothing(world, user, kind):
    make, _, _ = KINDS[kind]
    path = f"/users/{user['id']}/{kind}"
    added = world.call.ok("POST", path, make())
    before = world.details(user)
    for body in ({}, {"verified": None, "unknown": 1}, make() and {}):
        assert world.call.ok("PATCH", f"{path}/{added['id']}", body) == added
    assert world.details(user) == before


def test_ids_are_looked_up_by_tenant_and_user(world, user, kind):
    make, _, _ = KINDS[kind]
    added = world.call.ok("POST", f"/users/{user['id']}/{kind}", make())
    other = world.create()
    for method, tail, body in (("PATCH", "", {}), ("DELETE", "", None),
                               ("POST", "/make-primary", None)):
        path = f"/users/{{}}/{kind}/{{}}{tail}"
        world.call.refused(404, method, path.format(
            other["id"], added["id"]), body)
        world.call.refused(404, method, path.format(
            user["id"], uuid.uuid4()), body)
        world.call.refused(404, method, path.format(
            uuid.uuid4(), added["id"]), body)
        world.stranger.refused(404, method, path.format(
            user["id"], added["id"]), body)
        world.reader.refused(403, method, path.format(
            user["id"], added["id"]), body)
        world.nobody.refused(401, method, path.format(
            user["id"], added["id"]), body)
        world.call.refused(400, method, path.format(user["id"], "7"), body)
        world.call.refused(404, method, path.format(
            user["id"], "7%2F8"), body)
    world.stranger.refused(404, "POST", f"/users/{user['id']}/{kind}",
                           make())
    world.reader.refused(403, "POST", f"/users/{user['id']}/{kind}", make())


@pytest.mark.parametrize("kind,body,field", [
    ("emails", {}, "email"), ("emails", {"email": None}, "email"),
    ("emails", {"email": 1}, "email"), ("emails", {"email": ""}, "email"),
    ("emails", {"email": " a@example.com"}, "email"),
    ("emails", {"email": "x" * 250 + "@b.co"}, "email"),
    ("emails", {"email": "a@b.co", "verified": "true"}, "verified"),
    ("phones", {"phone_number": "555123"}, "country_code"),
    ("phones", {"country_code": "+1"}, "phone_number"),
    ("phones", {"country_code": "+1", "phone_number": "+555"},
     "phone_number"),
    ("phones", {"country_code": "+0", "phone_number": "555"},
     "country_code"),
    ("phones", {"country_code": "12345", "phone_number": "555"},
     "country_code"),
    ("phones", {"country_code": "+1", "phone_number": "1" * 15},
     "phone_number")])
def test_broken_rules_are_named(world, user, kind, body, field):
    answer = world.call.refused(400, "POST", f"/users/{user['id']}/{kind}",
                                body)
    assert [f["field"] for f in answer["details"]["fields"]] == [field]
    # The body goes before the question whether there is such a user.
    world.call.refused(400, "POST", f"/users/{uuid.uuid4()}/{kind}", body)


def test_both_parts_of_a_number_are_judged_together(world, user):
    path = f"/users/{user['id']}/phones"
    added = world.call.ok("POST", path, {
        "country_code": "49", "phone_number": "(171) 234-" + str(
            uuid.uuid4().int)[:6]})
    assert added["country_code"] == "+49"
    assert added["phone_number"].startswith("171234")
    one = f"{path}/{added['id']}"
    world.call.refused(400, "PATCH", one, {"phone_number": "+1555"})
    after = world.call.ok("PATCH", one, {"country_code": "+44"})
    assert (after["country_code"], after["phone_number"]) == (
        "+44", added["phone_number"])
    world.call.ok("PATCH", one, {"verified": True})
    world.call.ok("POST", one + "/make-primary")
    assert world.details(user)["primary_phone_number"] == \
        "+44" + added["phone_number"]


def test_of_many_at_once_one_gets_the_address(world):
    users = [world.create() for _ in range(4)]
    wanted = address()
    calls = [Wacht(world.instance, world.tenant.admin.token) for _ in users]
    with concurrent.futures.ThreadPoolExecutor(len(users)) as pool:
        status = list(pool.map(lambda pair: pair[0](
            "POST", f"/users/{pair[1]['id']}/emails",
            {"email": wanted}).status_code, zip(calls, users)))
    assert sorted(status) == [200, 409, 409, 409]


def test_a_search_finds_secondary_addresses_and_numbers(world, user):
    body, mail = number(), address()
    world.call.ok("POST", f"/users/{user['id']}/phones", body)
    added = world.call.ok("POST", f"/users/{user['id']}/emails",
                          {"email": mail})
    for text in (mail[:-4].upper(), "49" + body["phone_number"],
                 body["phone_number"]):
        found = world.call.ok("GET", "/users?search=" + text)["data"]
        assert [u["id"] for u in found] == [user["id"]]
    world.call.ok("DELETE", f"/users/{user['id']}/emails/{added['id']}")
    assert world.call.ok("GET", "/users?search=" + mail)["total"] == 0


def test_a_log_in_uses_the_primary_address(world, user):
    added = world.call.ok("POST", f"/users/{user['id']}/emails", {
        "email": address(), "is_primary": True})
    got = done(world.tenant.admin.client.get("/users/" + user["id"]))
    assert got["data"]["email"] == added["email"]
    world.call.ok("DELETE", f"/users/{user['id']}/emails/{added['id']}")
    got = done(world.tenant.admin.client.get("/users/" + user["id"]))
    assert got["data"]["email"] == ""


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_events_tell_of_each_step(wuts, hook, kind):
    world = World(wuts)
    make, _, _ = KINDS[kind]
    user = world.create()
    done(world.tenant.admin.client.post("/webhook?scope=tenant", {
        "webhook_url": hook.url, "enabled_events": ["*"]}), 201)
    path = f"/users/{user['id']}/{kind}"
    added = world.call.ok("POST", path, make())
    one = f"{path}/{added['id']}"
    world.call.ok("PATCH", one, {"verified": True})
    world.call.ok("POST", one + "/make-primary")
    world.call.ok("POST", one + "/make-primary")
    world.call.ok("DELETE", one)
    word = kind[:-1]
    hook.wait(4)
    events = [d.message for d in hook.deliveries]
    assert sorted(e["type"] for e in events) == sorted(
        [f"user.{word}.added", f"user.{word}.removed",
         f"user.{word}.verified", "user.updated"])
    for event in events:
        data = event["data"]
        if event["type"] == "user.updated":
            assert data["entity_id"] == user["id"]
            continue
        assert data["entity_id"] == added["id"]
        assert data["entity_type"] == f"user_{word}"
        assert data["user_id"] == user["id"]


def test_a_key_may_be_limited_to_so_many_requests_a_minute(wuts):
    world, other = World(wuts), World(wuts)
    for tenant in world.tenant, other.tenant:
        result = wuts.ctl("tenant", "policy", tenant.id,
                          "requests_per_minute=3")
        assert result.returncode == 0, result.stderr
    statuses = [world.call("GET", "/users").status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    refused = world.call("GET", "/users")
    assert refused.json()["errors"][0]["code"] == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    # another key, another tenant, and the same without a limit
    other.call.ok("GET", "/users")
    world.reader.ok("GET", "/users")
    result = wuts.ctl("tenant", "policy", world.tenant.id,
                      "requests_per_minute=0")
    assert result.returncode == 0, result.stderr
    world.call.ok("GET", "/users")


def test_the_policy_is_the_tenants(wuts):
    world = World(wuts)

    def policy(*settings):
        for args in [[]] + [[setting] for setting in settings]:
            result = wuts.ctl("tenant", "policy", world.tenant.id, *args)
            assert result.returncode == 0, result.stderr
        return result.stdout

    assert "email_required" in policy()
    policy("email_required=false", "names_required=false",
           "password_min=4", "password_upper=false",
           "password_special=false")
    user = world.call.ok("POST", "/users", **form(password="abc1"))
    assert user["primary_email_address"] is None
    assert user["first_name"] == ""
    policy("phone_required=true", "username_enabled=false")
    world.call.refused(400, "POST", "/users", **form(password="abc1"))
    world.call.refused(400, "POST", "/users", **form(
        password="abc1", phone_number="22", username="adaada"))
    result = wuts.ctl("tenant", "policy", world.tenant.id, "colour=blue")
    assert result.returncode != 0 and "colour" in result.stderr
    # Another tenant's stays.
    world.stranger.refused(400, "POST", "/users", **form(password=PASSWORD))
