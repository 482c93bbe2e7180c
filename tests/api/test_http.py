# SPDX-License-Identifier: MIT
"""The conventions of spec/wuts.md §1 and §2: media types, JSON, methods,
limits, authentication."""
import http.client
import urllib.parse

import pytest

from harness import (PASSWORD, Client, check_envelope, done, invalid,
                     loopback_address, raw_request, refused)

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def house(wuts):
    tenant = wuts.tenant()
    tenant.user = tenant.member()
    tenant.device = tenant.admin.device()
    return tenant


def nested(depth):
    """An object that is depth levels deep."""
    return b'{"name":"n","x":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


BAD_JSON = {
    "empty body": b"",
    "blanks": b"  \n",
    "truncated": b'{"name":"a"',
    "trailing garbage": b'{"name":"a"} x',
    "two texts": b'{"name":"a"}{"name":"b"}',
    "duplicate key": b'{"name":"a","name":"b"}',
    "duplicate key by escape": b'{"name":"a","n\\u0061me":"b"}',
    "duplicate key deep inside": b'{"name":"a","x":[{"y":{"z":1,"z":1}}]}',
    "depth 33": nested(33),
    "depth 100000": b"[" * 100000,
    "NUL byte": b'{"name":"a\x00b"}',
    "NUL escape": b'{"name":"a\\u0000b"}',
    "NUL escape in a key": b'{"name":"a","\\u0000":1}',
    "bad UTF-8": b'{"name":"\xff"}',
    "cut UTF-8": b'{"name":"\xc3"}',
    "overlong UTF-8": b'{"name":"\xc0\xaf"}',
    "surrogate in UTF-8": b'{"name":"\xed\xa0\x80"}',
    "lone surrogate": b'{"name":"\\ud800"}',
    "byte order mark": b'\xef\xbb\xbf{"name":"a"}',
    "UTF-16": '{"name":"a"}'.encode("utf-16"),
    "number out of range": b'{"name":"a","x":1e999}',
    "integer out of range": b'{"name":"a","x":123456789012345678901234}',
    "NaN": b'{"name":"a","x":NaN}',
    "leading zero": b'{"name":"a","x":01}',
    "comment": b'{"name":"a"/**/}',
    "single quotes": b"{'name':'a'}",
    "trailing comma": b'{"name":"a",}',
    "raw control character": b'{"name":"a\nb"}',
    "bad escape": b'{"name":"\\x41"}',
    "an array": b'[{"name":"a"}]',
    "a string": b'"name"',
    "null": b"null",
}


@pytest.mark.parametrize("kind", BAD_JSON)
def test_bad_json_is_refused(house, kind):
    body = refused(house.admin.client.post("/devices", data=BAD_JSON[kind],
                                           headers=JSON),
                   400, "INVALID_JSON")
    assert "validation" not in body


@pytest.mark.parametrize("method,path", [
    ("POST", "/register"), ("POST", "/users"), ("PUT", "/users/{user}"),
    ("POST", "/users/{user}/promote"), ("POST", "/devices"),
    ("POST", "/devices/{device}/events"),
    ("POST", "/webhook?device_id={device}")])
@pytest.mark.parametrize("kind", ["empty body", "duplicate key", "depth 33",
                                  "trailing garbage", "NUL escape",
                                  "bad UTF-8"])
def test_every_endpoint_with_a_body_refuses_bad_json(wuts, house, method, path,
                                                     kind):
    client = wuts.master() if path == "/register" else house.admin.client
    refused(client.request(
        method, path.format(user=house.user.id, device=house.device),
        data=BAD_JSON[kind], headers=JSON), 400, "INVALID_JSON")


def test_depth_32_is_accepted(house):
    done(house.admin.client.post("/devices", data=nested(32), headers=JSON),
         201)


def test_unknown_members_are_ignored_and_named(house):
    response = house.admin.client.post("/devices", {
        "nmae": 1, "name": "x", "colour": {"a": 1}, "ä,b": 2})
    done(response, 201)
    assert response.headers["X-WUTS-Ignored"] == "nmae, colour, ????b" or \
        response.headers["X-WUTS-Ignored"].startswith("nmae, colour, ")
    response = house.admin.client.post("/devices", {"name": "x"})
    assert "X-WUTS-Ignored" not in response.headers


@pytest.mark.parametrize("content_type", [
    "text/plain", "application/x-www-form-urlencoded", "application/xml",
    "application/jsonx", "json", "application/x-ndjson",
    "application/json; charset=latin1", "multipart/form-data; boundary=x"])
def test_other_media_types_are_refused(house, content_type):
    refused(house.admin.client.post("/devices", data=b'{"name":"x"}',
                                    headers={"Content-Type": content_type}),
            415, "UNSUPPORTED_MEDIA_TYPE")


def test_a_body_without_media_type_is_refused(house):
    refused(house.admin.client.post("/devices", data=b'{"name":"x"}'), 415,
            "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("content_type", [
    "application/json", "APPLICATION/JSON", "application/json;charset=utf-8",
    'application/json ; charset="UTF-8"'])
def test_json_by_any_spelling_is_taken(house, content_type):
    done(house.admin.client.post("/devices", data=b'{"name":"x"}',
                                 headers={"Content-Type": content_type}), 201)


@pytest.mark.parametrize("size", [(1 << 20) + 1, 6 << 20, 20 << 20])
def test_a_body_over_the_limit_is_refused(house, size):
    body = b'{"name":"' + b"x" * (size - 11) + b'"}'
    assert len(body) == size
    refused(house.admin.client.post("/devices", data=body, headers=JSON), 413,
            "PAYLOAD_TOO_LARGE")


def test_a_body_at_the_limit_is_read(house):
    body = b'{"name":"' + b"x" * ((1 << 20) - 11) + b'"}'
    invalid(house.admin.client.post("/devices", data=body, headers=JSON),
            "name")


def test_a_chunked_body_is_read(house):
    done(house.admin.client.post("/devices", data=iter([b'{"name":', b'"x"}']),
                                 headers=JSON), 201)


# --- paths and methods ---

@pytest.mark.parametrize("path", [
    "/", "/nothing", "/users/", "/users//", "/register/x", "/webhook/",
    "/Users", "/users/x/y/z", "/.git/config", "/index.php", "//users",
    "/webhook/event", "/device"])
def test_an_unknown_path_is_not_found(wuts, house, path):
    for client in wuts.client(), house.admin.client:
        response = client.get(path)
        assert response.status_code == 404, response.text
        check_envelope(response)


@pytest.mark.parametrize("method,path,allow", [
    ("GET", "/register", "POST, OPTIONS"),
    ("DELETE", "/tenants", "GET, HEAD, OPTIONS"),
    ("DELETE", "/users", "GET, HEAD, POST, OPTIONS"),
    ("PATCH", "/users/x", "GET, HEAD, PUT, DELETE, OPTIONS"),
    ("GET", "/users/x/token", "POST, OPTIONS"),
    ("PUT", "/global/tenants/x", "GET, HEAD, DELETE, OPTIONS"),
    ("POST", "/roles", "GET, HEAD, OPTIONS"),
    ("PUT", "/api-keys", "GET, HEAD, POST, OPTIONS"),
    ("GET", "/api-keys/x", "DELETE, OPTIONS"),
    ("DELETE", "/audit", "GET, HEAD, OPTIONS"),
    ("GET", "/users/x/promote", "POST, OPTIONS"),
    ("PUT", "/devices/x/events", "POST, OPTIONS"),
    ("PUT", "/webhook", "GET, HEAD, POST, DELETE, OPTIONS"),
    ("POST", "/webhook/events", "GET, HEAD, OPTIONS"),
    ("BREW", "/users", "GET, HEAD, POST, OPTIONS")])
def test_a_wrong_method_is_told_the_right_ones(wuts, method, path, allow):
    response = wuts.client().request(method, path)
    refused(response, 405, "METHOD_NOT_ALLOWED")
    assert sorted(response.headers["Allow"].split(", ")) == \
        sorted(allow.split(", "))


def test_options_tells_the_methods_without_a_token(wuts):
    response = wuts.client().request("OPTIONS", "/users")
    assert response.status_code == 204
    assert set(response.headers["Allow"].split(", ")) == {
        "GET", "HEAD", "POST", "OPTIONS"}
    assert not any(name.lower().startswith("access-control-")
                   for name in response.headers)
    refused(wuts.client().request("OPTIONS", "/nothing"), 404, "NOT_FOUND")


def test_options_names_the_methods_of_every_path(wuts):
    for path, methods in (("/global/tenants/x", "GET HEAD DELETE OPTIONS"),
                          ("/users/x", "GET HEAD PUT DELETE OPTIONS"),
                          ("/users/x/token", "POST OPTIONS"),
                          ("/roles", "GET HEAD OPTIONS"),
                          ("/api-keys", "GET HEAD POST OPTIONS"),
                          ("/api-keys/x", "DELETE OPTIONS"),
                          ("/audit", "GET HEAD OPTIONS")):
        response = wuts.client().request("OPTIONS", path)
        assert response.status_code == 204
        assert set(response.headers["Allow"].split(", ")) == \
            set(methods.split())


def test_head_is_get_without_body(wuts, house):
    for path, client, status in (("/users", house.admin.client, 200),
                                 ("/roles", house.admin.client, 200),
                                 ("/audit", house.admin.client, 200),
                                 ("/api-keys", house.admin.client, 200),
                                 (f"/global/tenants/{house.id}",
                                  wuts.master(), 200),
                                 ("/users", wuts.client(), 401),
                                 ("/healthz", wuts.client(), 200),
                                 ("/nothing", wuts.client(), 404)):
        response = client.request("HEAD", path)
        assert response.status_code == status
        assert response.content == b""


def test_a_user_and_a_webhook_have_the_same_etag_in_head(house):
    path = f"/users/{house.user.id}"
    etag = house.admin.client.get(path).headers["ETag"]
    assert house.admin.client.request("HEAD", path).headers["ETag"] == etag


def test_every_answer_has_a_request_id_of_its_own(wuts):
    ids = {wuts.client().get("/healthz").headers["X-Request-Id"]
           for _ in range(5)}
    assert len(ids) == 5


@pytest.mark.parametrize("query", ["a=%", "a=%2", "a=%zz", "%00=1", "a=%00"])
def test_a_query_with_bad_escapes_is_refused(wuts, house, query):
    response = raw_request(wuts, "GET", "/users?" + query, [
        ("Authorization", "Bearer " + house.admin.token)])
    refused(response, 400, "VALIDATION_ERROR")
    check_envelope(response)


def test_a_header_too_large_is_answered_in_the_envelope(house):
    response = house.admin.client.get("/users", headers={"X-A": "x" * 60000})
    assert 400 <= response.status_code < 500


# --- authentication ---

PROTECTED = ["/users", "/webhook", "/webhook/events"]


@pytest.mark.parametrize("path", PROTECTED)
def test_no_token_is_missing(wuts, path):
    for headers in [], [("Authorization", "")], [("Authorization", "Bearer")], \
            [("Authorization", "Bearer   ")], [("Authorization", " ")]:
        response = raw_request(wuts, "GET", path, headers)
        body = refused(response, 401, "UNAUTHORIZED")
        assert body["error"] == "missing token"
        check_envelope(response)


@pytest.mark.parametrize("value", [
    "Bearer x", "Bearer 8f1c2d3e-4a5b-4c7d-8e9f-0a1b2c3d4e5f", "Basic eDp5",
    "Bearer a b", "Bearer x,y", "token", "Bearer " + "x" * 5000,
    "Bearer \u00e9".encode("latin-1"), "Digest username=\"x\""])
def test_a_token_that_is_nobodys_is_invalid(wuts, value):
    response = wuts.client().get("/users", headers={"Authorization": value})
    body = refused(response, 401, "UNAUTHORIZED")
    assert body["error"] == "invalid token"


def test_a_token_that_is_almost_right_is_invalid(wuts, house):
    token = house.admin.token
    for wrong in token[:-1], token + "0", token.replace("-", ""), \
            token[:-1] + ("0" if token[-1] != "0" else "1"):
        refused(wuts.client(wrong).get("/users"), 401, "UNAUTHORIZED")


def test_the_scheme_is_case_insensitive_and_optional(wuts, house):
    for scheme in "Bearer ", "bearer ", "BEARER ", "BeArEr   ", "":
        done(wuts.client(house.admin.token, scheme=scheme).get("/users"))


def test_only_the_authorization_header_is_read(wuts, house):
    token = house.admin.token
    anonymous = wuts.client()
    for query in "token", "access_token", "Authorization", "api_key":
        refused(anonymous.get(f"/users?{query}={token}"), 401, "UNAUTHORIZED")
    refused(anonymous.get("/users", cookies={"token": token}), 401,
            "UNAUTHORIZED")
    refused(anonymous.get("/users", headers={"X-Api-Key": token}), 401,
            "UNAUTHORIZED")


def test_authentication_comes_before_the_body(wuts):
    refused(wuts.client().post("/devices", data=b"x" * 100), 401,
            "UNAUTHORIZED")


def test_failures_are_limited_per_address(wuts, house):
    address = loopback_address()
    guesser = Client(wuts, "guess", address=address)
    for _ in range(20):
        refused(guesser.get("/users"), 401, "UNAUTHORIZED")
    response = guesser.get("/users")
    refused(response, 429, "RATE_LIMITED")
    assert 1 <= int(response.headers["Retry-After"]) <= 60
    refused(Client(wuts, house.admin.token, address=address).get("/users"),
            429, "RATE_LIMITED")
    forged = {"X-Forwarded-For": loopback_address()}
    refused(guesser.get("/users", headers=forged), 429, "RATE_LIMITED")
    assert Client(wuts, address=address).get("/healthz").status_code == 200
    done(wuts.client(house.admin.token).get("/users"))


def test_successes_are_not_limited(wuts, house):
    address = loopback_address()
    client = Client(wuts, house.admin.token, address=address)
    for _ in range(60):
        done(client.get("/webhook/events"))


# --- HTTP itself ---

def test_a_kept_connection_carries_request_after_request(wuts, house):
    host = urllib.parse.urlsplit(wuts.url).netloc
    connection = http.client.HTTPConnection(host, timeout=30)
    headers = {"Authorization": "Bearer " + house.admin.token,
               "Content-Type": "application/json"}
    for body, status in ((b'{"name":"x"}', 201), (b"{", 400),
                         (b"x" * 2000000, 413), (b'{"name":"y"}', 201)):
        connection.request("POST", "/devices", body, headers)
        response = connection.getresponse()
        assert response.status == status
        response.read()
    connection.request("POST", "/nothing", b"x" * 100000, headers)
    assert connection.getresponse().read() and True
    connection.close()


def test_passwords_and_tokens_are_nowhere_in_the_logs(wuts, tenant):
    secret = "pass-phrase-to-look-for"
    client = tenant.admin.client
    done(client.post("/users", {
        "email": "logged@example.com", "password": secret}), 201)
    invalid(client.post("/users", {"email": "x", "password": secret}),
            "email")
    refused(client.post("/users", {"email": 1, "password": [secret]}), 400,
            "VALIDATION_ERROR")
    for log in (wuts.run / "logs").iterdir():
        text = log.read_bytes() if log.is_file() else b""
        for word in secret, PASSWORD, tenant.admin.token, wuts.master_token:
            assert word.encode() not in text, log


def test_health_and_readiness_need_no_token(wuts):
    for path in "/healthz", "/readyz":
        assert done(wuts.client().get(path))["success"] is True
