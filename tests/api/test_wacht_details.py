# SPDX-License-Identifier: MIT
"""Operations 16 to 28 of the Wacht dialect: what hangs on a user."""
import base64
import concurrent.futures
import hashlib
import hmac
import re
import struct
import time
import urllib.parse
import uuid

import pytest

import harness
from harness import done
from wacht_user import TIME, User, Wacht, key_of

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


class World:
    def __init__(self, wuts):
        self.tenant, self.foreign = wuts.tenant(), wuts.tenant()
        self.call = Wacht(wuts, key_of(self.tenant))
        self.stranger = Wacht(wuts, key_of(self.foreign))
        self.reader = Wacht(wuts, key_of(self.tenant, "read"))
        self.nobody = Wacht(wuts, None)


@pytest.fixture(scope="module")
def world(wuts):
    return World(wuts)


@pytest.fixture
def user(world):
    return User(world.tenant)


def updated_at(user):
    return user.instance.sql("SELECT updated_at FROM users WHERE id ="
                             f" X'{user.id.replace('-', '')}'")


def audit_of(user):
    answer = done(user.tenant.admin.client.get("/audit?limit=20"))
    return [e["action"] for e in answer["entries"]
            if e["target_id"] == user.id]


# --- whose they are ---------------------------------------------------------

ROUTES = [
    ("GET", "/social-connections", None),
    ("DELETE", "/social-connections/{id}", None),
    ("GET", "/organization-memberships", None),
    ("GET", "/workspace-memberships", None),
    ("GET", "/sessions", None),
    ("POST", "/sessions/{id}/revoke", None),
    ("POST", "/sessions/revoke-all", None),
    ("GET", "/passkeys", None),
    ("PATCH", "/passkeys/{id}", {"name": "x"}),
    ("DELETE", "/passkeys/{id}", None),
    ("POST", "/authenticators", {"secret": SECRET}),
    ("DELETE", "/authenticators", None),
    ("POST", "/backup-codes/regenerate", None),
]


@pytest.mark.parametrize("method,path,body", ROUTES)
def test_nothing_of_another_tenant_is_there(world, user, method, path, body):
    ids = {"sessions": user.session, "passkeys": user.passkey,
           "social-connections": user.connection}
    if "{id}" in path:
        path = path.replace("{id}", ids[path.split("/")[1]]())
    world.stranger.refused(404, method, user.path + path, body)
    world.nobody.refused(401, method, user.path + path, body)
    if method != "GET":
        world.reader.refused(403, method, user.path + path, body)
    else:
        world.reader.ok(method, user.path + path)
    member = Wacht(user.instance, user.member.token)
    member.refused(403, method, user.path + path, body)
    unknown = "/users/" + str(uuid.uuid4())
    world.call.refused(404, method, unknown + path, body)
    world.call.refused(400, method, "/users/17" + path, body)


@pytest.mark.parametrize("method,path,body",
                         [r for r in ROUTES if "{id}" in r[1]])
def test_ids_are_of_this_user(world, user, method, path, body):
    other = User(world.tenant)
    ids = {"sessions": other.session, "passkeys": other.passkey,
           "social-connections": other.connection}
    foreign = ids[path.split("/")[1]]()
    for text, status in ((foreign, 404), (str(uuid.uuid4()), 404),
                         ("1", 400), ("x%2Fy", 404)):
        world.call.refused(status, method,
                           user.path + path.replace("{id}", text), body)
    world.call.ok(method, other.path + path.replace("{id}", foreign), body)


def test_an_admins_token_may_as_well(world, user):
    admin = Wacht(user.instance, world.tenant.admin.token)
    assert admin.list(user.path + "/passkeys") == []
    own = "/users/" + world.tenant.admin.id
    admin.ok("POST", own + "/authenticators", {"secret": SECRET})
    admin.ok("DELETE", own + "/authenticators")


# --- 16, 17 -----------------------------------------------------------------

def test_connections_newest_first_and_deleted(world, user):
    old = user.connection(created_at="2026-01-02 03:04:05.678901")
    new = user.connection(provider="google_oauth")
    listed = world.call.list(user.path + "/social-connections")
    assert [c["id"] for c in listed] == [new, old]
    assert listed[1].pop("updated_at")
    assert listed[1] == {
        "id": old, "created_at": "2026-01-02T03:04:05.678901Z",
        "user_id": user.id, "user_email_address_id": str(uuid.UUID(int=0)),
        "provider": "github_oauth", "email_address": "me@example.org",
        "access_token": "", "refresh_token": ""}
    before = updated_at(user)
    assert world.call.ok("DELETE", f"{user.path}/social-connections/{old}") \
        == {}
    assert updated_at(user) > before
    world.call.refused(404, "DELETE",
                       f"{user.path}/social-connections/{old}")
    assert [c["id"] for c in world.call.list(
        user.path + "/social-connections")] == [new]
    assert "user.connection_deleted" in audit_of(user)


# --- 18, 19 -----------------------------------------------------------------

def test_the_one_organization_is_the_tenant(world, user):
    [membership] = world.call.list(user.path + "/organization-memberships")
    assert membership["organization_id"] == world.tenant.id
    assert membership["user_id"] == user.id
    organization = membership["organization"]
    assert organization["id"] == world.tenant.id
    assert organization["name"] == world.tenant.name
    users = done(world.tenant.admin.client.get("/users"))["users"]
    assert organization["member_count"] == len(users)
    [role] = membership["roles"]
    assert role["name"] == "user" and role["is_deployment_level"] is True
    assert role["permissions"] == [] and harness.is_uuid(role["id"])
    for at in (membership, organization, role):
        assert TIME.fullmatch(at["created_at"])
    other = User(world.tenant)
    [second] = world.call.list(other.path + "/organization-memberships")
    assert second["roles"] == [role]
    assert second["id"] != membership["id"]


def test_there_are_no_workspaces(world, user):
    assert world.call.list(user.path + "/workspace-memberships") == []


# --- 20 to 22 ---------------------------------------------------------------

def test_sessions_unexpired_and_most_recently_active_first(world, user):
    first = user.session(last_active_at="2026-01-01 00:00:00")
    second = user.session(
        last_active_at="2026-01-01 00:00:01",
        user_agent="Mozilla/5.0 (iPhone) Version/17.0 Safari/604.1")
    expired = user.session(expires_in=-5)
    listed = world.call.list(user.path + "/sessions")
    assert [s["id"] for s in listed] == [second, first]
    assert (listed[0]["browser"], listed[0]["device"]) == \
        ("Safari", "iPhone")
    assert (listed[1]["browser"], listed[1]["device"]) == \
        ("Firefox", "Linux")
    assert listed[1]["session_id"] == first
    assert listed[1]["ip_address"] == "192.0.2.7"
    assert listed[1]["city"] == listed[1]["country_code"] == ""
    assert listed[1]["active_workspace_membership_id"] is None
    answer = world.call.ok("GET",
                           user.path + "/sessions?include_expired=true")
    assert expired in [s["id"] for s in answer["data"]]
    assert len(answer["data"]) == 3
    world.call.ok("GET", user.path + "/sessions?include_expired=false")
    for bad in ("1", "TRUE", ""):
        world.call.refused(400, "GET",
                           f"{user.path}/sessions?include_expired={bad}")


def test_a_session_is_revoked_once(world, user):
    id = user.session()
    path = f"{user.path}/sessions/{id}/revoke"
    assert world.call.ok("POST", path) == {}
    world.call.refused(404, "POST", path)
    assert world.call.list(user.path + "/sessions") == []


def test_revoke_all_counts_what_had_not_expired(world, user):
    path = user.path + "/sessions/revoke-all"
    assert world.call.ok("POST", path) == {"revoked": 0}
    user.session(), user.session(), user.session(expires_in=-5)
    assert world.call.ok("POST", path) == {"revoked": 2}
    answer = world.call.ok("GET",
                           user.path + "/sessions?include_expired=true")
    assert answer["data"] == []


# --- 23 to 25 ---------------------------------------------------------------

def test_passkeys_are_shown_without_what_they_are_known_by(world, user):
    old = user.passkey(created_at="2026-01-01 00:00:00", sign_count=7,
                       transports="usb,nfc", backed_up=1,
                       device_type="multi_device",
                       last_used_at="2026-02-03 04:05:06")
    new = user.passkey()
    listed = world.call.list(user.path + "/passkeys")
    assert [p["id"] for p in listed] == [new, old]
    assert listed[1].pop("updated_at")
    assert listed[1] == {
        "id": old, "created_at": "2026-01-01T00:00:00.000000Z",
        "user_id": user.id, "name": "a key", "sign_count": 7,
        "transports": ["usb", "nfc"],
        "last_used_at": "2026-02-03T04:05:06.000000Z", "backed_up": True,
        "device_type": "multi_device"}
    assert (listed[0]["transports"], listed[0]["last_used_at"],
            listed[0]["backed_up"], listed[0]["device_type"]) == \
        (None, None, None, None)


def test_a_passkey_is_renamed_and_deleted(world, user):
    path = f"{user.path}/passkeys/{user.passkey()}"
    assert world.call.ok("PATCH", path, {"name": "  my key\t"}) == {}
    assert world.call.list(user.path + "/passkeys")[0]["name"] == "my key"
    assert world.call.ok("PATCH", path, {"name": "ä" * 255, "x": 1}) == {}
    for body in ({"name": " \t"}, {"name": ""}, {"name": None}, {},
                 {"name": 7}, {"name": "a" * 256}, {"name": "a\nb"}, []):
        world.call.refused(400, "PATCH", path, body)
    world.call.refused(415, "PATCH", path, data="name=x")
    world.call.refused(400, "PATCH", path, data="{",
                       headers={"Content-Type": "application/json"})
    assert world.call.ok("DELETE", path) == {}
    world.call.refused(404, "DELETE", path)
    world.call.refused(404, "PATCH", path, {"name": "x"})


# --- 26, 27 -----------------------------------------------------------------

def code_at(secret, at):
    """RFC 6238 by the standard library."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.new(key, struct.pack(">Q", int(at) // 30),
                   hashlib.sha1).digest()
    start = mac[-1] & 15
    number = struct.unpack(">I", mac[start:start + 4])[0] & 0x7fffffff
    return "%06d" % (number % 1000000)


def test_the_url_of_an_authenticator(world, user):
    answer = world.call.ok("POST", user.path + "/authenticators", {
        "secret": "gezd gnbv-gy3tqojq GEZDGNBVGY3TQOJQ===",
        "account_name": " Ada & co/ü "})
    assert set(answer) == {"id", "otp_url"} and harness.is_uuid(answer["id"])
    issuer = urllib.parse.quote(world.tenant.name, safe="-_.~")
    assert answer["otp_url"] == (
        f"otpauth://totp/{issuer}:Ada%20%26%20co%2F%C3%BC?secret={SECRET}"
        f"&issuer={issuer}&algorithm=SHA1&digits=6&period=30")
    world.call.refused(409, "POST", user.path + "/authenticators",
                       {"secret": SECRET})
    before = updated_at(user)
    assert world.call.ok("DELETE", user.path + "/authenticators") == {}
    assert updated_at(user) > before
    world.call.refused(404, "DELETE", user.path + "/authenticators")
    answer = world.call.ok("POST", user.path + "/authenticators",
                           {"secret": SECRET, "account_name": " "})
    assert ":" + urllib.parse.quote(user.member.email, safe="-_.~") + "?" \
        in answer["otp_url"]


@pytest.mark.parametrize("body", [
    {}, {"secret": None}, {"secret": ""}, {"secret": "JBSWY3DPEHPK3PXP"},
    {"secret": SECRET + "1"}, {"secret": SECRET[:25]},
    {"secret": "A" * 208}, {"secret": 5},
    {"secret": SECRET, "account_name": "a:b"},
    {"secret": SECRET, "account_name": "a" * 256},
    {"secret": SECRET, "account_name": 7}])
def test_what_is_no_secret_is_refused_and_not_repeated(world, user, body):
    answer = world.call.refused(400, "POST", user.path + "/authenticators",
                                body)
    assert answer["details"]["fields"]
    if isinstance(body.get("secret"), str) and len(body["secret"]) > 8:
        assert body["secret"] not in str(answer)
    world.call.refused(404, "DELETE", user.path + "/authenticators")


def test_of_many_at_once_one_becomes_the_authenticator(wuts, world, user):
    def create(_):
        call = Wacht(wuts, key)
        return call("POST", user.path + "/authenticators",
                    {"secret": SECRET}).status_code
    key = key_of(world.tenant)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(create, range(8)))
    assert answers == [200] + [409] * 7


def test_the_secret_is_nowhere_to_be_read(world, user):
    world.call.ok("POST", user.path + "/authenticators", {"secret": SECRET})
    row = user.instance.sql(
        "SELECT HEX(secret_sealed) FROM user_authenticator WHERE user_id ="
        f" X'{user.id.replace('-', '')}'")[0][0]
    raw = base64.b32decode(SECRET)
    assert raw.hex().upper() not in row
    assert SECRET.encode().hex().upper() not in row
    assert len(row) // 2 == len(raw) + 29


# --- 28 ---------------------------------------------------------------------

def test_backup_codes_are_made_anew(world, user):
    path = user.path + "/backup-codes/regenerate"
    first = world.call.ok("POST", path)
    assert set(first) == {"backup_codes"}
    codes = first["backup_codes"]
    assert len(set(codes)) == len(codes) == 12
    assert all(re.fullmatch(r"[A-Za-z0-9]{4}-[A-Za-z0-9]{4}", c)
               for c in codes)
    second = world.call.ok("POST", path)["backup_codes"]
    assert not set(codes) & set(second)
    hashes = user.instance.sql(
        "SELECT code_hash FROM user_backup_code WHERE user_id ="
        f" X'{user.id.replace('-', '')}'")
    assert len(hashes) == 12
    assert all(h[0].startswith("$argon2id$") for h in hashes)


# --- events -----------------------------------------------------------------

def test_each_change_is_told_and_nothing_secret(world, wuts, hook):
    house = wuts.tenant()
    user = User(house)
    call = Wacht(wuts, key_of(house))
    done(house.admin.client.post("/webhook?scope=tenant", {
        "webhook_url": hook.url, "enabled_events": ["user.*", "session.*"]}),
        201)
    connection, passkey = user.connection(), user.passkey()
    user.session()
    call.ok("DELETE", f"{user.path}/social-connections/{connection}")
    call.ok("PATCH", f"{user.path}/passkeys/{passkey}", {"name": "x"})
    call.ok("DELETE", f"{user.path}/passkeys/{passkey}")
    id = call.ok("POST", user.path + "/authenticators",
                 {"secret": SECRET})["id"]
    call.ok("DELETE", user.path + "/authenticators")
    codes = call.ok("POST", user.path + "/backup-codes/regenerate")
    call.ok("POST", user.path + "/sessions/revoke-all")
    seen = hook.wait(6)
    assert sorted(d.event for d in seen) == sorted([
        "user.updated", "user.updated", "user.updated", "user.mfa.enabled",
        "user.mfa.disabled", "session.deleted"])
    for delivery in seen:
        text = delivery.body.decode()
        assert SECRET not in text
        assert not any(c in text for c in codes["backup_codes"])
    for name in ("user.mfa.enabled", "user.mfa.disabled"):
        [data] = [d.message["data"] for d in seen if d.event == name]
        assert data["entity_id"] == data["id"] == id
        assert data["entity_type"] == "user_authenticator"
        assert data["user_id"] == user.id
        assert "secret=***&" in data["otp_url"]
    for delivery in seen:
        if delivery.event == "user.updated":
            assert delivery.message["data"]["entity_id"] == user.id


def test_sign_ins_are_told_as_sessions(wuts, hook):
    house = wuts.tenant()
    user = User(house)
    call = Wacht(wuts, key_of(house))
    done(house.admin.client.post("/webhook?scope=tenant", {
        "webhook_url": hook.url, "enabled_events": ["session.*"]}), 201)
    kept, gone = user.session(), user.session()
    row = next(s for s in call.ok("GET", user.path + "/sessions")["data"]
               if s["id"] == gone)
    call.ok("POST", f"{user.path}/sessions/{gone}/revoke")
    [delivery] = hook.wait(1)
    message, data = delivery.message, delivery.message["data"]
    assert message["type"] == message["event"] == "session.deleted"
    assert re.fullmatch(r".{19}\.\d{3}Z", message["timestamp"])
    assert data["entity_type"] == "session"
    assert data["entity_id"] == data["id"] == data["active_signin_id"] == gone
    assert data["created_at"] == row["created_at"]
    [signin] = data["signins"]
    assert {**signin, "updated_at": row["updated_at"]} == row
    assert data["user_id"] == user.id
    call.ok("PATCH", user.path, files={"disabled": (None, "true")})
    seen = hook.wait(2)
    assert [d.event for d in seen] == ["session.deleted"] * 2
    assert seen[1].message["data"]["entity_id"] == kept


def test_times_of_codes_are_right_by_another_implementation():
    assert code_at(SECRET, 59) == "287082"
    assert time.time() > 0
