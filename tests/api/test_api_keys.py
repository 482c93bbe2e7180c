# SPDX-License-Identifier: MIT
"""API keys: made, shown once, used, listed, deleted."""
import datetime
import re
import time
import uuid

import pytest

from harness import (PASSWORD, done, invalid, is_time, is_uuid, refused,
                     unique, wait_for)

MEMBERS = {"id", "name", "prefix", "scope", "created_at", "expires_at",
           "last_used_at"}


def in_time(**delta):
    at = datetime.datetime.now(datetime.timezone.utc) + \
        datetime.timedelta(**delta)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture(scope="module")
def house(wuts):
    return wuts.tenant()


def test_a_key_is_shown_once(tenant):
    asked = {"name": "  backend  ", "scope": "read",
             "expires_at": in_time(days=1)}
    answer = done(tenant.admin.client.post("/api-keys", asked), 201)
    assert set(answer) == {"success", "api_key", "key"}
    shown, key = answer["api_key"], answer["key"]
    assert set(shown) == MEMBERS
    assert re.fullmatch(r"wuts_[A-Za-z0-9]{40}", key)
    assert shown["prefix"] == key[:12]
    assert is_uuid(shown["id"]) and is_time(shown["created_at"])
    assert shown["name"] == "backend" and shown["scope"] == "read"
    assert shown["expires_at"] == asked["expires_at"]
    assert shown["last_used_at"] is None
    response = tenant.admin.client.get("/api-keys")
    assert done(response) == {"success": True, "api_keys": [shown]}
    assert key not in response.text


def test_a_key_is_full_and_for_ever_unless_asked_otherwise(tenant):
    shown = done(tenant.admin.client.post("/api-keys", {"name": "x"}),
                 201)["api_key"]
    assert shown["scope"] == "full" and shown["expires_at"] is None


def test_no_two_keys_are_alike(house):
    keys = {done(house.admin.client.post("/api-keys", {"name": "x"}),
                 201)["key"] for _ in range(20)}
    assert len(keys) == 20


@pytest.mark.parametrize("members,field", [
    ({"name": None}, "name"), ({"name": ""}, "name"), ({"name": " "}, "name"),
    ({"name": "x" * 101}, "name"), ({"name": "a\nb"}, "name"),
    ({"name": 1}, "name"), ({"scope": "write"}, "scope"),
    ({"scope": ""}, "scope"), ({"scope": True}, "scope"),
    ({"expires_at": "tomorrow"}, "expires_at"),
    ({"expires_at": ""}, "expires_at"), ({"expires_at": 7}, "expires_at"),
    ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
    ({"expires_at": "2999-02-30T00:00:00Z"}, "expires_at")])
def test_a_bad_field_is_named(house, members, field):
    before = done(house.admin.client.get("/api-keys"))["api_keys"]
    invalid(house.admin.client.post("/api-keys", {"name": "x", **members}),
            field)
    assert done(house.admin.client.get("/api-keys"))["api_keys"] == before


def test_all_bad_fields_are_named_at_once(house):
    invalid(house.admin.client.post("/api-keys", {
        "name": "", "scope": "x", "expires_at": "x"}),
        "name", "scope", "expires_at")


def test_a_key_acts_as_an_admin_of_its_tenant(wuts, tenant):
    client = tenant.key()
    assert len(done(client.get("/users"))["users"]) == 1
    user = done(client.post("/users", {
        "email": unique("by-key") + "@example.com", "password": PASSWORD}),
        201)["user"]
    assert user["tenant_id"] == tenant.id
    path = f"/users/{user['id']}"
    done(client.put(path, {"active": False}))
    done(client.post(path + "/promote", {"new_role": "manager"}))
    data = done(client.get(path))["data"]
    assert data["active"] is False and data["role"] == "manager"
    assert is_uuid(done(client.post(path + "/token"))["token"])
    done(client.delete(path))
    done(client.get("/roles"))
    done(client.get("/audit"))


def test_a_key_has_no_self(tenant):
    """No guard on one's own row stands in its way, but the last admin does."""
    client = tenant.key()
    path = f"/users/{tenant.admin.id}"
    refused(client.put(path, {"active": False}), 409, "LAST_ADMIN")
    refused(client.delete(path), 409, "LAST_ADMIN")
    refused(client.post("/devices", {"name": "x"}), 403, "FORBIDDEN")
    invalid(client.get("/webhook"), "device_id")


def test_a_key_reaches_devices_that_are_named(tenant):
    device = tenant.member().device()
    client = tenant.key()
    done(client.post(f"/webhook?device_id={device}", {
        "webhook_url": "https://example.com/", "enabled_events": ["*"]}), 201)
    done(client.get(f"/webhook?device_id={device}"))
    done(client.post(f"/devices/{device}/events", {
        "event": "call.offer", "data": {}}), 202)
    done(client.post("/webhook?scope=tenant", {
        "webhook_url": "https://example.com/",
        "enabled_events": ["user.created"]}), 201)


def test_a_reading_key_only_reads(tenant):
    device = tenant.admin.device()
    client = tenant.key("read")
    for path in "/users", "/roles", "/audit", "/api-keys", \
            f"/users/{tenant.admin.id}":
        done(client.get(path))
    assert client.request("HEAD", "/users").status_code == 200
    before = done(tenant.admin.client.get("/audit"))["entries"]
    for method, path, body in (
            ("POST", "/users", {"email": "x@example.com",
                                "password": PASSWORD}),
            ("PUT", f"/users/{tenant.admin.id}", {"active": True}),
            ("DELETE", f"/users/{tenant.admin.id}", None),
            ("POST", f"/users/{tenant.admin.id}/token", None),
            ("POST", "/api-keys", {"name": "x", "scope": "full"}),
            ("POST", f"/devices/{device}/events",
             {"event": "call.offer", "data": {}}),
            ("DELETE", "/webhook", None)):
        refused(client.request(method, path, body), 403, "FORBIDDEN")
    assert done(tenant.admin.client.get("/audit"))["entries"] == before


def test_a_deleted_key_stops_at_once(tenant):
    for _ in range(5):
        answer = done(tenant.admin.client.post("/api-keys", {"name": "x"}),
                      201)
        client = tenant.instance.client(answer["key"])
        done(client.get("/users"))
        path = f"/api-keys/{answer['api_key']['id']}"
        assert done(tenant.admin.client.delete(path)) == {
            "success": True, "message": "API key deleted successfully"}
        refused(client.get("/users"), 401, "UNAUTHORIZED")
        refused(tenant.admin.client.delete(path), 404, "NOT_FOUND")
    assert done(tenant.admin.client.get("/api-keys"))["api_keys"] == []


def test_a_key_may_delete_itself(tenant):
    client = tenant.key()
    (key,) = done(client.get("/api-keys"))["api_keys"]
    done(client.delete(f"/api-keys/{key['id']}"))
    refused(client.get("/api-keys"), 401, "UNAUTHORIZED")


def test_an_expired_key_is_no_key(tenant):
    for seconds in 3, 9, 27:	# where one is over before it is used
        end = time.time() + seconds
        response = tenant.admin.client.post("/api-keys", {
            "name": "short", "expires_at": in_time(seconds=seconds)})
        if time.time() > end - 1:
            continue
        client = tenant.instance.client(done(response, 201)["key"])
        response = client.get("/users")
        if time.time() < end - 1:
            break
    done(response)
    wait_for("the key expires", lambda: client.get(
        "/users").status_code == 401)
    assert time.time() >= end - 1


def test_a_key_that_is_almost_right_is_invalid(wuts, house):
    key = done(house.admin.client.post("/api-keys", {"name": "x"}),
               201)["key"]
    other = "a" if key[-1] != "a" else "b"
    for wrong in key[:-1], key + "a", key[:-1] + other, key[5:], \
            key.upper(), "wuts_" + "a" * 40:
        refused(wuts.client(wrong).get("/users"), 401, "UNAUTHORIZED")


def test_use_is_noted(tenant):
    answer = done(tenant.admin.client.post("/api-keys", {"name": "x"}), 201)
    done(tenant.instance.client(answer["key"]).get("/users"))
    (shown,) = done(tenant.admin.client.get("/api-keys"))["api_keys"]
    assert is_time(shown["last_used_at"])


def test_only_an_admin_has_to_do_with_keys(tenant):
    key = done(tenant.admin.client.post("/api-keys", {"name": "x"}),
               201)["api_key"]
    for member in tenant.member("manager"), tenant.member():
        for method, path, body in (
                ("GET", "/api-keys", None),
                ("POST", "/api-keys", {"name": "x"}),
                ("DELETE", f"/api-keys/{key['id']}", None)):
            refused(member.client.request(method, path, body), 403,
                    "FORBIDDEN")
    assert len(done(tenant.admin.client.get("/api-keys"))["api_keys"]) == 1


def test_keys_of_another_tenant_do_not_exist(wuts, tenant):
    foreign = wuts.tenant()
    key = done(foreign.admin.client.post("/api-keys", {"name": "x"}),
               201)["api_key"]
    for client in tenant.admin.client, tenant.key():
        refused(client.delete(f"/api-keys/{key['id']}"), 404, "NOT_FOUND")
        refused(client.delete(f"/api-keys/{uuid.uuid4()}"), 404, "NOT_FOUND")
        invalid(client.delete("/api-keys/string"), "id")
    assert len(done(foreign.admin.client.get("/api-keys"))["api_keys"]) == 1


def test_the_master_names_the_tenant(wuts, tenant):
    master = wuts.master()
    for method, path, body in (("GET", "/api-keys", None),
                               ("POST", "/api-keys", {"name": "x"}),
                               ("DELETE", f"/api-keys/{uuid.uuid4()}", None)):
        invalid(master.request(method, path, body), "tenant_id")
        invalid(master.request(method, path + "?tenant_id=x", body),
                "tenant_id")
    nobody = f"/api-keys?tenant_id={uuid.uuid4()}"
    refused(master.post(nobody, {"name": "x"}), 404, "TENANT_NOT_FOUND")
    path = f"/api-keys?tenant_id={tenant.id}"
    answer = done(master.post(path, {"name": "x"}), 201)
    done(wuts.client(answer["key"]).get("/users"))
    assert len(done(master.get(path))["api_keys"]) == 1
    done(master.delete(f"/api-keys/{answer['api_key']['id']}"
                       f"?tenant_id={tenant.id}"))
    assert done(master.get(path))["api_keys"] == []


def test_the_list_comes_in_pages(tenant):
    for n in range(5):
        done(tenant.admin.client.post("/api-keys", {"name": f"key {n}"}), 201)
    whole = done(tenant.admin.client.get("/api-keys"))["api_keys"]
    assert [k["name"] for k in whole] == [f"key {n}" for n in range(5)]
    paged, params = [], {"limit": 2}
    while True:
        page = done(tenant.admin.client.get("/api-keys", params=params))
        paged += page["api_keys"]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
        assert len(paged) < len(whole)
    assert paged == whole
    invalid(tenant.admin.client.get("/api-keys?limit=0"), "limit")
    invalid(tenant.admin.client.get("/api-keys?limit=2&cursor=u00"), "cursor")
