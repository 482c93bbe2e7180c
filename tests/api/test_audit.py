# SPDX-License-Identifier: MIT
"""GET /audit: one entry a change, nothing for what was refused or changed
nothing; in order, filtered, in pages."""
import json
import uuid

import pytest

from harness import PASSWORD, done, invalid, is_time, is_uuid, refused, unique

MEMBERS = {"id", "tenant_id", "seq", "action", "actor", "target_id", "old",
           "new", "request_id", "address", "created_at"}


def entries(client, **params):
    return done(client.get("/audit", params=params))["entries"]


def email():
    return unique("user") + "@example.com"


class Story:
    """Changes made in a tenant, and the entries they should have left."""

    def __init__(self, tenant):
        self.tenant = tenant
        self.told = []

    def tell(self, action, actor, target_id, old, new, response):
        self.told.append((action, actor, target_id, old, new,
                          response.headers["X-Request-Id"]))

    def shown(self, client):
        return [(e["action"], e["actor"]["user_id"] or e["actor"]["kind"],
                 e["target_id"], e["old"], e["new"], e["request_id"])
                for e in reversed(entries(client))]


def test_entries_match_changes_one_to_one(wuts, tenant):
    story, admin, master = Story(tenant), tenant.admin, wuts.master()
    start = entries(admin.client)
    assert sorted(e["action"] for e in start) == ["tenant.created",
                                                  "user.created"]

    address = email()
    made = admin.client.post("/users", {"email": address,
                                        "password": PASSWORD})
    user = done(made, 201)["user"]
    story.tell("user.created", admin.id, user["id"], None, {
        "user_id": user["id"], "email": address, "role": "user"}, made)
    path = f"/users/{user['id']}"

    promoted = master.post(path + "/promote", {"new_role": "manager"})
    done(promoted)
    story.tell("user.role_changed", "super_admin", user["id"],
               {"role": "user"}, {"role": "manager"}, promoted)
    done(admin.client.post(path + "/promote", {"new_role": "manager"}))
    done(admin.client.put(path, {"active": True, "role": "manager"}))

    changed = admin.client.put(path, {"active": False})
    done(changed)
    story.tell("user.updated", admin.id, user["id"], {"active": True},
               {"active": False}, changed)

    refused(admin.client.put(f"/users/{admin.id}", {"active": False}), 403,
            "SELF_MODIFICATION")
    refused(admin.client.put(path, {"role": "user"},
                             headers={"If-Match": '"x"'}), 412,
            "PRECONDITION_FAILED")
    invalid(admin.client.post(path + "/promote", {"new_role": "x"}),
            "new_role")
    refused(admin.client.post("/users", {"email": address,
                                         "password": PASSWORD}), 409,
            "EMAIL_EXISTS")

    rotated = admin.client.post(path + "/token")
    done(rotated)
    story.tell("user.token_rotated", admin.id, user["id"], None, None,
               rotated)
    deleted = admin.client.delete(path)
    done(deleted)
    story.tell("user.deleted", admin.id, user["id"], None, None, deleted)
    refused(admin.client.delete(path), 404, "USER_NOT_FOUND")

    shown = story.shown(admin.client)[len(start):]
    assert len(shown) == len(story.told)
    for got, told in zip(shown, story.told):
        assert (got[0], got[1], got[2], got[5]) == \
            (told[0], told[1], told[2], told[5])
        if told[3] is not None or told[4] is not None:
            assert got[3:5] == told[3:5]


def test_devices_webhooks_and_keys_leave_entries(tenant):
    client = tenant.admin.client
    device = tenant.admin.device()
    path = f"/webhook?device_id={device}"
    done(client.post(path, {"webhook_url": "https://example.com/",
                            "enabled_events": ["*"]}), 201)
    done(client.delete(path))
    key = done(client.post("/api-keys", {"name": "x"}), 201)
    done(client.delete(f"/api-keys/{key['api_key']['id']}"))
    assert [e["action"] for e in reversed(entries(client))][2:] == [
        "device.created", "webhook.configured", "webhook.deleted",
        "api_key.created", "api_key.deleted"]
    assert key["key"] not in json.dumps(entries(client))


def test_an_entry_has_all_members_of_their_types(tenant):
    tenant.member()
    for entry in entries(tenant.admin.client):
        assert set(entry) == MEMBERS
        assert is_uuid(entry["id"]) and entry["tenant_id"] == tenant.id
        assert isinstance(entry["seq"], int) and entry["seq"] > 0
        assert is_uuid(entry["target_id"]) and is_time(entry["created_at"])
        assert entry["old"] is None or isinstance(entry["old"], dict)
        assert entry["new"] is None or isinstance(entry["new"], dict)
        assert entry["request_id"] and entry["address"].startswith("127.")
        actor = entry["actor"]
        assert {"kind", "user_id", "role"} <= set(actor)
        if actor["kind"] == "user":
            assert actor["user_id"] == tenant.admin.id
            assert actor["role"] == "admin"
        else:
            assert actor["kind"] == "super_admin"
            assert actor["user_id"] is None and actor["role"] is None


def test_an_api_key_is_named_as_the_actor(tenant):
    client = tenant.key()
    (key,) = done(client.get("/api-keys"))["api_keys"]
    done(client.post("/users", {"email": email(), "password": PASSWORD}), 201)
    actor = entries(tenant.admin.client)[0]["actor"]
    assert actor == {"kind": "api_key", "key_id": key["id"], "user_id": None,
                     "role": None}


def test_newest_come_first_numbered_without_a_gap(tenant):
    for _ in range(5):
        tenant.member()
    seqs = [e["seq"] for e in entries(tenant.admin.client)]
    assert seqs == list(range(len(seqs), 0, -1))


def test_entries_come_in_pages(tenant):
    for _ in range(6):
        tenant.member()
    client = tenant.admin.client
    whole = entries(client)
    paged, params = [], {"limit": 3}
    while True:
        page = done(client.get("/audit", params=params))
        assert set(page) == {"success", "entries", "next_cursor"}
        paged += page["entries"]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
        assert len(paged) < len(whole)
    assert paged == whole


def test_entries_are_filtered(tenant):
    members = [tenant.member() for _ in range(3)]
    client = tenant.admin.client
    for member in members:
        done(client.put(f"/users/{member.id}", {"active": False}))
    assert {e["action"] for e in entries(client, action="user.updated")} == \
        {"user.updated"}
    assert len(entries(client, action="user.updated")) == 3
    of = entries(client, user_id=members[1].id)
    assert [e["action"] for e in of] == ["user.updated", "user.created"]
    assert len(entries(client, user_id=tenant.admin.id)) >= 7
    (entry,) = entries(client, user_id=members[0].id, action="user.updated")
    assert entry["target_id"] == members[0].id
    page = done(client.get("/audit", params={
        "action": "user.updated", "limit": 2}))
    assert len(page["entries"]) == 2
    rest = done(client.get("/audit", params={
        "action": "user.updated", "limit": 2, "cursor": page["next_cursor"]}))
    assert len(rest["entries"]) == 1 and rest["next_cursor"] is None
    assert entries(client, action="no.such_action") == []
    assert entries(client, user_id=str(uuid.uuid4())) == []


@pytest.mark.parametrize("query,field", [
    ("limit=0", "limit"), ("limit=1001", "limit"), ("limit=x", "limit"),
    ("cursor=a00", "cursor"), ("limit=2&cursor=x", "cursor"),
    ("limit=2&cursor=u00", "cursor"), ("user_id=x", "user_id"),
    ("user_id=", "user_id"), ("action=", "action"), ("action=%ff", "action"),
    ("action=user.created%27--", "action"), ("action=" + "x" * 65, "action")])
def test_a_bad_query_is_refused(tenant, query, field):
    invalid(tenant.admin.client.get("/audit?" + query), field)


def test_the_trail_is_the_admins(tenant):
    for member in tenant.member("manager"), tenant.member():
        refused(member.client.get("/audit"), 403, "FORBIDDEN")


def test_the_master_names_the_tenant(wuts, tenant):
    invalid(wuts.master().get("/audit"), "tenant_id")
    assert entries(wuts.master(), tenant_id=tenant.id) == \
        entries(tenant.admin.client)


def test_the_trail_survives_its_tenant(wuts, tenant):
    tenant.member()
    before = entries(tenant.admin.client)
    done(wuts.master().delete(f"/global/tenants/{tenant.id}"))
    after = entries(wuts.master(), tenant_id=tenant.id)
    assert after[1:] == before
    assert after[0]["action"] == "tenant.deleted"
    assert after[0]["actor"]["kind"] == "super_admin"


def test_no_secret_is_in_the_trail(wuts, tenant):
    member = tenant.member()
    token = done(tenant.admin.client.post(
        f"/users/{member.id}/token"))["token"]
    device = tenant.admin.device()
    secret = "a-secret-to-look-for"
    done(tenant.admin.client.post(f"/webhook?device_id={device}", {
        "webhook_url": "https://example.com/", "enabled_events": ["*"],
        "secret": secret, "headers": {"Authorization": "Basic eDp5LXg="}}),
        201)
    text = tenant.admin.client.get("/audit").text
    for word in PASSWORD, member.token, token, tenant.admin.token, secret, \
            "eDp5LXg=":
        assert word not in text
