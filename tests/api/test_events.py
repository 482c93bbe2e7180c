# SPDX-License-Identifier: MIT
"""POST /devices and POST /devices/{id}/events: what is taken, what is refused,
and that all of a body is taken or none."""
import concurrent.futures
import json
import uuid

import pytest

from harness import done, invalid, is_time, is_uuid, refused

NDJSON = {"Content-Type": "application/x-ndjson"}
JSON = {"Content-Type": "application/json"}
EVENT = {"event": "message.received", "data": {"text": "hello"}}


@pytest.fixture(scope="module")
def house(wuts):
    """A tenant with a device, for tests that need no webhook."""
    tenant = wuts.tenant()
    tenant.device = tenant.admin.device()
    tenant.path = f"/devices/{tenant.device}/events"
    return tenant


@pytest.fixture
def wired(tenant, hook):
    """A device whose events all go to hook."""
    tenant.device = tenant.admin.device()
    tenant.path = f"/devices/{tenant.device}/events"
    tenant.webhook = done(tenant.admin.client.post("/webhook", {
        "webhook_url": hook.url, "enabled_events": ["*"]}), 201)["webhook"]
    return tenant


# --- POST /devices ---

def test_a_device_is_the_callers(tenant):
    member = tenant.member()
    answer = done(member.client.post("/devices", {"name": "  Loja 1 "}), 201)
    assert {"success", "device", "data", "message"} == set(answer)
    device = answer["device"]
    assert set(device) == {"id", "user_id", "name", "connected",
                           "created_at", "updated_at"}
    assert is_uuid(device["id"]) and device["user_id"] == member.id
    assert device["name"] == "Loja 1" and device["connected"] is False
    assert is_time(device["created_at"]) and is_time(device["updated_at"])
    assert answer["data"] == {"device_id": device["id"], "name": "Loja 1"}


@pytest.mark.parametrize("name", [None, "", "  ", "x" * 101, "a\nb", 1, {}])
def test_a_device_needs_a_name(house, name):
    invalid(house.admin.client.post("/devices", {"name": name}), "name")


def test_a_device_needs_a_user(wuts):
    refused(wuts.master().post("/devices", {"name": "x"}), 403, "FORBIDDEN")
    refused(wuts.engine().post("/devices", {"name": "x"}), 403, "FORBIDDEN")


# --- what is taken ---

def test_one_event_is_accepted(wuts, house):
    answer = done(wuts.engine().post(house.path, EVENT), 202)
    assert set(answer) == {"success", "accepted", "ids"}
    assert answer["accepted"] == 1
    assert len(answer["ids"]) == 1 and is_uuid(answer["ids"][0])


def test_an_array_is_accepted_with_an_id_each(wuts, house):
    answer = done(wuts.engine().post(house.path, [EVENT] * 1000), 202)
    assert answer["accepted"] == 1000 and len(set(answer["ids"])) == 1000


def test_lines_are_accepted_and_blank_ones_skipped(wuts, house):
    line = json.dumps(EVENT).encode()
    body = b"\n\r\n" + line + b"\r\n  \n\t" + line + b"\n\n" + line
    answer = done(wuts.engine().post(house.path, data=body, headers=NDJSON),
                  202)
    assert answer["accepted"] == 3


def test_the_callers_id_is_kept(wuts, house):
    event_id = str(uuid.uuid4())
    answer = done(wuts.engine().post(house.path, {
        **EVENT, "id": event_id.upper()}), 202)
    assert answer["ids"] == [event_id]


def test_an_id_that_comes_again_is_accepted_and_not_delivered_again(
        wuts, wired, hook):
    engine = wuts.engine()
    ids = [str(uuid.uuid4()) for _ in range(3)]
    batch = [{**EVENT, "id": i} for i in (ids[0], ids[1], ids[0])]
    for _ in range(3):
        answer = done(engine.post(wired.path, batch), 202)
        assert answer["accepted"] == 3
        assert answer["ids"] == [ids[0], ids[1], ids[0]]
    mixed = [{**EVENT, "id": ids[1]}, EVENT, {**EVENT, "id": ids[2].upper()}]
    answer = done(engine.post(wired.path, mixed), 202)
    assert answer["ids"][::2] == ids[1:]
    done(engine.post(wired.path, {**EVENT, "id": ids[0]}), 202)
    last = done(engine.post(wired.path, EVENT), 202)["ids"][0]
    hook.wait_event(last)
    hook.wait(5)
    assert sorted(d.id for d in hook.deliveries) == sorted(
        [*ids, answer["ids"][1], last])


def test_a_thousand_ids_that_come_again_are_not_delivered_again(
        wuts, wired, hook):
    engine = wuts.engine()
    ids = [str(uuid.uuid4()) for _ in range(1000)]
    done(engine.post(wired.path, [{**EVENT, "id": i} for i in ids]), 202)
    for n in range(0, 1000, 2):
        ids[n] = str(uuid.uuid4())
    answer = done(engine.post(wired.path, [
        {**EVENT, "id": i} for i in ids]), 202)
    assert answer["ids"] == ids
    last = done(engine.post(wired.path, EVENT), 202)["ids"][0]
    hook.wait_event(last, 60)
    hook.wait(1501, 60)
    assert len(hook.deliveries) == len({d.id for d in hook.deliveries}) == \
        1501


def test_an_id_counts_within_its_tenant(wuts, wired, hook):
    event = {**EVENT, "id": str(uuid.uuid4())}
    other = wuts.tenant().admin
    done(other.client.post(f"/devices/{other.device()}/events", event), 202)
    done(wuts.engine().post(wired.path, event), 202)
    hook.wait_event(event["id"])


def test_the_same_id_at_once_is_delivered_once(wuts, wired, hook):
    ids = [str(uuid.uuid4()) for _ in range(20)]

    def report(n):
        engine = wuts.engine()
        order = ids if n % 2 else ids[::-1]
        for i in order:
            done(engine.post(wired.path, {**EVENT, "id": i}), 202)
        done(engine.post(wired.path, [{**EVENT, "id": i} for i in order]),
             202)

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        list(pool.map(report, range(6)))
    last = done(wuts.engine().post(wired.path, EVENT), 202)["ids"][0]
    hook.wait_event(last)
    hook.wait(21)
    assert sorted(d.id for d in hook.deliveries) == sorted([*ids, last])


def test_a_connect_that_comes_again_does_not_connect(wuts, wired):
    connect = {"event": "device.connected", "data": {"jid": "1@x"},
               "id": str(uuid.uuid4())}
    path = f"/status?device_id={wired.device}"
    client = wired.admin.client
    done(wuts.engine().post(wired.path, connect), 202)
    assert done(client.get(path))["data"]["connected"] is True
    done(wuts.engine().post(wired.path, {
        "event": "device.disconnected", "data": {}}), 202)
    done(wuts.engine().post(wired.path, connect), 202)
    assert done(client.get(path))["data"]["connected"] is False


def test_owner_manager_and_admin_may_report_events_and_no_one_else(tenant):
    owner, other = tenant.member(), tenant.member()
    path = f"/devices/{owner.device()}/events"
    for member in owner, tenant.member("manager"), tenant.admin:
        done(member.client.post(path, EVENT), 202)
    refused(other.client.post(path, EVENT), 404, "DEVICE_NOT_FOUND")


@pytest.mark.parametrize("name", [
    "message.received", "app_state.sync_complete", "call.unknown",
    "newsletter.mute_change"])
def test_names_of_the_catalogue_are_known(wuts, house, name):
    done(wuts.engine().post(house.path, {"event": name, "data": {}}), 202)


def test_unknown_members_of_events_are_named(wuts, house):
    response = wuts.engine().post(house.path, {**EVENT, "dta": 1})
    done(response, 202)
    assert response.headers["X-WUTS-Ignored"] == "dta"
    response = wuts.engine().post(house.path, [
        {**EVENT, "b": 1}, EVENT, {**EVENT, "a": 1, "b": 2}])
    done(response, 202)
    assert response.headers["X-WUTS-Ignored"] == "b, a"
    assert "X-WUTS-Ignored" not in wuts.engine().post(house.path,
                                                      EVENT).headers


# --- what is refused ---

@pytest.mark.parametrize("name", ["message.eaten", "", "MESSAGE.RECEIVED",
                                  "*", "message.received ", "user.created",
                                  "tenant.created", "webhook.disabled"])
def test_a_name_that_is_not_the_engines_is_unknown(wuts, house, name):
    body = refused(wuts.engine().post(house.path, {
        "event": name, "data": {}}), 400, "UNKNOWN_EVENT")
    assert body["validation"][0]["field"] == "event"
    body = refused(wuts.engine().post(house.path, [
        EVENT, EVENT, {"event": name, "data": {}}]), 400, "UNKNOWN_EVENT")
    assert body["validation"][0]["field"] == "events[2].event"


@pytest.mark.parametrize("members,field", [
    ({"event": None}, "event"), ({"event": 3}, "event"),
    ({"data": None}, "data"), ({"data": []}, "data"),
    ({"data": "text"}, "data"), ({"timestamp": "yesterday"}, "timestamp"),
    ({"timestamp": 1700000000}, "timestamp"),
    ({"timestamp": "2026-02-30T00:00:00Z"}, "timestamp"),
    ({"id": "1"}, "id"), ({"id": 1}, "id")])
def test_a_bad_member_is_named_with_its_index(wuts, house, members, field):
    bad = {**EVENT, **members}
    invalid(wuts.engine().post(house.path, bad), field)
    invalid(wuts.engine().post(house.path, [EVENT, bad]), f"events[1].{field}")
    lines = json.dumps(EVENT) + "\n\n" + json.dumps(bad)
    invalid(wuts.engine().post(house.path, data=lines, headers=NDJSON),
            f"events[1].{field}")


@pytest.mark.parametrize("jid", ["", "x" * 128, 5, "a\nb"])
def test_a_bad_jid_is_refused(wuts, house, jid):
    invalid(wuts.engine().post(house.path, {
        "event": "device.connected", "data": {"jid": jid}}), "data.jid")


@pytest.mark.parametrize("timestamp", [
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:60Z",
    "1970-01-01T00:00:00-23:59", "2026-06-15t12:00:00.123456789z",
    "2024-02-29T23:59:59+14:00"])
def test_a_timestamp_at_the_edge_harms_nobody(wuts, house, timestamp):
    response = wuts.engine().post(house.path, {**EVENT,
                                               "timestamp": timestamp})
    assert response.status_code in (202, 400), response.text


def test_an_event_that_is_no_object_is_named(wuts, house):
    for bad in 1, "x", None, [], [EVENT]:
        invalid(wuts.engine().post(house.path, [EVENT, bad]), "events[1]")


@pytest.mark.parametrize("body", [b"[]", b"[ ]", b"1", b"null", b'"x"'])
def test_no_event_at_all_is_refused(wuts, house, body):
    invalid(wuts.engine().post(house.path, data=body, headers=JSON),
            "events")


def test_too_many_events_are_refused(wuts, house):
    invalid(wuts.engine().post(house.path, [EVENT] * 1001), "events")
    line = json.dumps(EVENT).encode() + b"\n"
    invalid(wuts.engine().post(house.path, data=line * 1001, headers=NDJSON),
            "events")
    invalid(wuts.engine().post(house.path, data=b"\n \n", headers=NDJSON),
            "events")


def test_a_line_that_is_no_json_is_named(wuts, house):
    line = json.dumps(EVENT).encode()
    body = refused(wuts.engine().post(
        house.path, data=line + b"\n" + line[:-1] + b"\n", headers=NDJSON),
        400, "INVALID_JSON")
    assert "events[1]" in body["error"]
    refused(wuts.engine().post(house.path, data=line + line, headers=NDJSON),
            400, "INVALID_JSON")


def test_unknown_foreign_and_malformed_devices(wuts, house):
    foreign = wuts.tenant().admin.device()
    for device in uuid.uuid4(), foreign:
        refused(house.admin.client.post(f"/devices/{device}/events", EVENT),
                404, "DEVICE_NOT_FOUND")
    refused(wuts.engine().post(f"/devices/{uuid.uuid4()}/events", EVENT), 404,
            "DEVICE_NOT_FOUND")
    invalid(wuts.engine().post("/devices/string/events", EVENT), "deviceID")


def test_ingest_takes_more_than_other_bodies(wuts, house):
    big = {"event": "history.sync", "data": {"blob": "x" * (3 << 20)}}
    done(wuts.engine().post(house.path, big), 202)
    big["data"]["blob"] *= 3
    refused(wuts.engine().post(house.path, big), 413, "PAYLOAD_TOO_LARGE")


# --- what is delivered of it ---

def test_an_event_is_delivered_as_it_came(wuts, wired, hook):
    event_id = str(uuid.uuid4())
    data = '{"n": 1.10, "big": 12345678901234567, "e": 1e2, "t":"\\u00e3é",' \
        ' "o" : { "a": [ 1 , 2 ] } , "s": "x , ] } \\" y"}'
    body = '[ {"x":"]"}, 1 ]'
    body = '[{"timestamp":"2026-06-15T14:00:00.5+02:00","data":%s,' \
        '"id":"%s","event":"message.received"},%s]' % (
            data, event_id, json.dumps({"event": "message.sent",
                                        "data": {"a": "[,]"}}))
    answer = done(wuts.engine().post(wired.path, data=body.encode(),
                                     headers=JSON), 202)
    hook.wait(2)
    first = hook.wait_event(event_id)
    second = hook.wait_event(answer["ids"][1])
    assert list(first.message) == ["id", "event", "timestamp", "tenant_id",
                                   "device_id", "data"]
    message = first.message
    assert message["id"] == event_id
    assert message["event"] == "message.received"
    assert message["timestamp"] == "2026-06-15T12:00:00Z"
    assert message["tenant_id"] == wired.id
    assert message["device_id"] == wired.device
    assert message["data"] == json.loads(data)
    for spelling in b"1.10", b"12345678901234567", b"1e2", b"\\u00e3":
        assert spelling in first.body
    assert b"\n" not in first.body
    assert second.message["data"] == {"a": "[,]"}
    assert is_time(second.message["timestamp"])


def test_all_of_a_body_is_taken_or_none(wuts, wired, hook):
    bad = {"event": "message.received", "data": 1}
    invalid(wuts.engine().post(wired.path, [EVENT, EVENT, bad]),
            "events[2].data")
    lines = json.dumps(EVENT) + "\n{"
    refused(wuts.engine().post(wired.path, data=lines, headers=NDJSON), 400,
            "INVALID_JSON")
    last = done(wuts.engine().post(wired.path, EVENT), 202)["ids"][0]
    hook.wait_event(last)
    assert {d.id for d in hook.deliveries} == {last}


def test_a_thousand_events_all_arrive(wuts, wired, hook):
    ids = done(wuts.engine().post(wired.path, [EVENT] * 1000), 202)["ids"]
    hook.wait_for(lambda seen: {d.id for d in seen} >= set(ids), 60)
