# SPDX-License-Identifier: MIT
"""Hostile strings and values of the wrong type in every field, path and query:
the right 4xx that names the field, or exactly what was sent; never a change
beside it."""
import json
import urllib.parse
import uuid

import pytest

from harness import PASSWORD, done, invalid, raw_request, refused, unique

# As they stand between the quotes of a JSON string: no text at all.
NOT_JSON = {
    "NUL": b"abcdefgh\x00", "NUL escape": b"abcdefgh\\u0000",
    "raw control": b"abcd\x01efgh", "raw newline": b"abcd\nefgh",
    "stray byte": b"abcdefgh\xff", "cut UTF-8": b"abcdefgh\xe2\x82",
    "overlong UTF-8": b"abcdefgh\xc0\xaf",
    "overlong NUL": b"abcdefgh\xc0\x80",
    "surrogate": b"abcdefgh\xed\xa0\x80",
    "beyond Unicode": b"abcdefgh\xf4\x90\x80\x80",
    "lone surrogate escape": b"abcdefgh\\ud800",
    "bad escape": b"abcdefgh\\x00", "quote": b'abcdefgh"',
}
HOSTILE = {
    "empty": "", "blank": " " * 9, "overlong": "x" * 5000,
    "control": "abcd\x01efgh", "delete": "abcdefgh\x7f",
    "C1 control": "abcd\u0085efgh", "line feeds": "abcd\r\nX-Evil: 1",
    "escape sequence": "\x1b[2Jabcdefgh",
    "right to left": "\u202egnitset\u202c", "Arabic": "اختبار الاسم",
    "four bytes": "\U0001f600" * 10, "last plane": "\U0010ffff" * 10,
    "noncharacter": "abcdefgh\ufffe", "zero width": "abcd\u200befgh",
    "combining": "Z\u0351\u036b" * 9, "line separator": "abcd\u2028efgh",
    "SQL": "x'; DROP TABLE user; -- ", "SQL or": "' OR '1'='1' /*",
    "SQL wildcards": "%_\\'\"`%_\\'\"`", "backslash": "abcdefgh\\",
    "shell": "$(reboot) `id` | rm -rf / & > x",
    "format": "%s%n%x%p%s%n%1$*d", "markup": "<script>alert(1)</script>",
    "path": "../../../etc/passwd", "JSON": '{"role":"admin"}',
    "template": "{{7*7}}${7*7}#{7*7}", "quotes": "\"'\"'\"'\"'",
}
# What a name or a password may well be.
CONTROL = {"control", "delete", "C1 control", "line feeds",
           "escape sequence"}
NAMES = set(HOSTILE) - CONTROL - {"empty", "blank", "overlong"}
PASSWORDS = set(HOSTILE) - {"empty", "overlong"}
VISIBLE = {kind for kind, text in HOSTILE.items()
           if 0 < len(text.strip()) == len(text) <= 1024 and
           text.isascii() and text.isprintable()}
NONE = set()


class Field:
    """One field of one request. accepts: the hostile strings that are good
    there; shown: where the value stands in the answer, or None."""

    def __init__(self, route, path, body, name, accepts=NONE, shown=None):
        self.route, self.path, self.body = route, path, body
        self.name, self.accepts, self.shown = name, accepts, shown

    def put(self, house, raw):
        """The body's bytes with raw for the field."""
        mark = "@" + uuid.uuid4().hex
        text = json.dumps(self.fill(self.body(house), mark))
        return text.encode().replace(b'"%s"' % mark.encode(), raw)

    def fill(self, body, value):
        at = body
        *where, last = self.name.split(".")
        for key in where:
            at = at[key]
        at[int(last) if isinstance(at, list) else last] = value
        return body


def field_error(name):
    """How a refusal names the field."""
    return {"enabled_events.0": "enabled_events",
            "headers.X-A": "headers"}.get(name, name)


def user(house):
    return {"email": unique("u") + "@example.com", "password": PASSWORD}


def tenant(house):
    return {"tenant_name": unique("t"), **user(house)}


def webhook(house):
    return {"webhook_url": "https://example.com/", "enabled_events": ["*"]}


def event(house):
    return {"event": "call.offer", "data": {}}


def at_users(house):
    return "/users"


def at_target(house):
    return f"/users/{house.target.id}"


def at_webhook(house):
    return f"/webhook?device_id={house.device}"


def at_events(house):
    return f"/devices/{house.device}/events"


def at(path):
    return lambda house: path


FIELDS = [
    Field("POST", at("/register"), tenant, "tenant_name", NAMES,
          lambda a: a["tenant"]["name"]),
    Field("POST", at("/register"), tenant, "email"),
    Field("POST", at("/register"), tenant, "password", PASSWORDS),
    Field("POST", at("/register"), tenant, "role", set(HOSTILE)),
    Field("POST", at("/register"), tenant, "webhook_url"),
    Field("POST", at_users, user, "email"),
    Field("POST", at_users, user, "password", PASSWORDS),
    Field("POST", at_users, user, "role"),
    Field("POST", at_users, user, "webhook_url"),
    Field("PUT", at_target, lambda h: {"active": False}, "role"),
    Field("POST", lambda h: at_target(h) + "/promote", lambda h: {},
          "new_role"),
    Field("POST", at("/api-keys"), lambda h: {}, "name", NAMES,
          lambda a: a["api_key"]["name"]),
    Field("POST", at("/api-keys"), lambda h: {"name": "x"}, "scope"),
    Field("POST", at("/api-keys"), lambda h: {"name": "x"}, "expires_at"),
    Field("POST", at("/devices"), lambda h: {}, "name", NAMES,
          lambda a: a["device"]["name"]),
    Field("POST", at_webhook, webhook, "webhook_url"),
    Field("POST", at_webhook, webhook, "enabled_events.0"),
    Field("POST", at_webhook, webhook, "secret", PASSWORDS),
    Field("POST", at_webhook, lambda h: {**webhook(h), "headers": {}},
          "headers.X-A", VISIBLE, lambda a: a["webhook"]["headers"]["X-A"]),
    Field("POST", at_events, event, "event"),
    Field("POST", at_events, lambda h: {
        "event": "device.connected", "data": {}}, "data.jid",
        NAMES | {"blank", "C1 control"}),
    Field("POST", at_events, event, "id"),
    Field("POST", at_events, event, "timestamp"),
]


def ident(field):
    return f"{field.route} {field.path(Dummy)} {field.name}"


class Dummy:
    device = "{device}"

    class target:
        id = "{id}"


@pytest.fixture(scope="module")
def house(wuts):
    house = wuts.tenant()
    house.target = house.member()
    house.device = house.admin.device()
    done(house.admin.client.post(at_webhook(house), webhook(house)), 201)
    return house


def caller(wuts, house, field):
    return wuts.master() if field.path(house) == "/register" else \
        house.admin.client


def snapshot(wuts, house):
    """Everything that a request could have changed."""
    client = house.admin.client
    return [done(client.get(path)) for path in (
        "/users", "/api-keys", "/audit", at_target(house),
        at_webhook(house))] + [
        len(done(wuts.master().get("/tenants"))["tenants"]),
        done(wuts.master().get(f"/global/tenants/{house.id}"))]


def send(wuts, house, field, raw):
    response = caller(wuts, house, field).request(
        field.route, field.path(house), data=field.put(house, raw),
        headers={"Content-Type": "application/json"})
    assert "X-Evil" not in response.headers
    return response


def assert_refused_field(response, name):
    body = response.json()
    assert response.status_code == 400, response.text
    if body["error_code"] == "UNKNOWN_EVENT":
        assert name in ("event", "enabled_events")
        if name == "enabled_events":
            return
    else:
        assert body["error_code"] == "VALIDATION_ERROR", body
    named = [f["field"] for f in body["validation"]]
    assert named and all(f == name or f.startswith((name + "[", name + "."))
                         for f in named), named
    if name in ("password", "secret"):
        assert all(f["value"] in ("", "***") for f in body["validation"])


@pytest.mark.parametrize("field", FIELDS, ids=ident)
def test_what_is_no_string_of_json_is_refused(wuts, house, field):
    before = snapshot(wuts, house)
    for kind, raw in NOT_JSON.items():
        body = refused(send(wuts, house, field, b'"%s"' % raw), 400,
                       "INVALID_JSON")
        assert "abcd" not in body["error"], kind
    assert snapshot(wuts, house) == before


@pytest.mark.parametrize("field", FIELDS, ids=ident)
def test_a_hostile_string_is_refused_or_kept_as_it_is(wuts, house, field):
    before = snapshot(wuts, house)
    for kind in set(HOSTILE) - field.accepts:
        response = send(wuts, house, field,
                        json.dumps(HOSTILE[kind]).encode())
        try:
            assert_refused_field(response, field_error(field.name))
        except AssertionError as error:
            raise AssertionError(f"{kind}: {error}") from error
    assert snapshot(wuts, house) == before
    for kind in field.accepts:
        response = send(wuts, house, field,
                        json.dumps(HOSTILE[kind]).encode())
        answer = response.json()
        assert answer["success"], (kind, answer)
        if field.shown:
            assert field.shown(answer) == HOSTILE[kind].strip(), kind


STRINGS = [0, -1, 1.5, 1e308, 2**63 - 1, True, False, [], {}, ["x"],
           {"a": "b"}, [[[]]]]
BOOLS = [0, 1, -1, 1.0, "", "true", "false", [], {}, [True]]
INTS = ["", "3", "x", 1.5, 3.0, True, False, [], {}, [3], -1, 2**63 - 1,
        -2**63, 1e3]
ARRAYS = ["", "*", 0, 1.5, True, {}, {"0": "*"}, [], [1], [None], [[]],
          [{}], ["*", True]]
OBJECTS = ["", "x", 0, 1.5, True, [], [{}], ["a"]]

TYPED = [(field, STRINGS) for field in FIELDS] + [
    (Field("PUT", at_target, lambda h: {"role": "manager"}, "active"), BOOLS),
    (Field("POST", at_webhook, webhook, "enabled"), BOOLS),
    (Field("POST", at_webhook, webhook, "ordered"), BOOLS),
    (Field("POST", at_webhook, webhook, "retry_attempts"), INTS),
    (Field("POST", at_webhook, webhook, "timeout"), INTS),
    (Field("POST", at_webhook, webhook, "max_concurrency"), INTS),
    (Field("POST", at_webhook, webhook, "rate_limit"), INTS),
    (Field("POST", at_webhook, webhook, "enabled_events"), ARRAYS),
    (Field("POST", at_webhook, webhook, "secret"), STRINGS),
    (Field("POST", at_webhook, webhook, "headers"),
     OBJECTS + [{"X-A": v} for v in (1, None, True, [], {})] +
     [{"Bad Name": "x"}, {"": "x"}, {"X-A": "a\r\nX-Evil: 1"},
      {"X-A": "a\x00b"[:1] + "\x01"}, {"X-A": "é"}, {"X-A": "x" * 1025},
      {"X-" + "a" * 70000: "x"}]),
    (Field("POST", at_events, event, "data"), OBJECTS),
]


@pytest.mark.parametrize("field,values", TYPED,
                         ids=lambda v: ident(v) if isinstance(v, Field)
                         else "")
def test_a_value_of_another_type_is_refused(wuts, house, field, values):
    before = snapshot(wuts, house)
    for value in values:
        response = send(wuts, house, field, json.dumps(value).encode())
        try:
            assert_refused_field(response, field_error(field.name))
        except AssertionError as error:
            raise AssertionError(f"{value!r}: {error}") from error
    assert snapshot(wuts, house) == before


def test_one_bad_field_keeps_the_good_ones_from_being_used(wuts, house):
    before = snapshot(wuts, house)
    invalid(house.admin.client.put(at_target(house), {
        "active": False, "role": "owner"}), "role")
    invalid(house.admin.client.put(at_target(house), {
        "active": "no", "role": "manager"}), "active")
    invalid(house.admin.client.post(at_webhook(house), {
        **webhook(house), "enabled": False, "timeout": 0}), "timeout")
    invalid(wuts.master().post("/register", {
        **tenant(house), "webhook_url": "x"}), "webhook_url")
    assert snapshot(wuts, house) == before


# --- paths and queries ---

PATHS = ["GET /users/{}", "PUT /users/{}", "DELETE /users/{}",
         "POST /users/{}/promote", "POST /users/{}/token",
         "DELETE /api-keys/{}", "POST /devices/{}/events",
         "GET /global/tenants/{}", "DELETE /global/tenants/{}"]


@pytest.mark.parametrize("route", PATHS)
def test_a_hostile_id_in_a_path_is_refused(wuts, house, route):
    before = snapshot(wuts, house)
    method, path = route.split()
    token = wuts.master_token if "global" in path else house.admin.token
    good = str(uuid.uuid4())
    values = [urllib.parse.quote(v, safe="") for v in HOSTILE.values()
              if 0 < len(v) < 1000] + [
        "%00", "%ff", "%c0%af", good + "%00", good + "%20", "%20" + good,
        good[:-1], good + "0", good.replace("-", ""), "{" + good + "}",
        "urn:uuid:" + good, good[:-1] + "g", "-".join(["0" * 8] * 4), "*",
        "0", "-1", "null", "me"]
    for value in values:
        response = raw_request(wuts, method, path.format(value), [
            ("Authorization", "Bearer " + token), ("Content-Length", "0")])
        assert response.status_code == 400, (value, response.text)
        assert response.json()["error_code"] == "VALIDATION_ERROR", value
    assert snapshot(wuts, house) == before


QUERIES = [("/users", "limit"), ("/users?limit=2", "cursor"),
           ("/audit", "action"), ("/audit", "user_id"), ("/audit", "limit"),
           ("/audit?limit=2", "cursor"), ("/api-keys", "limit"),
           ("/api-keys?limit=2", "cursor"), ("/webhook", "device_id"),
           ("/webhook", "scope")]


@pytest.mark.parametrize("path,name", QUERIES)
def test_a_hostile_query_is_refused(house, path, name):
    glue = "&" if "?" in path else "?"
    for kind, value in HOSTILE.items():
        if len(value) > 4000:
            value = value[:4000]
        response = house.admin.client.get(
            path + glue + name + "=" + urllib.parse.quote(value, safe=""))
        invalid(response, name)


@pytest.mark.parametrize("path", ["/users", "/api-keys", "/audit"])
def test_a_hostile_tenant_id_of_the_master_is_refused(wuts, path):
    for value in HOSTILE.values():
        invalid(wuts.master().get(path + "?tenant_id=" + urllib.parse.quote(
            value[:4000], safe="")), "tenant_id")


@pytest.mark.parametrize("name", ["If-Match", "Idempotency-Key",
                                  "X-Request-Id", "Origin", "Content-Type"])
def test_a_hostile_header_harms_nobody(wuts, house, name):
    before = snapshot(wuts, house)
    for value in (b"", b"\xff\xfe", b"'; DROP TABLE user; --", b'"' * 50,
                  b'"unclosed', b"W/", b"%s%n" * 20, b"x" * 3000, b",,,,",
                  b'"a" "b"'):
        response = raw_request(wuts, "PUT", at_target(house), [
            ("Authorization", "Bearer " + house.admin.token),
            ("Content-Length", "0"), (name, value)])
        assert response.status_code in (400, 412, 415), value
    assert snapshot(wuts, house) == before
