# SPDX-License-Identifier: MIT
"""Operations 1 to 7 of the Wacht dialect: users, listed, made, changed,
deleted, and their passwords, through nginx on both of its mounts."""
import concurrent.futures
import subprocess
import uuid

import pytest

import harness
from harness import done, refused, unique
from wacht_user import TIME, Wacht, key_of

PASSWORD = "Passw0rd!"
SUMMARY = {"id", "created_at", "updated_at", "first_name", "last_name",
           "username", "profile_picture_url", "primary_email_address",
           "primary_phone_number"}
DETAILS = SUMMARY | {
    "schema_version", "disabled", "second_factor_policy", "availability",
    "last_password_reset_at", "active_organization_membership_id",
    "active_workspace_membership_id", "deployment_id", "public_metadata",
    "private_metadata", "primary_email_address_id",
    "primary_phone_number_id", "email_addresses", "phone_numbers",
    "social_connections", "segments", "has_password", "has_backup_codes"}


def form(**fields):
    """A form without any part is the closing delimiter alone."""
    if fields:
        return {"files": {k: (None, v) for k, v in fields.items()}}
    return {"data": b"--x--\r\n",
            "headers": {"Content-Type": "multipart/form-data; boundary=x"}}


class World:
    def __init__(self, wuts):
        self.instance = wuts
        self.tenant, self.foreign = wuts.tenant(), wuts.tenant()
        self.call = Wacht(wuts, key_of(self.tenant))
        self.stranger = Wacht(wuts, key_of(self.foreign))
        self.reader = Wacht(wuts, key_of(self.tenant, "read"))
        self.nobody = Wacht(wuts, None)

    def create(self, **fields):
        fields = {"first_name": "Ada", "last_name": "Lovelace",
                  "email_address": unique("ada") + "@example.com",
                  "password": PASSWORD, **fields}
        return self.call.ok("POST", "/users", **form(
            **{k: v for k, v in fields.items() if v is not None}))

    def details(self, user):
        return self.call.ok("GET", f"/users/{user['id']}/details")


@pytest.fixture(scope="module")
def world(wuts):
    return World(wuts)


@pytest.fixture(scope="module", params=["prefix", "server"])
def mount(request, world):
    call = Wacht(world.instance, key_of(world.tenant))
    if request.param == "server":
        call.url = world.instance.wacht_url
    return call


# --- both mounts, who asks, paths and queries -------------------------------

def test_a_user_lives_and_dies_on_either_mount(mount):
    email = unique("x") + "@example.com"
    user = mount.ok("POST", "/users", **form(
        first_name="Ada", last_name="L", email_address=email,
        password=PASSWORD))
    assert set(user) == SUMMARY and user["primary_email_address"] == email
    path = "/users/" + user["id"]
    assert set(mount.ok("GET", path + "/details")) == DETAILS
    assert mount.ok("DELETE", path) == {}
    mount.refused(404, "DELETE", path)
    mount.refused(404, "GET", path + "/details")


@pytest.mark.parametrize("path,status", [
    ("/users/", 404), ("//users", 404), ("/users/%2F/details", 404),
    ("/users/{id}/details/", 404), ("/users//details", 404),
    ("/users%2F{id}/details", 404), ("/nothing", 404), ("/", 404),
    ("/users/17/details", 400), ("/users/{id}x/details", 400),
    ("/users?limit=1&limit=2", 400), ("/users?search=%ff", 400),
    ("/users?search=%00", 400),
    ("/users?unknown=1", 200)])
def test_paths_and_queries_are_judged_strictly(mount, path, status):
    path = path.replace("{id}", str(uuid.uuid4()))
    assert mount("GET", path).status_code == status


def test_there_is_no_get_of_a_user(mount):
    response = mount("GET", "/users/" + str(uuid.uuid4()))
    assert response.status_code == 405
    assert response.headers["Allow"] == "PATCH, DELETE"
    assert mount("OPTIONS", "/users").status_code == 405


@pytest.mark.parametrize("header,status", [
    (None, 401), ("", 401), ("Bearer", 401), ("Bearer ", 401),
    ("Bearer no-key", 401), ("Basic {key}", 401), ("{key}", 401),
    ("Bearer {key} x", 401), ("bearer {key}", 200), ("BEARER   {key}", 200),
    ("Bearer {admin}", 200), ("Bearer {member}", 403),
    ("Bearer {master}", 403), ("Bearer {engine}", 403)])
def test_the_header_tells_who_asks(world, header, status):
    call = Wacht(world.instance, None)
    words = {"key": key_of(world.tenant),
             "admin": world.tenant.admin.token,
             "member": world.tenant.member().token,
             "master": world.instance.master_token,
             "engine": world.instance.engine_token}
    if header is not None:
        call.session.headers["Authorization"] = header.format(**words)
    response = call("GET", "/users")
    assert response.status_code == status
    if status == 401:
        assert response.headers["WWW-Authenticate"] == "Bearer"
        # Before anything is said about paths.
        assert call("GET", "/nothing").status_code == 401


def test_who_is_asked_about_must_be_of_the_keys_tenant(world):
    user = world.create()
    path = "/users/" + user["id"]
    for method, tail, body in (
            ("GET", "/details", {}), ("PATCH", "", form(first_name="X")),
            ("DELETE", "", {}),
            ("PATCH", "/password", {"body": {"new_password": PASSWORD}}),
            ("DELETE", "/password", {})):
        world.stranger.refused(404, method, path + tail, **body)
        world.nobody.refused(401, method, path + tail, **body)
        if method != "GET":
            world.reader.refused(403, method, path + tail, **body)
    assert world.reader.ok("GET", path + "/details") == world.details(user)
    world.reader.refused(403, "POST", "/users", **form())
    found = world.stranger.ok("GET", "/users?search=" + user["id"])
    assert found["total"] == 0


# --- create -----------------------------------------------------------------

def test_a_new_user_is_as_the_specification_says(world):
    email, name = unique("Ada") + "@Example.com", unique("ada")
    user = world.create(email_address=f"  {email} ", username=f" {name}\t",
                        phone_number=" +1 (555) 123-4567 ",
                        first_name=" Ada ", last_name="\u6f22 \U0001f600")
    assert user["first_name"] == " Ada "
    assert user["last_name"] == "\u6f22 \U0001f600"
    assert (user["username"], user["primary_email_address"],
            user["primary_phone_number"]) == (name, email, "+15551234567")
    details = world.details(user)
    assert {k: details[k] for k in SUMMARY} == user
    assert TIME.fullmatch(details["created_at"])
    assert not details["disabled"] and details["has_password"]
    assert details["second_factor_policy"] == "optional"
    assert details["availability"] == "away"
    assert details["schema_version"] == "v1"
    assert details["public_metadata"] == details["private_metadata"] == {}
    assert details["last_password_reset_at"] is None
    assert details["deployment_id"] == world.tenant.id
    assert details["segments"] == details["social_connections"] == []
    [address] = details["email_addresses"]
    assert address == {
        "id": details["primary_email_address_id"],
        "created_at": address["created_at"],
        "updated_at": address["updated_at"],
        "deployment_id": world.tenant.id, "user_id": user["id"],
        "email": email, "is_primary": True, "verified": True,
        "verified_at": address["verified_at"],
        "verification_strategy": "otp"}
    [number] = details["phone_numbers"]
    assert number == {
        "id": details["primary_phone_number_id"],
        "created_at": number["created_at"],
        "updated_at": number["updated_at"], "user_id": user["id"],
        "phone_number": "+15551234567", "country_code": "",
        "verified": True, "verified_at": number["verified_at"]}


@pytest.mark.parametrize("fields,broken", [
    ({"first_name": None}, {"first_name"}),
    ({"first_name": "", "last_name": " "}, {"first_name", "last_name"}),
    ({"first_name": "x" * 256}, {"first_name"}),
    ({"last_name": "a\x07b"}, {"last_name"}),
    ({"email_address": None}, {"email_address"}),
    ({"email_address": " "}, {"email_address"}),
    ({"email_address": "a..b@example.com"}, {"email_address"}),
    ({"email_address": "a@b"}, {"email_address"}),
    ({"phone_number": "0123"}, {"phone_number"}),
    ({"username": "ab"}, {"username"}),
    ({"username": "a b c"}, {"username"}),
    ({"password": None}, {"password"}),
    ({"password": "short"}, {"password"}),
    ({"password": "x" * 1025, "skip_password_check": "true"}, {"password"}),
    ({"skip_password_check": "yes"}, {"skip_password_check"}),
    ({"first_name": "", "email_address": "x", "phone_number": "x",
      "username": "!", "password": "x", "skip_password_check": "1"},
     {"first_name", "email_address", "phone_number", "username", "password",
      "skip_password_check"})])
def test_every_rule_that_is_broken_is_named(world, fields, broken):
    fields = {"first_name": "A", "last_name": "B",
              "email_address": unique("x") + "@example.com",
              "password": PASSWORD, **fields}
    body = world.call.refused(400, "POST", "/users", **form(
        **{k: v for k, v in fields.items() if v is not None}))
    assert {f["field"] for f in body["details"]["fields"]} == broken
    assert len(body["errors"]) == len(body["details"]["fields"])
    assert PASSWORD not in str(body)


def test_a_password_may_be_skipped(world):
    user = world.create(password=None, skip_password_check="true")
    assert not world.details(user)["has_password"]
    user = world.create(password="x", skip_password_check="true")
    assert world.details(user)["has_password"]


def test_identifiers_are_taken_in_any_case_and_over_all_users(world):
    email, name = unique("e") + "@example.com", unique("n")
    phone = "+1555" + str(uuid.uuid4().int)[:7]
    user = world.create(email_address=email, username=name,
                        phone_number=phone)
    total = world.call.ok("GET", "/users?limit=0")["total"]
    for fields in ({"email_address": email.upper()},
                   {"username": name.upper()},
                   {"phone_number": phone.lstrip("+")}):
        fields = {"first_name": "A", "last_name": "B", "password": PASSWORD,
                  "email_address": unique("x") + "@example.com", **fields}
        world.call.refused(409, "POST", "/users", **form(**fields))
        world.stranger.ok("POST", "/users", **form(**fields))
    assert world.call.ok("GET", "/users?limit=0")["total"] == total
    # What is given up is free at once.
    world.call.ok("DELETE", "/users/" + user["id"])
    world.create(email_address=email.upper(), username=name,
                 phone_number=phone)


def test_of_many_at_once_one_gets_the_name(world):
    name = unique("race")
    fields = [{"first_name": "A", "last_name": "B", "password": PASSWORD,
               "email_address": unique("r") + "@example.com",
               "username": name.upper() if i % 2 else name}
              for i in range(6)]
    calls = [Wacht(world.instance, world.tenant.admin.token) for _ in fields]
    with concurrent.futures.ThreadPoolExecutor(len(fields)) as pool:
        status = list(pool.map(
            lambda pair: pair[0]("POST", "/users",
                                 **form(**pair[1])).status_code,
            zip(calls, fields)))
    assert sorted(status) == [200] + [409] * 5


# --- update -----------------------------------------------------------------

def test_a_patch_changes_what_it_names(world):
    user = world.create()
    name = unique("new")
    after = world.call.ok("PATCH", "/users/" + user["id"], **form(
        first_name="Augusta", last_name="", username=f" {name} ",
        second_factor_policy="enforced"))
    assert set(after) == DETAILS
    assert (after["first_name"], after["last_name"], after["username"],
            after["second_factor_policy"]) == (
                "Augusta", "Lovelace", name, "enforced")
    assert after["updated_at"] > user["updated_at"]
    assert after == world.details(user)


@pytest.mark.parametrize("fields", [
    {}, {"first_name": "", "username": "", "public_metadata": "  ",
         "disabled": "", "second_factor_policy": "", "unknown": "x"},
    {"first_name": "Ada", "disabled": "false"}, {"username": "  "}])
def test_a_patch_of_nothing_changes_nothing(world, fields):
    before = world.details(world.create())
    after = world.call.ok("PATCH", "/users/" + before["id"], **form(**fields))
    assert after == before


@pytest.mark.parametrize("fields,field", [
    ({"first_name": "  "}, "first_name"),
    ({"username": "a b"}, "username"),
    ({"disabled": "yes"}, "disabled"),
    ({"remove_profile_image": "TRUE"}, "remove_profile_image"),
    ({"second_factor_policy": "always"}, "second_factor_policy"),
    ({"public_metadata": "[1]"}, "public_metadata"),
    ({"public_metadata": '"x"'}, "public_metadata"),
    ({"public_metadata": "{"}, "public_metadata"),
    ({"public_metadata": "{} x"}, "public_metadata"),
    ({"public_metadata": '{"a": "\\u0000"}'}, "public_metadata"),
    ({"public_metadata": '{"a": 1e999}'}, "public_metadata"),
    ({"private_metadata": '{"a":' * 32 + "{}" + "}" * 32},
     "private_metadata"),
    ({"private_metadata": '{"a": "' + "x" * 65536 + '"}'},
     "private_metadata")])
def test_a_patch_that_breaks_a_rule_changes_nothing(world, fields, field):
    before = world.details(world.create())
    body = world.call.refused(400, "PATCH", "/users/" + before["id"], **form(
        last_name="Changed", **fields))
    assert [f["field"] for f in body["details"]["fields"]] == [field]
    assert world.details(before) == before


@pytest.mark.parametrize("text,value", [
    ('{"a": null, "b": {}, "c": [], "d": true}',
     {"a": None, "b": {}, "c": [], "d": True}),
    ('{"\\ud83d\\ude00": "\U0001f600\u2028\\n"}',
     {"\U0001f600": "\U0001f600\u2028\n"}),
    ('{"i": 9223372036854775807, "j": -9223372036854775808, '
     '"k": 18446744073709551615, "x": 0.1, "y": 1e-300}',
     {"i": 2**63 - 1, "j": -2**63, "k": 2**64 - 1, "x": 0.1, "y": 1e-300}),
    ('{"a": 1, "a": {"b": 0.1}}', {"a": {"b": 0.1}}),
    ('{"a": 1, "b": [{"c": 1, "\\u0063": 18446744073709551615}], "a": 0.1, '
     '"d": 12345678901234567890123}',
     {"a": 0.1, "b": [{"c": 2**64 - 1}], "d": 12345678901234567890123}),
    ('{"a":' * 31 + "{}" + "}" * 31, None), ("null", {}), ("{ }", {})])
def test_metadata_survive(world, text, value):
    user = world.create()
    path = "/users/" + user["id"]
    world.call.ok("PATCH", path, **form(public_metadata='{"old": 1}'))
    after = world.call.ok("PATCH", path, **form(public_metadata=text))
    if value is not None:
        assert after["public_metadata"] == value
    assert "old" not in after["public_metadata"]
    assert after["private_metadata"] == {}


def test_a_taken_user_name_is_a_conflict_and_ones_own_is_not(world):
    one, two = unique("one"), unique("two")
    user, _ = world.create(username=one), world.create(username=two)
    path = "/users/" + user["id"]
    world.call.refused(409, "PATCH", path, **form(
        username=two.upper(), first_name="X"))
    assert world.details(user)["first_name"] == "Ada"
    after = world.call.ok("PATCH", path, **form(username=one.upper()))
    assert after["username"] == one.upper()


def test_the_last_admin_stays(world):
    path = "/users/" + world.foreign.admin.id
    world.stranger.refused(409, "PATCH", path, **form(disabled="true"))
    world.stranger.refused(409, "DELETE", path)
    admin = Wacht(world.instance, world.foreign.admin.token)
    admin.refused(403, "DELETE", path)
    admin.ok("PATCH", path, **form(first_name="Me"))


# --- passwords --------------------------------------------------------------

def test_a_password_is_set_and_taken_away(world):
    user = world.create(password=None, skip_password_check="true")
    path = f"/users/{user['id']}/password"
    assert world.call.ok("PATCH", path, {"new_password": PASSWORD}) == {}
    details = world.details(user)
    assert details["has_password"]
    assert TIME.fullmatch(details["last_password_reset_at"])
    assert details["updated_at"] > user["updated_at"]
    assert world.call.ok("DELETE", path) == {}
    assert not world.details(user)["has_password"]
    assert world.call.ok("DELETE", path) == {}
    unknown = f"/users/{uuid.uuid4()}/password"
    world.call.refused(404, "DELETE", unknown)
    world.call.refused(404, "PATCH", unknown, {"new_password": PASSWORD})


@pytest.mark.parametrize("body,status", [
    ({}, 400), ({"new_password": None}, 400), ({"new_password": 1}, 400),
    ({"new_password": ""}, 400), ({"new_password": "weak"}, 400),
    ({"new_password": "", "skip_password_check": True}, 400),
    ({"new_password": "x" * 1025, "skip_password_check": True}, 400),
    ({"new_password": "x", "skip_password_check": "true"}, 400),
    ({"new_password": "x", "skip_password_check": True}, 200),
    ({"new_password": "x" * 1024, "skip_password_check": True,
      "unknown": 1}, 200),
    ({"new_password": PASSWORD, "skip_password_check": None}, 200),
    ([PASSWORD], 400)])
def test_password_bodies(world, body, status):
    path = f"/users/{world.create()['id']}/password"
    response = world.call("PATCH", path, body)
    assert response.status_code == status, response.text


@pytest.mark.parametrize("data,content_type,status", [
    (b'{"new_password": "Passw0rd!"}', "application/json; charset=utf-8",
     200),
    (b'{"new_password": "Passw0rd!"}', "text/plain", 415),
    (b'{"new_password": "Passw0rd!"}', None, 415), (b"", None, 415),
    (b"", "application/json", 400), (b"{", "application/json", 400),
    (b'{"new_password": "\xff"}', "application/json", 400),
    (b'{"new_password": "' + b"x" * 70000 + b'"}', "application/json",
     413)])
def test_media_types_and_sizes(world, data, content_type, status):
    path = f"/users/{world.create()['id']}/password"
    headers = {} if content_type is None else {"Content-Type": content_type}
    response = world.call("PATCH", path, data=data, headers=headers)
    assert response.status_code == status, response.text


# --- the list ---------------------------------------------------------------

@pytest.fixture(scope="module")
def crowd(wuts):
    """Five users in a tenant of their own, beside its admin."""
    world = World(wuts)
    call = world.call
    rows = [("Ada", "Lovelace", "zeta", "+15550003"),
            ("Grace", "Hopper", "Beta", "+15550001"),
            ("100%", "under_score", None, "+15550002"),
            ("\u00c9mile", "Zola", None, None),
            ("Emile", "Cohl", "alpha", None)]
    for i, (first, last, name, phone) in enumerate(rows):
        fields = {"first_name": first, "last_name": last,
                  "email_address": f"{'bADCe'[i]}@example.com",
                  "username": name, "phone_number": phone,
                  "password": PASSWORD}
        call.ok("POST", "/users", **form(
            **{k: v for k, v in fields.items() if v is not None}))
    return world


def names(call, query):
    answer = call.ok("GET", "/users" + query)
    assert set(answer) == {"data", "total", "limit", "offset", "has_more"}
    for user in answer["data"]:
        assert set(user) == SUMMARY
    return answer, [u["first_name"] or "admin" for u in answer["data"]]


@pytest.mark.parametrize("query,expected", [
    ("", "Emile \u00c9mile 100% Grace Ada admin"),
    ("?sort_order=asc", "admin Ada Grace 100% \u00c9mile Emile"),
    ("?sort_key=username&sort_order=asc",
     "Emile Grace Ada admin 100% \u00c9mile"),
    ("?sort_key=username", "Ada Grace Emile \u00c9mile 100% admin"),
    ("?sort_key=email&sort_order=asc",
     "Grace admin Ada \u00c9mile 100% Emile"),
    ("?sort_key=phone_number", "Ada 100% Grace Emile \u00c9mile admin"),
    ("?sort_key=username&sort_order=asc&limit=2&offset=2", "Ada admin"),
    ("?sort_key=username&sort_order=asc&limit=2&offset=4",
     "100% \u00c9mile"),
    ("?search=lovelace", "Ada"), ("?search=ada+LOVE", "Ada"),
    ("?search=e.com&sort_key=username&sort_order=asc",
     "Emile Grace Ada admin 100% \u00c9mile"),
    ("?search=%25", "100%"), ("?search=_", "100%"), ("?search=%5C", ""),
    ("?search=!", ""), ("?search=!%25", ""), ("?search=100%25+UNDER_", "100%"),
    ("?search=+zeta+", "Ada"), ("?search=15550002", "100%"),
    ("?search=%C3%89MILE", "\u00c9mile"), ("?search=emile", "Emile"),
    ("?search=+", "Emile \u00c9mile 100% Grace Ada admin"),
    ("?search=nobody", "")])
def test_lists_are_sorted_and_searched(crowd, query, expected):
    answer, found = names(crowd.call, query)
    assert found == expected.split()
    assert answer["has_more"] == (answer["offset"] + len(found)
                                  < answer["total"])


@pytest.mark.parametrize("key", ["created_at", "username", "email",
                                 "phone_number"])
@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("search", ["", "&search=e"])
def test_pages_make_the_whole_list(crowd, key, order, search):
    query = f"?sort_key={key}&sort_order={order}{search}"
    whole, found = names(crowd.call, query)
    pages = [names(crowd.call, f"{query}&limit={n}&offset={i}")
             for n in (1, 4) for i in range(0, whole["total"] + n, n)]
    assert sum((page for _, page in pages), []) == found * 2
    assert {answer["total"] for answer, _ in pages} == {len(found)}
    assert not pages[-1][0]["has_more"]


@pytest.mark.parametrize("query", [
    "limit=-1", "limit=1001", "limit=x", "limit=", "limit=1.0",
    "offset=-1", "offset=x", "offset=99999999999999999999",
    "sort_key=Email", "sort_key=", "sort_order=DESC", "sort_order=",
    "search=" + "x" * 201])
def test_list_parameters_are_exact(crowd, query):
    body = crowd.call.refused(400, "GET", "/users?" + query)
    assert [f["field"] for f in body["details"]["fields"]] == [
        query.split("=")[0]]


def test_no_rows_still_have_a_total(crowd):
    answer = crowd.call.ok("GET", "/users?limit=0")
    assert answer == {"data": [], "total": 6, "limit": 0, "offset": 0,
                      "has_more": True}
    answer = crowd.call.ok("GET", "/users?offset=1000")
    assert (answer["data"], answer["total"], answer["has_more"]) == (
        [], 6, False)
    assert crowd.call.ok("GET", "/users?search=" + "\u00e9" * 200)


# --- the other dialects -----------------------------------------------------

def test_what_one_dialect_writes_the_other_reads(world):
    email = unique("both") + "@example.com"
    member = world.tenant.member(email=email)
    [found] = world.call.ok("GET", "/users?search=" + email)["data"]
    assert found["id"] == member.id and found["first_name"] == ""
    [address] = world.details(found)["email_addresses"]
    assert address["is_primary"] and not address["verified"]
    world.call.ok("PATCH", "/users/" + member.id, **form(disabled="true"))
    refused(member.client.get("/devices"), 401, "UNAUTHORIZED")
    got = done(world.tenant.admin.client.get("/users/" + member.id))
    assert got["data"]["active"] is False
    user = world.create()
    got = done(world.tenant.admin.client.get("/users/" + user["id"]))["data"]
    assert (got["email"], got["role"]) == (user["primary_email_address"],
                                           "user")
    done(world.tenant.admin.client.delete("/users/" + user["id"]))
    world.call.refused(404, "GET", f"/users/{user['id']}/details")


def test_events_go_out_in_the_shape_of_the_dialect(wuts, hook):
    world = World(wuts)
    done(world.tenant.admin.client.post("/webhook?scope=tenant", {
        "webhook_url": hook.url, "enabled_events": ["*"]}), 201)
    user = world.create(username=unique("ev"))
    path = "/users/" + user["id"]
    world.call.ok("PATCH", path, **form(
        private_metadata='{"plan": "gold"}'))
    world.call.ok("PATCH", path, **form())
    world.call.ok("PATCH", path + "/password", {"new_password": "Other1!xy"})
    world.call.ok("DELETE", path)
    hook.wait(4)
    messages = {m["type"]: m for m in (d.message for d in hook.deliveries)}
    assert sorted(messages) == ["user.created", "user.deleted",
                                "user.password.updated", "user.updated"]
    for message in messages.values():
        assert message["event"] == message["type"]
        assert message["tenant_id"] == world.tenant.id
        assert message["data"]["entity_id"] == user["id"]
        assert message["data"]["entity_type"] == "user"
        assert len(message["timestamp"]) == len("2026-01-15T10:30:00.123Z")
        assert PASSWORD not in str(message)
        assert "Other1!xy" not in str(message)
    assert DETAILS <= set(messages["user.created"]["data"])
    assert messages["user.updated"]["data"]["private_metadata"] == {
        "plan": "gold"}
    assert messages["user.deleted"]["data"]["username"] == user["username"]


# --- every route ------------------------------------------------------------

def wacht_routes():
    out = subprocess.run([harness.BUILD / "wutsd", "--routes"], check=True,
                         capture_output=True, text=True).stdout
    return [line.split()[:2] for line in out.splitlines()
            if line.split()[-1] == "wacht"]


def test_no_route_lets_anybody_else_in(world):
    """Every line of `wutsd --routes`: a key of another tenant finds nothing,
    and nobody, no mere member and no reading key changes anything."""
    routes = wacht_routes()
    assert len(routes) == 28
    member = Wacht(world.instance, world.tenant.member().token)
    user = world.create()
    before = world.details(user)
    for method, pattern in routes:
        path = pattern.replace("{user_id}", user["id"])
        for name in ("email_id", "phone_id", "connection_id", "signin_id",
                     "passkey_id"):
            path = path.replace("{%s}" % name, str(uuid.uuid4()))
        assert "{" not in path
        world.nobody.refused(401, method, path)
        member.refused(403, method, path)
        if method != "GET":
            world.reader.refused(403, method, path)
        status = world.stranger(method, path).status_code
        # Without a body some are refused before anything is looked for.
        assert status in ((200, 415) if pattern == "/users"
                          else (404, 415)), (method, pattern, status)
    assert world.details(user) == before
