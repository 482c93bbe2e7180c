# SPDX-License-Identifier: MIT
"""The relay to the WhatsApp engine, through the real nginx: who may, what
reaches the engine and what does not, and the life of a device from its first
code to its last message, with a simulated engine at the other end."""
import uuid

import pytest

import engine as simulation
from harness import Instance, done, invalid, raw_request, refused

POSTS = ("/connect", "/disconnect", "/logout", "/paircode")
PHONE = "4915112345678"
JID = PHONE + "@s.whatsapp.net"
CANNED = [("Content-Type", "application/json; charset=utf-8")]
OK = (200, CANNED, b'{"success":true}')


@pytest.fixture(scope="module")
def engine(wuts):
    if not wuts.engine_socket:
        pytest.skip("a real engine stands behind this instance")
    running = simulation.Engine(wuts.engine_socket, wuts.url,
                                wuts.engine_token)
    yield running
    running.close()


@pytest.fixture
def asked(engine):
    """The requests that reach the engine from here on."""
    engine.requests.clear()
    yield engine.requests
    engine.answers.clear()


@pytest.fixture(scope="module")
def house(wuts):
    house = wuts.tenant()
    house.manager, house.user = house.member("manager"), house.member()
    house.device = house.user.device("Front desk")
    return house


def in_its_words(client, method, path, body=None):
    """An answer whose shape is the engine's own affair."""
    return client.session.request(method, client.instance.url + path,
                                  json=body, timeout=30)


def body_for(device, **members):
    return {"device_id": device, **members}


# --- end to end ---

def test_a_device_is_paired_talks_and_is_logged_out(wuts, tenant, engine,
                                                    hook):
    client = tenant.admin.client
    device = tenant.admin.device()
    done(client.post("/webhook", {"webhook_url": hook.url,
                                  "enabled_events": ["*"]}), 201)

    assert done(client.post("/connect"))["data"] == {
        "device_id": device, "status": "pairing"}
    first = done(client.get("/qr/status"))["data"]["code"]
    second = done(client.get("/qr"))["data"]["code"]
    assert first != second
    assert done(client.get("/qr/status"))["data"]["code"] == second
    assert done(client.get("/status"))["data"]["connected"] is False

    assert engine.scan(second, PHONE) == device
    status = done(client.get("/status"))["data"]
    assert (status["connected"], status["logged_in"],
            status["whatsapp_jid"]) == (True, True, JID)
    assert done(client.get("/qr/status"))["data"]["code"] is None
    paired = in_its_words(client, "GET", "/qr")
    assert (paired.status_code, paired.json()["error_code"]) == \
        (409, "ALREADY_PAIRED")

    (message,) = engine.message(device, "4915587654321", "Hällo")
    delivered = hook.wait_event(message).message
    assert (delivered["event"], delivered["device_id"],
            delivered["data"]) == ("message.received", device, {
                "from": "4915587654321", "text": "Hällo"})

    assert done(client.post("/disconnect"))["data"]["status"] == \
        "disconnected"
    status = done(client.get("/status"))["data"]
    assert (status["connected"], status["logged_in"]) == (False, True)
    assert done(client.post("/connect"))["data"]["status"] == "connected"
    assert done(client.get("/status"))["data"]["connected"] is True
    done(client.post("/logout"))
    status = done(client.get("/status"))["data"]
    assert (status["connected"], status["logged_in"],
            status["whatsapp_jid"]) == (False, False, None)

    hook.wait_for(lambda seen: {d.event for d in seen} >= {
        "qr.generated", "pair.success", "device.connected",
        "message.received", "device.disconnected", "device.logged_out"})
    assert {d.message["device_id"] for d in hook.deliveries} == {device}


def test_a_device_is_paired_by_a_code_to_type_in(tenant, engine):
    client = tenant.admin.client
    device = tenant.admin.device()
    wrong = in_its_words(client, "POST", "/paircode", {"device_id": device})
    assert (wrong.status_code, wrong.json()["error"]) == \
        (400, "phone is required")
    code = done(client.post("/paircode", {"device_id": device,
                                          "phone": PHONE}))["data"]["code"]
    engine.scan(code, PHONE)
    assert done(client.get("/status"))["data"]["whatsapp_jid"] == JID


# --- what reaches the engine ---

@pytest.mark.parametrize("path", POSTS)
def test_method_path_query_and_body_arrive_as_they_were(house, engine, asked,
                                                        path):
    body = ('{ "device_id":"%s",\n "n": 1.10, "t":"\\u00e3é" }'
            % house.device).encode()
    engine.answers.append(OK)
    done(house.user.client.post(path + "?x=%20a&y", data=body,
                                headers={"Content-Type": "application/json"}))
    (request,) = asked
    assert (request.method, request.target, request.body) == \
        ("POST", path + "?x=%20a&y", body)
    assert request.headers["content-type"] == "application/json"


def test_a_large_body_arrives_whole(house, engine, asked):
    text = "x" * (900 << 10)
    engine.answers.append(OK)
    done(house.user.client.post("/connect", body_for(house.device,
                                                     text=text)))
    assert asked[0].json()["text"] == text


def test_get_and_head_stay_what_they_are(house, engine, asked):
    engine.answers += [OK, OK]
    path = f"/qr?device_id={house.device}"
    done(house.user.client.get(path))
    assert house.user.client.request("HEAD", path).status_code == 200
    assert [r.method for r in asked] == ["GET", "HEAD"]
    assert [r.body for r in asked] == [b"", b""]


def test_the_engine_is_told_who_asks(wuts, house, engine, asked):
    key = house.key()
    callers = [(house.user.client, house.user.id, "user"),
               (house.manager.client, house.manager.id, "manager"),
               (house.admin.client, house.admin.id, "admin"),
               (key, None, "admin"), (wuts.master(), None, "super_admin")]
    for client, user, role in callers:
        asked.clear()
        engine.answers.append(OK)
        done(client.post("/connect", body_for(house.device)))
        headers = asked[0].headers
        assert headers["x-wuts-tenant"] == house.id
        assert headers["x-wuts-device"] == house.device
        assert headers["x-wuts-role"] == role
        assert headers.get("x-wuts-user") == user
        assert headers["authorization"] == "Bearer " + wuts.engine_token
        assert client.token not in str(headers)


def test_a_client_cannot_say_who_it_is(wuts, house, engine, asked):
    stranger = str(uuid.uuid4())
    forged = {name: stranger for name in (
        "X-WUTS-Tenant", "X-WUTS-User", "X-WUTS-Device", "X-WUTS-Role",
        "x-wuts-tenant", "X_WUTS_Tenant", "X-WUTS-Anything", "Cookie",
        "X-Accel-Redirect", "Proxy-Authorization", "X-Forwarded-For")}
    for client in house.key(), house.user.client:
        engine.answers.append(OK)
        done(client.post("/connect", body_for(house.device), headers=forged))
    assert len(asked) == 2
    for request in asked:
        assert stranger not in str(request.headers)
        assert sorted(request.names) == sorted(set(request.names))
        assert request.device == house.device
    assert "x-wuts-user" not in asked[0].headers


def test_what_may_go_along_does(house, engine, asked):
    engine.answers.append(OK)
    response = house.user.client.post(
        "/connect", body_for(house.device), headers={
            "X-Request-Id": "asked-for-1", "Idempotency-Key": "again"})
    assert response.headers["X-Request-Id"] == "asked-for-1"
    assert asked[0].headers["x-request-id"] == "asked-for-1"
    assert asked[0].headers["idempotency-key"] == "again"


def test_repeated_under_a_key_it_is_the_engine_that_decides(house, engine,
                                                            asked):
    """What WUTS would repeat is its word to nginx, not the engine's answer."""
    engine.answers += [OK, (200, CANNED, b'{"success":true,"n":2}')]
    for expected in None, 2:
        response = house.user.client.post(
            "/connect", body_for(house.device),
            headers={"Idempotency-Key": "twice"})
        assert done(response).get("n") == expected
        assert "Idempotent-Replayed" not in response.headers
    assert len(asked) == 2


# --- what does not ---

def test_nobody_reaches_the_engine_without_the_right(wuts, house, engine,
                                                     asked):
    foreign = wuts.tenant()
    other = house.member()
    other_device = other.device()
    for path in POSTS:
        for client, status, code in (
                (wuts.client(), 401, "UNAUTHORIZED"),
                (wuts.client(str(uuid.uuid4())), 401, "UNAUTHORIZED"),
                (wuts.engine(), 403, "FORBIDDEN"),
                (house.key("read"), 403, "FORBIDDEN"),
                (other.client, 404, "DEVICE_NOT_FOUND"),
                (foreign.admin.client, 404, "DEVICE_NOT_FOUND"),
                (foreign.key(), 404, "DEVICE_NOT_FOUND")):
            refused(client.post(path, body_for(house.device)), status, code)
        invalid(house.admin.client.post(
            f"{path}?device_id={house.device}", body_for(other_device)),
            "device_id")
    refused(other.client.get(f"/qr?device_id={house.device}"), 404,
            "DEVICE_NOT_FOUND")
    # a body that GET has by mistake names nothing
    refused(house.member().client.request(
        "GET", "/qr", body_for(house.device)), 404, "DEVICE_NOT_FOUND")
    assert asked == []


def test_what_cannot_be_understood_is_refused_here(house, engine, asked):
    client = house.user.client
    for path in POSTS:
        invalid(client.post(path, {"device_id": "x"}), "device_id")
        invalid(client.post(path, {"device_id": 5}), "device_id")
        invalid(client.post(path + "?device_id=x"), "device_id")
        refused(client.post(path, data=b"{", headers={
            "Content-Type": "application/json"}), 400, "INVALID_JSON")
        refused(client.post(path, data=b"[]", headers={
            "Content-Type": "application/json"}), 400, "INVALID_JSON")
        refused(client.post(path, data=b"a=b", headers={
            "Content-Type": "application/x-www-form-urlencoded"}), 415,
            "UNSUPPORTED_MEDIA_TYPE")
        refused(client.post(path, {"x": "x" * (1 << 20)}), 413,
                "PAYLOAD_TOO_LARGE")
        refused(client.get(path), 405, "METHOD_NOT_ALLOWED")
    refused(client.post("/qr"), 405, "METHOD_NOT_ALLOWED")
    assert asked == []


def test_a_device_must_be_named_where_there_are_several(wuts, house, engine,
                                                        asked):
    several = house.member()
    refused(several.client.post("/connect"), 404, "DEVICE_NOT_FOUND")
    several.device(), several.device()
    for client in several.client, house.key(), wuts.master():
        invalid(client.post("/connect"), "device_id")
        invalid(client.post("/connect", {"device_id": None}), "device_id")
        invalid(client.get("/qr"), "device_id")
    assert asked == []


@pytest.mark.parametrize("target", [
    "/@wuts_engine", "@wuts_engine", "/%40wuts_engine", "/phone/scan",
    "/connect/", "//connect", "/connect/../phone/scan"])
def test_no_path_leads_around_the_authorisation(wuts, house, engine, asked,
                                                target):
    answer = raw_request(wuts, "POST", target, [
        ("Authorization", "Bearer " + house.admin.token),
        ("Content-Length", "0")])
    assert answer.status_code in (400, 404), answer.text
    assert asked == []


# --- what comes back ---

@pytest.mark.parametrize("status", [200, 202, 400, 404, 409, 429, 500, 502,
                                    503, 504])
def test_the_engines_answer_is_the_answer(house, engine, asked, status):
    text = b'{"success":false,"error":"no","error_code":"ENGINE_SAYS"}'
    engine.answers.append((status, CANNED + [("X-Engine", "7")], text))
    response = in_its_words(house.user.client, "POST", "/connect",
                            body_for(house.device))
    assert (response.status_code, response.content) == (status, text)
    assert response.headers["X-Engine"] == "7"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Request-Id"]
    assert len(asked) == 1


def test_the_engine_cannot_send_nginx_elsewhere(house, engine, asked):
    engine.answers.append((200, CANNED + [
        ("X-Accel-Redirect", "/healthz"), ("Cache-Control", "public"),
        ("X-Request-Id", "engines-own"), ("Access-Control-Allow-Origin", "*"),
    ], b'{"success":true,"by":"engine"}'))
    response = house.user.client.post("/connect", body_for(house.device))
    assert done(response) == {"success": True, "by": "engine"}
    assert response.headers["X-Request-Id"] != "engines-own"
    assert response.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in response.headers
    assert not [name for name in response.headers
                if name.lower().startswith("x-wuts")]


def test_an_engine_that_breaks_off_is_not_ready(house, engine, asked):
    engine.answers.append((None, [], b""))
    response = house.user.client.post("/connect", body_for(house.device))
    refused(response, 503, "DEVICE_NOT_READY")
    assert response.headers["X-Request-Id"]
    assert len(asked) == 1	# never sent twice


def test_an_engine_that_is_away_is_not_ready_and_comes_back(wuts, house,
                                                            engine):
    engine.close()
    try:
        for path in POSTS:
            response = house.user.client.post(path, body_for(house.device))
            refused(response, 503, "DEVICE_NOT_READY")
            assert int(response.headers["Retry-After"]) > 0
        refused(house.user.client.get("/qr"), 503, "DEVICE_NOT_READY")
        assert house.user.client.request("HEAD", "/qr").status_code == 503
        # the rest goes on
        done(house.user.client.get("/status"))
    finally:
        engine.__init__(wuts.engine_socket, wuts.url, wuts.engine_token)
    done(house.user.client.post("/connect", body_for(house.device)))


def test_without_an_engine_nothing_is_relayed(request):
    instance = Instance.start(engine_location="", workers=1)
    try:
        member = instance.tenant().member()
        refused(member.client.post("/connect"), 404, "DEVICE_NOT_FOUND")
        device = member.device()
        for path in POSTS:
            refused(member.client.post(path, body_for(device)), 503,
                    "DEVICE_NOT_READY")
        refused(member.client.get("/qr"), 503, "DEVICE_NOT_READY")
        assert done(member.client.get("/qr/status"))["data"]["code"] is None
    finally:
        instance.stop_and_check(request.session.testsfailed > 0)


def test_a_location_that_nginx_has_not_is_an_error_in_our_words(request):
    instance = Instance.start(engine_location="@nowhere", workers=1)
    try:
        member = instance.tenant().member()
        member.device()
        refused(in_its_words(member.client, "POST", "/connect"), 500,
                "INTERNAL_ERROR")
    finally:
        instance.stop_and_check(request.session.testsfailed > 0)


def test_the_engines_token_stands_in_no_file_for_others(wuts):
    token = wuts.run / "nginx" / "engine-token.conf"
    assert wuts.engine_token in token.read_text()
    assert token.stat().st_mode & 0o077 == 0
    for name in "nginx.conf", "site.conf", "wuts-engine.conf":
        assert wuts.engine_token not in (wuts.run / "nginx" /
                                         name).read_text()
