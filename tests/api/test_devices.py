# SPDX-License-Identifier: MIT
"""Devices: made, listed, looked at, disconnected and removed; who reaches
whose."""
import datetime
import uuid

import pytest

from harness import (done, invalid, is_time, is_uuid, refused)

JID = "4915112345678@s.whatsapp.net"


@pytest.fixture(scope="module")
def house(wuts):
    """A tenant with a member of each role; the user has one device."""
    house = wuts.tenant()
    house.manager = house.member("manager")
    house.user = house.member()
    house.device = house.user.device("Front desk")
    return house


def report(wuts, device, event, **data):
    return done(wuts.engine().post(f"/devices/{device}/events", {
        "event": event, "data": data}), 202)["ids"][0]


def connect(wuts, device):
    report(wuts, device, "device.connected", jid=JID)


def status(member, device):
    return done(member.client.get(f"/status?device_id={device}"))["data"]


def ids(answer):
    return [device["id"] for device in answer["devices"]]


# --- lists ---

def test_a_new_device_is_listed_without_what_is_not_known(tenant):
    created = done(tenant.admin.client.post("/devices", {
        "name": " Ramp 3 "}), 201)
    device = created["device"]
    assert created["message"] == "Device created successfully"
    assert created["data"] == {"device_id": device["id"], "name": "Ramp 3"}
    assert is_uuid(device["id"])
    assert is_time(device["created_at"]) and is_time(device["updated_at"])
    assert {name: device[name] for name in device if name not in (
        "id", "created_at", "updated_at")} == {
            "user_id": tenant.admin.id, "name": "Ramp 3", "connected": False}
    assert done(tenant.admin.client.get("/devices")) == {
        "success": True, "devices": [device]}


def test_what_is_known_of_a_device_is_listed(wuts, tenant):
    device = tenant.admin.device()
    connect(wuts, device)
    url = "https://example.com/hook"
    done(tenant.admin.client.post(f"/webhook?device_id={device}", {
        "webhook_url": url, "enabled_events": ["*"]}), 201)
    (listed,) = done(tenant.admin.client.get("/devices"))["devices"]
    assert listed["whatsapp_jid"] == JID
    assert listed["connected"] is True
    assert is_time(listed["last_seen"])
    assert listed["webhook_url"] == url
    assert list(listed) == [
        "id", "user_id", "name", "whatsapp_jid", "connected", "last_seen",
        "webhook_url", "created_at", "updated_at"]


def test_everybody_lists_their_own(house):
    assert ids(done(house.user.client.get("/devices"))) == [house.device]
    assert ids(done(house.user.client.get("/devices?scope=own"))) == \
        [house.device]
    assert ids(done(house.manager.client.get("/devices"))) == []
    assert ids(done(house.admin.client.get("/devices"))) == []


def test_the_whole_tenant_is_listed_for_whom_it_concerns(wuts, tenant):
    manager, user = tenant.member("manager"), tenant.member()
    every = [user.device("a"), manager.device("b"), tenant.admin.device("c")]
    tenants = "/devices?scope=tenant"
    for client in manager.client, tenant.admin.client:
        assert ids(done(client.get(tenants))) == every
    for path in "/devices", tenants:
        assert ids(done(tenant.key("read").get(path))) == every
        assert ids(done(wuts.master().get(
            f"{path}{'&' if '?' in path else '?'}tenant_id={tenant.id}"))) \
            == every
    refused(user.client.get(tenants), 403, "FORBIDDEN")


def test_the_list_of_a_user_has_a_count(tenant):
    first = done(tenant.admin.client.get("/user/devices"))
    assert first == {"success": True, "data": {
        "devices": [], "count": 0, "user_id": tenant.admin.id}}
    device = tenant.admin.device("Ramp 3")
    tenant.member().device()
    data = done(tenant.admin.client.get("/user/devices"))["data"]
    assert data["count"] == 1
    (listed,) = data["devices"]
    assert is_time(listed.pop("created_at"))
    assert listed == {"id": device, "name": "Ramp 3", "connected": False,
                      "last_seen": None}


@pytest.mark.parametrize("path,take", [
    ("/devices", lambda answer: answer["devices"]),
    ("/user/devices", lambda answer: answer["data"]["devices"])])
def test_lists_come_in_pages(tenant, path, take):
    every = [tenant.admin.device(f"phone {n}") for n in range(5)]
    seen, cursor = [], ""
    while cursor is not None:
        answer = done(tenant.admin.client.get(f"{path}?limit=2{cursor}"))
        assert 1 <= len(take(answer)) <= 2
        seen += [device["id"] for device in take(answer)]
        cursor = answer["next_cursor"] and "&cursor=" + answer["next_cursor"]
    assert seen == every
    assert "next_cursor" not in done(tenant.admin.client.get(path))


def test_bad_queries_of_lists_are_named(wuts, house):
    client = house.admin.client
    invalid(client.get("/devices?scope=all"), "scope")
    invalid(client.get("/devices?limit=0"), "limit")
    invalid(client.get("/devices?limit=2&cursor=x"), "cursor")
    invalid(client.get("/user/devices?limit=2&cursor=x"), "cursor")
    invalid(wuts.master().get("/devices"), "tenant_id")
    refused(wuts.master().get(f"/devices?tenant_id={uuid.uuid4()}"), 404,
            "TENANT_NOT_FOUND")
    refused(house.key().get("/user/devices"), 403, "FORBIDDEN")


# --- status ---

def test_status_follows_the_connection(wuts, tenant):
    device = tenant.admin.device()
    assert status(tenant.admin, device) == {
        "device_id": device, "connected": False, "logged_in": False,
        "whatsapp_jid": None, "last_seen": None}
    connect(wuts, device)
    now = status(tenant.admin, device)
    assert is_time(now.pop("last_seen"))
    assert now == {"device_id": device, "connected": True, "logged_in": True,
                   "whatsapp_jid": JID}
    report(wuts, device, "device.disconnected")
    now = status(tenant.admin, device)
    assert (now["connected"], now["logged_in"], now["whatsapp_jid"]) == \
        (False, True, JID)
    report(wuts, device, "device.logged_out")
    now = status(tenant.admin, device)
    assert (now["connected"], now["logged_in"], now["whatsapp_jid"]) == \
        (False, False, None)
    assert is_time(now["last_seen"])


def test_the_only_device_need_not_be_named(wuts, tenant):
    user = tenant.member()
    refused(user.client.get("/status"), 404, "DEVICE_NOT_FOUND")
    device = user.device()
    assert done(user.client.get("/status"))["data"]["device_id"] == device
    user.device()
    invalid(user.client.get("/status"), "device_id")
    invalid(tenant.key().get("/status"), "device_id")
    invalid(wuts.master().get("/status"), "device_id")


@pytest.mark.parametrize("path", ["/status", "/qr/status"])
def test_whose_status(wuts, house, path):
    foreign = wuts.tenant()
    own = f"{path}?device_id={house.device}"
    for client in (house.user.client, house.manager.client,
                   house.admin.client, house.key("read"), wuts.master()):
        assert done(client.get(own))["data"]["device_id"] == house.device
    for client in house.member().client, foreign.admin.client, foreign.key():
        refused(client.get(own), 404, "DEVICE_NOT_FOUND")
    refused(house.admin.client.get(f"{path}?device_id={uuid.uuid4()}"), 404,
            "DEVICE_NOT_FOUND")
    invalid(house.admin.client.get(f"{path}?device_id=x"), "device_id")


# --- the code for pairing ---

def code_of(member, device):
    return done(member.client.get(f"/qr/status?device_id={device}"))["data"]


def test_the_last_code_is_shown_until_the_device_connects(wuts, tenant):
    device = tenant.admin.device()
    nothing = {"device_id": device, "connected": False, "logged_in": False,
               "whatsapp_jid": None, "last_seen": None, "code": None,
               "reported_at": None, "expires_at": None}
    assert code_of(tenant.admin, device) == nothing
    report(wuts, device, "qr.generated", code="2@first")
    report(wuts, device, "qr.generated", code="2@ünicode,second==")
    shown = code_of(tenant.admin, device)
    reported, expires = (
        datetime.datetime.fromisoformat(shown[name].replace("Z", "+00:00"))
        for name in ("reported_at", "expires_at"))
    assert expires - reported == datetime.timedelta(seconds=60)
    assert shown == {**nothing, "code": "2@ünicode,second==",
                     "reported_at": shown["reported_at"],
                     "expires_at": shown["expires_at"]}
    connect(wuts, device)
    shown = code_of(tenant.admin, device)
    assert (shown["connected"], shown["code"], shown["expires_at"]) == \
        (True, None, None)


def test_the_last_event_of_a_batch_decides_about_the_code(wuts, tenant):
    device = tenant.admin.device()
    new = {"event": "qr.generated", "data": {"code": "2@x"}}
    connected = {"event": "device.connected", "data": {}}
    for batch, code in (([new, connected], None), ([connected, new], "2@x"),
                        ([connected], None)):
        done(wuts.engine().post(f"/devices/{device}/events", batch), 202)
        assert code_of(tenant.admin, device)["code"] == code


def test_an_event_without_a_code_shows_nothing(wuts, tenant):
    device = tenant.admin.device()
    report(wuts, device, "qr.generated")
    report(wuts, device, "qr.generated", code=None, image="aGVsbG8=")
    assert code_of(tenant.admin, device)["code"] is None


@pytest.mark.parametrize("code", ["", "x" * 2049, 5, ["x"], "a\nb", "a\x7f"])
def test_a_bad_code_is_refused(wuts, house, code):
    invalid(wuts.engine().post(f"/devices/{house.device}/events", {
        "event": "qr.generated", "data": {"code": code}}), "data.code")


# --- disconnect and remove ---

def test_disconnecting_is_told_once(wuts, tenant, hook):
    device = tenant.admin.device()
    done(tenant.admin.client.post("/webhook", {
        "webhook_url": hook.url,
        "enabled_events": ["device.disconnected", "message.sent"]}), 201)
    connect(wuts, device)
    assert done(tenant.admin.client.delete(f"/devices/{device}")) == {
        "success": True, "message": "Device disconnected"}
    now = status(tenant.admin, device)
    assert (now["connected"], now["logged_in"]) == (False, True)
    done(tenant.admin.client.delete(f"/devices/{device}"))
    last = report(wuts, device, "message.sent")
    hook.wait_event(last)
    hook.wait(2)	# they come in either order
    (told,) = [d for d in hook.deliveries if d.id != last]
    assert told.message["event"] == "device.disconnected"
    assert told.message["device_id"] == device
    assert told.message["tenant_id"] == tenant.id
    assert told.message["data"] == {
        "jid": JID, "reason": "requested", "changed_by": tenant.admin.id}
    actions = [e["action"] for e in done(tenant.admin.client.get(
        "/audit"))["entries"]]
    assert actions.count("device.disconnected") == 1


def test_a_removed_device_is_gone_with_its_webhook(wuts, tenant):
    device = tenant.admin.device("Ramp 3")
    done(tenant.admin.client.post("/webhook", {
        "webhook_url": "https://example.com/", "enabled_events": ["*"]}), 201)
    connect(wuts, device)
    done(tenant.admin.client.delete(f"/devices/{device}?purge=false"))
    assert ids(done(tenant.admin.client.get("/devices"))) == [device]
    assert done(tenant.admin.client.delete(
        f"/devices/{device}?purge=true"))["message"] == \
        "Device disconnected and removed"
    assert ids(done(tenant.admin.client.get("/devices"))) == []
    for response in (
            tenant.admin.client.get(f"/status?device_id={device}"),
            tenant.admin.client.get(f"/webhook?device_id={device}"),
            tenant.admin.client.delete(f"/devices/{device}"),
            wuts.engine().post(f"/devices/{device}/events", {
                "event": "message.sent", "data": {}})):
        refused(response, 404, "DEVICE_NOT_FOUND")
    entry = done(tenant.admin.client.get("/audit"))["entries"][0]
    assert entry["action"] == "device.deleted"


def test_who_may_disconnect(wuts, house):
    foreign = wuts.tenant()
    user = house.member()
    device = user.device()
    path = f"/devices/{device}?purge=true"
    for client in (house.user.client, foreign.admin.client, foreign.key()):
        refused(client.delete(path), 404, "DEVICE_NOT_FOUND")
    refused(house.key("read").delete(path), 403, "FORBIDDEN")
    invalid(user.client.delete(f"/devices/{device}?purge=yes"), "purge")
    invalid(user.client.delete("/devices/string"), "deviceID")
    assert status(user, device)["device_id"] == device
    for client in (user.client, house.manager.client, house.admin.client,
                   house.key(), wuts.master()):
        device = user.device()
        done(client.delete(f"/devices/{device}?purge=true"))
        refused(user.client.get(f"/status?device_id={device}"), 404,
                "DEVICE_NOT_FOUND")
