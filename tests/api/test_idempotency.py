# SPDX-License-Identifier: MIT
"""Idempotency-Key on every POST: the first answer again, byte for byte, and
one effect only."""
import threading
import uuid

import pytest

from harness import PASSWORD, done, invalid, raw_request, refused, unique

JSON = {"Content-Type": "application/json"}


def key():
    return {"Idempotency-Key": str(uuid.uuid4())}


def new_user(**members):
    return {"email": unique("user") + "@example.com", "password": PASSWORD,
            **members}


@pytest.fixture(scope="module")
def house(wuts):
    """A tenant with a device, and somebody to work on."""
    tenant = wuts.tenant()
    tenant.target = tenant.member()
    tenant.device = tenant.admin.device()
    return tenant


def count(house, what):
    """How many there are of what a POST would make one more."""
    return len(done(house.admin.client.get("/audit", params={
        "action": what}))["entries"])


# what it changes (the audit trail's word), path, body, status
POSTS = {
    "POST /users": ("user.created", lambda h: "/users",
                    lambda h: new_user(), 201),
    "POST /users/{id}/promote": (
        "user.role_changed", lambda h: f"/users/{h.target.id}/promote",
        lambda h: {"new_role": "manager"}, 200),
    "POST /users/{id}/token": (
        "user.token_rotated", lambda h: f"/users/{h.target.id}/token",
        lambda h: None, 200),
    "POST /api-keys": ("api_key.created", lambda h: "/api-keys",
                       lambda h: {"name": "a key"}, 201),
    "POST /devices": ("device.created", lambda h: "/devices",
                      lambda h: {"name": "a phone"}, 201),
    "POST /webhook": (
        "webhook.configured", lambda h: f"/webhook?device_id={h.device}",
        lambda h: {"webhook_url": "https://example.com/",
                   "enabled_events": ["*"]}, 201),
}


def assert_replayed(first, again):
    assert (first.status_code, first.content) == \
        (again.status_code, again.content)
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    for name in "ETag", "X-WUTS-Ignored", "Content-Type", "Retry-After":
        assert first.headers.get(name) == again.headers.get(name), name
    assert first.headers["X-Request-Id"] != again.headers["X-Request-Id"]


@pytest.mark.parametrize("route", POSTS)
def test_the_first_answer_comes_again(house, route):
    action, path, body, status = POSTS[route]
    headers, sent = key(), body(house)
    before = count(house, action)
    first = house.admin.client.post(path(house), sent, headers=headers)
    done(first, status)
    for _ in range(3):
        assert_replayed(first, house.admin.client.post(
            path(house), sent, headers=headers))
    assert count(house, action) == before + 1


def test_register_too(wuts):
    headers = key()
    sent = {"tenant_name": unique("twice"), **new_user(
        webhook_url="https://example.com/")}
    first = wuts.master().post("/register", sent, headers=headers)
    done(first, 201)
    assert_replayed(first, wuts.master().post("/register", sent,
                                              headers=headers))
    done(wuts.client(first.json()["token"]).get("/users"))


def test_a_secret_is_shown_again_to_whom_it_was_shown(house):
    member = house.member()
    device = member.device()
    headers = key()
    path = f"/webhook?device_id={device}"
    sent = {"webhook_url": "https://example.com/", "enabled_events": ["*"]}
    first = member.client.post(path, sent, headers=headers)
    assert done(first, 201)["webhook"]["secret"].startswith("whsec_")
    assert_replayed(first, member.client.post(path, sent, headers=headers))
    replaced = member.client.post(path, sent, headers=key())
    assert "secret" not in done(replaced, 200)["webhook"]


def test_a_change_of_nothing_is_answered_again(house):
    target = house.member()
    headers, path = key(), f"/users/{target.id}/promote"
    first = house.admin.client.post(path, {"new_role": "user"},
                                    headers=headers)
    done(first)
    done(house.admin.client.post(path, {"new_role": "manager"}))
    assert_replayed(first, house.admin.client.post(
        path, {"new_role": "user"}, headers=headers))


def test_the_ids_of_events_are_the_same(wuts, house):
    headers, path = key(), f"/devices/{house.device}/events"
    sent = [{"event": "call.offer", "data": {"n": n}, "typo": 1}
            for n in range(300)]
    first = wuts.engine().post(path, sent, headers=headers)
    ids = done(first, 202)["ids"]
    assert len(set(ids)) == 300
    assert_replayed(first, wuts.engine().post(path, sent, headers=headers))
    other = done(wuts.engine().post(path, sent, headers=key()), 202)["ids"]
    assert not set(ids) & set(other)


def test_an_event_that_connects_a_device_is_answered_again(wuts, tenant):
    device = tenant.admin.device()
    headers, path = key(), f"/devices/{device}/events"
    sent = {"event": "device.connected", "data": {"jid": "1@s"}}
    first = wuts.engine().post(path, sent, headers=headers)
    done(first, 202)
    assert_replayed(first, wuts.engine().post(path, sent, headers=headers))


# --- what is kept, and what is not ---

@pytest.mark.parametrize("path,body,status", [
    ("/users", {"email": "x"}, 400), ("/users", [1], 400),
    (f"/users/{uuid.uuid4()}/promote", {"new_role": "user"}, 404),
    ("/users/string/promote", {"new_role": "user"}, 400),
    ("/users", {"email": "admin@example.com", "password": PASSWORD}, 409),
    ("/devices", {"name": ""}, 400)])
def test_a_refusal_is_an_answer_too(house, path, body, status):
    headers = key()
    first = house.admin.client.post(path, body, headers=headers)
    assert first.status_code == status
    assert_replayed(first, house.admin.client.post(path, body,
                                                   headers=headers))


def test_a_refusal_stands_though_it_would_succeed_now(house):
    target = house.member()
    headers, path = key(), f"/users/{target.id}/promote"
    stale = {**headers, "If-Match": '"stale"'}
    first = house.admin.client.post(path, {"new_role": "manager"},
                                    headers=stale)
    refused(first, 412, "PRECONDITION_FAILED")
    again = house.admin.client.post(path, {"new_role": "manager"},
                                    headers=headers)
    assert_replayed(first, again)


def test_who_asks_comes_first(wuts, house):
    headers = key()
    for _ in range(2):
        response = wuts.client().post("/devices", {"name": "x"},
                                      headers=headers)
        refused(response, 401, "UNAUTHORIZED")
        assert "Idempotent-Replayed" not in response.headers
    done(house.admin.client.post("/devices", {"name": "x"}, headers=headers),
         201)


def test_what_comes_before_the_body_is_not_kept(house):
    headers = key()
    refused(house.admin.client.post("/devices", data=b"{}", headers={
        **headers, "Content-Type": "text/plain"}), 415,
        "UNSUPPORTED_MEDIA_TYPE")
    refused(house.admin.client.post(
        "/devices", data=b"x" * (2 << 20), headers={**headers, **JSON}), 413,
        "PAYLOAD_TOO_LARGE")
    done(house.admin.client.post("/devices", {"name": "x"}, headers=headers),
         201)


def test_an_answer_outlives_the_callers_rights_only_as_401(house):
    """A caller that is gone hears that, not its old answer."""
    member = house.member()
    headers = key()
    done(member.client.post("/devices", {"name": "x"}, headers=headers), 201)
    done(house.admin.client.put(f"/users/{member.id}", {"active": False}))
    refused(member.client.post("/devices", {"name": "x"}, headers=headers),
            401, "UNAUTHORIZED")


# --- what a key belongs to ---

def test_another_body_is_a_mismatch(house):
    headers = key()
    first = house.admin.client.post("/devices", {"name": "x"},
                                    headers=headers)
    done(first, 201)
    for body in b'{"name":"y"}', b'{"name": "x" }', b"", b"{":
        response = house.admin.client.post("/devices", data=body,
                                           headers={**headers, **JSON})
        refused(response, 422, "IDEMPOTENCY_MISMATCH")
    assert_replayed(first, house.admin.client.post("/devices", {"name": "x"},
                                                   headers=headers))


def test_another_callers_key_is_another_key(wuts, house):
    headers, sent = key(), {"name": "x"}
    ids = [done(member.client.post("/devices", sent, headers=headers),
                201)["device"]["id"]
           for member in (house.admin, house.member(), wuts.tenant().admin)]
    assert len(set(ids)) == 3
    sent = {"name": "k"}
    made = [done(client.post("/api-keys", sent, headers=headers), 201)["key"]
            for client in (house.admin.client, house.key(), house.key())]
    assert len(set(made)) == 3


def test_another_path_or_query_is_another_request(wuts, house):
    headers, sent = key(), new_user()
    tenants = [wuts.tenant() for _ in range(2)]
    ids = {done(wuts.master().post(f"/users?tenant_id={t.id}", sent,
                                   headers=headers), 201)["user"]["tenant_id"]
           for t in tenants}
    assert ids == {t.id for t in tenants}


@pytest.mark.parametrize("value", [
    "", " ", "a b", "x" * 256, "a\tb", "\u00e9".encode("latin-1"), b"\x7f"])
def test_a_key_that_is_none_is_refused(wuts, house, value):
    if isinstance(value, str):
        value = value.encode()
    response = raw_request(wuts, "POST", "/devices", [
        ("Authorization", "Bearer " + house.admin.token),
        ("Content-Length", "0"), ("Idempotency-Key", value)])
    if value.strip() == b"":	# a web server may drop an empty header
        assert response.status_code == 400, response.text
    else:
        invalid(response, "Idempotency-Key")


@pytest.mark.parametrize("value", ["x", "~" * 255, "!\"#$%&'()*+,-./:;<=>?@"])
def test_any_visible_ascii_is_a_key(house, value):
    member = house.member()
    first = member.client.post("/devices", {"name": "x"}, headers={
        "Idempotency-Key": value})
    done(first, 201)
    assert_replayed(first, member.client.post(
        "/devices", {"name": "x"}, headers={"Idempotency-Key": value}))


def test_other_methods_do_not_read_the_key(house):
    headers, path = key(), f"/users/{house.target.id}"
    for active in True, False, True:
        response = house.admin.client.put(path, {"active": active},
                                          headers=headers)
        done(response)
        assert "Idempotent-Replayed" not in response.headers
        data = done(house.admin.client.get(path, headers=headers))["data"]
        assert data["active"] is active


# --- twins ---

def at_once(calls):
    """The answers of calls that start together."""
    start = threading.Barrier(len(calls))
    answers = [None] * len(calls)

    def run(n):
        start.wait()
        answers[n] = calls[n]()

    threads = [threading.Thread(target=run, args=(n,))
               for n in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.parametrize("route", ["POST /users", "POST /devices",
                                   "POST /api-keys"])
def test_concurrent_twins_make_one_change(wuts, house, route):
    action, path, body, status = POSTS[route]
    for _ in range(4):
        headers, sent, before = key(), body(house), count(house, action)
        clients = [wuts.client(house.admin.token) for _ in range(8)]
        answers = at_once([lambda c=client: c.post(
            path(house), sent, headers=headers) for client in clients])
        good = [a for a in answers if a.status_code == status]
        for answer in answers:
            if answer not in good:
                refused(answer, 409, "IDEMPOTENCY_IN_FLIGHT")
                assert int(answer.headers["Retry-After"]) > 0
        assert good and len({a.content for a in good}) == 1
        assert sum("Idempotent-Replayed" not in a.headers
                   for a in good) == 1
        assert count(house, action) == before + 1


def test_concurrent_twins_with_other_bodies_make_one_change(wuts, house):
    headers, before = key(), count(house, "device.created")
    clients = [wuts.client(house.admin.token) for _ in range(8)]
    answers = at_once([lambda n=n, c=client: c.post(
        "/devices", {"name": f"twin {n}"}, headers=headers)
        for n, client in enumerate(clients)])
    assert sorted(a.status_code for a in answers) == [201] + [422] * 7
    assert count(house, "device.created") == before + 1
