# SPDX-License-Identifier: MIT
"""The On-Premises API's engine part, through an nginx made of the templates as
they are shipped: which calls reach the engine and how, and which never do."""
import concurrent.futures
import hashlib
import re
import socket
import subprocess
import threading

import pytest

import harness
from harness import SOURCE, done, wait_for
from onprem import (PASSWORDS, engine, front, houses, log_in,  # noqa: F401
                    refused)

# spec/onprem.md §7, word for word but for {…}.
TABLE = [tuple(line.split()) for line in """
POST            /v1/account                                       admin
POST            /v1/account/verify                                admin
POST            /v1/account/shards                                admin
GET,POST        /v1/settings/application/media/providers          admin
DELETE          /v1/settings/application/media/providers/{}       admin
POST            /v1/contacts                                      any
GET,PUT         /v1/contacts/{}/identity                          any
GET,POST        /v1/groups                                        any
GET,PUT         /v1/groups/{}                                     any
PATCH,DELETE    /v1/groups/{}/admins                              any
GET,POST,DELETE /v1/groups/{}/icon                                any
GET,DELETE      /v1/groups/{}/invite                              any
POST            /v1/groups/{}/leave                               any
DELETE          /v1/groups/{}/participants                        any
POST            /v1/media                                         any
GET,DELETE      /v1/media/{}                                      any
POST            /v1/messages                                      any
PUT             /v1/messages/{}                                   any
POST,DELETE     /v1/settings/account/two-step                     admin
POST            /v1/settings/backup                               admin
POST            /v1/settings/restore                              admin
GET,POST        /v1/settings/business/profile                     admin
GET,POST        /v1/settings/business/compliance_info             admin
GET,PATCH       /v1/settings/profile/about                        admin
GET,POST,DELETE /v1/settings/profile/photo                        admin
PUT             /v1/services/message/gc                           admin
PUT             /v1/services/media/gc                             admin
GET,POST        /v1/stickerpacks                                  any
GET,PATCH,DELETE /v1/stickerpacks/{}                              any
GET,POST        /v1/stickerpacks/{}/stickers                      any
GET,PATCH,DELETE /v1/stickerpacks/{}/stickers/{}                  any
""".split("\n") if line]
CALLS = [(method, path, role) for methods, path, role in TABLE
         for method in methods.split(",")]
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# Names as they occur: of a group, a message, a contact with its number quoted.
NAMES = ("4915112345678-1623", "gBEGkYiEB1VXAglK1ZEqA1YKPrU=", "%2B49151%40x",
         "a.b~c_d")
OK = (200, [("Content-Type", "application/json")], b'{"by":"engine"}')
MEBIBYTE = 1 << 20
ENGINE_AWAY = "Connection timed out. Please check if the engine is running"


@pytest.fixture
def asked(engine):
    """The requests that reach the engine from here on."""
    engine.requests.clear()
    yield engine.requests
    engine.answers.clear()


def filled(path, names=NAMES):
    """The path with names in its places, another one each time."""
    for n in range(path.count("{}")):
        path = path.replace("{}", names[(len(path) + n) % len(names)], 1)
    return path


# --- the table ---------------------------------------------------------------

def table_of_nginx():
    text = (SOURCE / "nginx" / "wuts-onprem-http.conf").read_text()
    rows = set()
    for methods, path, role in re.findall(
            r'"~\^\(?([A-Z|]+)\)? (/\S*)\$"\s+(any|admin);', text):
        methods = methods.split("|")
        assert ("GET" in methods) == ("HEAD" in methods), path
        rows |= {(method, "/v1" + path.replace("[^/]+", "{}"), role)
                 for method in methods if method != "HEAD"}
    assert len(re.findall(r'"~\^.*\s(?:any|admin);', text)) == len(TABLE)
    return rows


def table_of_wutsd():
    """Those routes of the dialect that are not its own."""
    lines = subprocess.run([harness.BUILD / "wutsd", "--routes"], check=True,
                           capture_output=True, text=True).stdout.splitlines()
    rows = [(method, "/v1" + re.sub(r"\{[a-z_]+\}", "{}", path), access)
            for method, path, access, dialect in map(str.split, lines)
            if dialect == "onprem"]
    known = {row[:2] for row in CALLS}
    return {(method, path, {"admin": "admin"}.get(access, "any"))
            for method, path, access in rows if (method, path) in known}


def test_nginx_and_wutsd_have_the_table_of_the_specification():
    assert len(CALLS) == len(set(CALLS)) == 52
    assert table_of_nginx() == set(CALLS)
    assert table_of_wutsd() == set(CALLS)


# --- what reaches the engine ---

@pytest.mark.parametrize("where", ["own", "shared"])
def test_each_call_reaches_the_engine_as_it_came(front, houses, asked, engine,
                                                 where):
    server = getattr(front, where)
    for method, path, role in CALLS:
        for token in {houses[0].tokens[role], houses[0].tokens["admin"]}:
            asked.clear()
            engine.answers.append(OK)
            target = filled(path) + "?format=link&x=%20a%2Fb"
            body = None if method == "GET" else \
                b'{ "n": 1.10,\n"t":"\\u00e3\xc3\xa9" }'
            answer = server.request(method, target, token, body,
                                    [("Content-Type", "text/x-any")])
            assert (answer.status_code, answer.content) == (200, OK[2]), \
                (method, path, answer.text)
            (request,) = asked
            assert (request.method, request.target, request.body) == \
                (method, target, body or b"")
            assert request.headers["content-type"] == "text/x-any"
            assert request.headers["authorization"] == \
                "Bearer engines-own-token"
            assert request.headers["x-wuts-tenant"] == houses[0].id
            assert (request.headers["x-wuts-account"],
                    request.headers["x-wuts-role"]) == (
                ("jdoe01", "ROLE_USER")
                if token == houses[0].tokens["any"] else
                ("admin", "ROLE_ADMIN"))
            assert token not in str(request.headers)


def test_a_server_of_its_own_takes_paths_without_v1(front, houses, asked):
    for method, path, role in CALLS:
        asked.clear()
        target = filled(path, ("4915112345678-1623", "x_y.z"))
        answer = front.own.request(method, target[3:] + "?a=b",
                                   houses[0].tokens[role],
                                   None if method == "GET" else b"{}")
        assert answer.status_code in (200, 201), (method, path, answer.text)
        (request,) = asked
        assert (request.method, request.target) == (method, target + "?a=b")


def test_a_slash_at_the_end_is_nothing(front, houses, asked):
    for method, path, role in CALLS:
        asked.clear()
        answer = front.own.request(method, filled(path) + "/",
                                   houses[0].tokens[role],
                                   None if method == "GET" else b"{}")
        assert answer.status_code in (200, 201), (method, path, answer.text)
        assert asked[0].target.rstrip("/") == filled(path)


def test_head_is_what_get_is(front, houses, asked):
    answer = front.own.request("HEAD", "/v1/groups", houses[0].tokens["any"])
    assert (answer.status_code, answer.content) == (200, b"")
    assert [request.method for request in asked] == ["HEAD"]


def pieces(size, seed=b"media"):
    block = hashlib.sha512(seed).digest() * 1024
    while size > 0:
        yield block[:size]
        size -= len(block)


@pytest.mark.parametrize("is_chunked", [False, True])
@pytest.mark.parametrize("target", ["/v1/media", "/media"])
def test_media_of_20_mebibytes_arrive_whole(front, houses, asked, engine,
                                            is_chunked, target):
    size = 20 * MEBIBYTE
    engine.answers.append(OK)
    answer = front.own.request(
        "POST", target, houses[0].tokens["any"],
        pieces(size) if is_chunked else b"".join(pieces(size)),
        [("Content-Type", "image/jpeg"), ("Expect", "100-continue")])
    assert answer.status_code == 200, answer.text
    (request,) = asked
    assert request.target == "/v1/media"
    assert len(request.body) == size
    assert hashlib.sha256(request.body).digest() == hashlib.sha256(
        b"".join(pieces(size))).digest()


def test_a_chunked_body_arrives(front, houses, asked):
    answer = front.own.request("DELETE", "/v1/groups/1-2/participants",
                               houses[0].tokens["any"],
                               iter([b'{"wa_ids":', b'["4915"]}']))
    assert answer.status_code == 200
    assert asked[0].body == b'{"wa_ids":["4915"]}'


def test_a_client_cannot_say_who_it_is(front, houses, asked):
    forged = [(name, "forged") for name in (
        "X-WUTS-Tenant", "X-WUTS-User", "X-WUTS-Account", "X-WUTS-Role",
        "X_WUTS_Tenant", "X-WUTS-Anything", "Cookie", "X-Accel-Redirect",
        "Proxy-Authorization", "X-Forwarded-For", "WUTS-Tenant",
        "WUTS-Relay", "WUTS-Dialect")]
    assert front.own.request("GET", "/v1/groups", houses[0].tokens["any"],
                             headers=forged).status_code == 200
    (request,) = asked
    assert "forged" not in str(request.headers)
    assert sorted(request.names) == sorted(set(request.names))


# --- who does not ---

def strangers(houses):
    """Authorization headers of nobody of the first house."""
    return [None, "", "x" * 36, houses[1].tokens["admin"],
            houses[1].tokens["any"], houses[1].admin.token,
            "00000000-0000-4000-8000-000000000000", "a.b.c", "x" * 600]


def test_a_stranger_reaches_the_engine_by_no_call(front, houses, asked):
    calls = [call for call in CALLS if call[2] == "admin"][:3] + CALLS[-3:] \
        + [("POST", "/v1/media", "any")]
    for method, path, _ in calls:
        server = front.own.elsewhere()
        for token in strangers(houses):
            refused(server.request(method, filled(path), token,
                                      b'{"a":1}' * 1000),
                    401, 1005, "Invalid credentials")
        server.close()
    for scheme in ("Basic ", "Apikey ", "bearerx ", ""):
        refused(front.own.elsewhere().request(
            "POST", "/v1/messages", houses[0].tokens["any"], b"{}",
            scheme=scheme), 401, 1005)
    assert asked == []


def test_who_guesses_has_to_wait(front, asked):
    server = front.own.elsewhere()
    for _ in range(40):
        answer = server.request("POST", "/v1/messages", "guess", b"{}")
        if answer.status_code != 401:
            break
    refused(answer, 429, 1015)
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert asked == []


def test_a_server_of_nobodys_tenant_is_not_ready(front, houses, asked):
    for method, path in ("POST", "/v1/messages"), ("POST", "/v1/media"), \
            ("GET", "/v1/health"), ("POST", "/v1/users/login"):
        refused(front.stray.request(method, path, houses[0].tokens["admin"],
                                    b"{}"), 503, 1011)
    assert asked == []


def test_without_a_token_no_call_reaches_the_engine(front, asked):
    for server in front.own, front.shared, front.bare:
        for method, path, _ in CALLS:
            refused(server.request(method, filled(path), None,
                                   None if method == "GET" else b"{}"),
                    401, 1005, "Invalid credentials")
    assert asked == []


def test_a_user_reaches_the_engine_by_no_call_of_the_admin(front, houses,
                                                           asked):
    for method, path, role in CALLS:
        if role == "admin":
            refused(front.own.request(
                method, filled(path), houses[0].tokens["any"],
                None if method == "GET" else b'{"a":1}' * 1000), 403, 1005)
    assert asked == []


def test_names_of_headers_may_be_written_in_any_case(front, houses, asked):
    for name in "AUTHORIZATION", "authorization":
        answer = front.own.request("POST", "/v1/messages", None, b"{}", [
            (name, "Bearer " + houses[0].tokens["any"]),
            ("X-My-Own", "x"), ("CONTENT-TYPE", "application/json")])
        assert answer.status_code == 201
    assert [request.headers["content-type"] for request in asked] == \
        ["application/json"] * 2


def test_a_scheme_may_be_written_in_any_case(front, houses, asked):
    for scheme in "bearer ", "BEARER ", "Bearer  ":
        answer = front.own.request("GET", "/v1/groups",
                                   houses[0].tokens["any"], scheme=scheme)
        assert answer.status_code == 200
    assert len(asked) == 3


def test_a_log_out_counts_at_once(front, houses, asked):
    server = front.own
    first, second = (log_in(server, "jdoe01", PASSWORDS["jdoe01"])
                     for _ in range(2))
    for token in first, second:
        assert server.request("GET", "/v1/groups", token).status_code == 200
    assert server.request("POST", "/v1/users/logout", first,
                          b"null").status_code == 200
    asked.clear()
    refused(server.request("GET", "/v1/groups", first), 401, 1005)
    assert asked == []
    assert server.request("GET", "/v1/groups", second).status_code == 200


def test_a_token_of_the_wuts_dialect_is_its_users(front, houses, asked):
    member = houses[0].member()
    for path, status in ("/v1/groups", 200), ("/v1/settings/business/profile",
                                              403):
        answer = front.own.request("GET", path, member.token)
        assert answer.status_code == status, answer.text
    (request,) = asked
    assert request.headers["x-wuts-user"] == member.id
    assert "x-wuts-account" not in request.headers


def test_an_account_that_is_switched_off_is_a_stranger_at_once(
        front, houses, asked):
    member = houses[0].member()
    assert front.own.request("GET", "/v1/groups",
                             member.token).status_code == 200
    done(houses[0].admin.client.put(f"/users/{member.id}", {"active": False}))
    asked.clear()
    refused(front.own.request("GET", "/v1/groups", member.token), 401, 1005)
    assert asked == []


# --- which paths do not ---

def test_a_wrong_method_reaches_the_engine_on_no_path(front, houses, asked):
    token = houses[0].tokens["admin"]
    for methods, path, _ in TABLE:
        known = set(methods.split(","))
        for method in METHODS:
            if method in known:
                continue
            answer = front.own.request(method, filled(path), token,
                                       None if method == "GET" else b"{}")
            refused(answer, 405, 1025)
            assert known <= set(answer.headers["Allow"].split(", "))
            assert method not in answer.headers["Allow"].split(", ")
        answer = front.own.request("OPTIONS", filled(path), token)
        assert answer.status_code in (204, 405), path
        assert known <= set(answer.headers["Allow"].split(", "))
    assert asked == []


UNKNOWN = """
/v1/account/x /v1/accounts /v1/messages/a/b /v1/media/a/b /v1/groups/a/b
/v1/groups/a/icon/b /v1/contacts/a /v1/contacts/a/identity/b /v1/services
/v1/settings /v1/settings/business /v1/settings/profile /v1/stickerpacks/a/b
/v1/settings/application/media /v1/stickerpacks/a/stickers/b/c /v1/Messages
/v1/stats/app/internal /v1/stats/db/internal /v1/v1/messages /v2/messages
/v1/messages.json /v1/.wuts-onprem-auth /v1/wuts
""".split()
HOSTILE = """
//v1/messages /v1//messages /v1/messages// /v1/./messages /v1/x/../messages
/v1/messages/. /v1/messages/.. /v1/messages/%2e /v1/messages/%2e%2E
/v1/messages/%2e%2e%2faccount /v1/groups/%2e%2e/icon /v1/groups/a%2Fb
/v1/groups/a%2fb/icon /v1/groups/a%5Cb /v1/groups/a%00b /v1/groups/a%0d%0ab
/v1/groups/a%7f /v1/groups/a%3Fb /v1/groups/a%23b /v1/groups/a%25b
/v1/groups/a%252Fb /v1/groups/a;/../b /v1/groups/a|b /v1/groups/a"b
/v1/groups/a<b /v1/groups/a\\b /v1/groups/a{b} /v1/groups/a^b
/v1/%6dessages /v1/message%73 /%761/messages /v1%2Fmessages /v1/groups/%
/v1/groups/%4 /v1/groups/%zz /v1/settings/%2e%2e/account
/v1/contacts/a/identity%2F /.wuts-onprem-auth /.wuts-onprem-error
/@wuts_onprem_engine @wuts_onprem_engine /%40wuts_onprem_engine
http://localhost/v1/groups/../account /v1/messages#x /v1/media/../account
""".split()


@pytest.mark.parametrize("where", ["own", "shared"])
def test_an_unknown_or_hostile_path_never_reaches_the_engine(
        front, houses, asked, where):
    server = getattr(front, where)
    token = houses[0].tokens["admin"]
    for method in "GET", "POST", "DELETE":
        for path in UNKNOWN:
            answer = server.request(method, path, token, b"{}")
            if path.startswith("/v1/") or where == "own":
                refused(answer, 404, 1006, "Endpoint not found")
            else:
                assert answer.status_code == 404
        for path in HOSTILE:
            answer = server.request(method, path, token, b"{}")
            assert answer.status_code in (400, 404, 405), (path, answer.text)
            if where == "own":
                assert answer.text.startswith("{"), (path, answer.text)
                assert answer.json()["errors"][0]["code"] in (
                    1006, 1009, 1025), (path, answer.text)
            server.close()
    assert asked == []


def test_a_very_long_name_is_no_trouble(front, houses, asked):
    token = houses[0].tokens["any"]
    name = "a" * 6000
    answer = front.own.request("GET", "/v1/groups/" + name, token)
    assert answer.status_code == 200
    assert asked[0].target == "/v1/groups/" + name
    asked.clear()
    for path in ("/v1/groups/" + "a/" * 3000, "/v1/groups/" + "%41" * 2000 +
                 "^", "/v1/" + "/" * 4000):
        assert front.own.request("GET", path, token).status_code in (400, 404)
    assert asked == []


# --- sizes, and what nginx itself refuses ---

def test_a_body_over_the_limit_never_reaches_the_engine(front, houses, asked):
    token = houses[0].tokens["any"]
    for server in front.own, front.shared:
        refused(server.request("POST", "/v1/messages", token,
                               b"x" * (MEBIBYTE + 1)), 413, 1025)
        server.close()
        refused(server.request("POST", "/v1/messages", token,
                               pieces(2 * MEBIBYTE)), 413, 1025)
        server.close()
        # Nobody waits for 100 MiB to say that they are too many.
        refused(server.raw(
            b"POST /v1/media HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            b"Authorization: Bearer %s\r\nContent-Length: %d\r\n"
            b"Expect: 100-continue\r\n\r\n" % (
                token.encode(), 100 * MEBIBYTE + 1)), 413, 1025)
    assert asked == []
    answer = front.own.request("POST", "/v1/messages", token,
                               b"x" * MEBIBYTE)
    assert answer.status_code == 201
    assert len(asked[0].body) == MEBIBYTE


def test_what_nginx_refuses_has_the_dialects_shape(front):
    head = b"Host: x\r\nConnection: close\r\n\r\n"
    for server in front.own, front.shared:
        for data, status, code in (
                (b"GET /v1/%zz HTTP/1.1\r\n" + head, 400, 1025),
                (b"GET /v1/" + b"a" * 9000 + b" HTTP/1.1\r\n" + head, 414,
                 1025),
                (b"GET /v1/groups HTTP/1.1\r\nX: " + b"a" * 9000 + b"\r\n" +
                 head, 431, 1025),
                (b"GET /v1/groups HTTP/1.1\r\nContent-Length: x\r\n" + head,
                 400, 1025),
                (b"TRACE /v1/groups HTTP/1.1\r\n" + head, 405, 1025),
                (b"POST /v1/groups HTTP/1.1\r\nTransfer-Encoding: what\r\n" +
                 head, 501, 1025)):
            refused(server.raw(data), status, code)


def test_a_client_that_waits_for_leave_gets_it_only_with_the_right(
        front, houses, asked):
    def begin(token):
        return (b"POST /v1/media HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                b"Authorization: Bearer %s\r\nContent-Length: 5\r\n"
                b"Expect: 100-continue\r\n\r\n" % token.encode())

    refused(front.own.elsewhere().raw(begin("wrong")), 401, 1005)
    assert asked == []
    with socket.create_connection(("127.0.0.1", front.own.port), 30) as s:
        s.sendall(begin(houses[0].tokens["any"]))
        assert s.recv(1000).startswith(b"HTTP/1.1 100 Continue")
        s.sendall(b"media")
        assert s.recv(1000).startswith(b"HTTP/1.1 200")
    assert asked[0].body == b"media"


def test_a_refused_upload_leaves_the_connection_usable(front, houses, asked):
    server = front.own.elsewhere()
    for status, token in ((401, "wrong"), (200, houses[0].tokens["any"])) * 3:
        before = server.connection
        answer = server.request("POST", "/v1/contacts", token,
                                b'{"contacts":[]}' + b" " * 60000)
        assert answer.status_code == status
        assert before is None or server.connection is before
    assert len(asked) == 3


# --- what comes back ---

def test_the_engines_answer_is_the_answer(front, houses, asked, engine):
    text = b'{"errors":[{"code":470,"title":"Re-engagement message"}]}'
    for status in 200, 201, 400, 401, 403, 404, 413, 429, 500, 502, 503, 504:
        engine.answers.append((status, [("X-Engine", "7"), (
            "Content-Type", "application/json; v=1")], text))
        answer = front.own.request("POST", "/v1/messages",
                                   houses[0].tokens["any"], b"{}")
        assert (answer.status_code, answer.content) == (status, text)
        assert answer.headers["X-Engine"] == "7"
        assert answer.headers["Content-Type"] == "application/json; v=1"
        assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])


def test_the_engine_cannot_send_nginx_elsewhere(front, houses, asked, engine):
    engine.answers.append((200, [("X-Accel-Redirect", "/v1/users/admin"),
                                 ("X-Request-Id", "x")], b"{}"))
    answer = front.own.request("GET", "/v1/groups", houses[0].tokens["any"])
    assert (answer.status_code, answer.content) == (200, b"{}")
    assert answer.headers["X-Request-ID"] != "x"


def test_an_engine_that_is_away_is_told_in_the_vendors_words(
        front, houses, asked, engine, wuts):
    token = houses[0].tokens["any"]
    engine.answers.append((None, [], b""))	# breaks off
    refused(front.own.request("POST", "/v1/messages", token, b"{}"), 500, 1014,
            ENGINE_AWAY)
    assert len(asked) == 1	# never sent twice
    engine.answers.append((None, [], b""))
    refused(front.own.request("POST", "/v1/media", token, b"x" * MEBIBYTE),
            500, 1014, ENGINE_AWAY)
    engine.close()
    try:
        for server in front.own, front.shared:
            for method, path in ("POST", "/v1/messages"), \
                    ("GET", "/v1/groups"), ("POST", "/v1/media"):
                refused(server.request(method, path, token,
                                       None if method == "GET" else b"{}"),
                        500, 1014, ENGINE_AWAY)
        refused(front.own.elsewhere().request(
            "POST", "/v1/messages", "wrong", b"{}"), 401, 1005)
    finally:
        engine.__init__(engine.path, wuts.url, engine.token)
    assert front.own.request("POST", "/v1/messages", token,
                             b"{}").status_code == 201


def test_an_engine_that_hangs_is_told_in_the_vendors_words(front, houses,
                                                           asked, engine):
    over = threading.Event()
    engine.answers.append(lambda: over.wait(30) and OK)
    try:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            hanging = pool.submit(front.other.request, "POST", "/v1/messages",
                                  houses[1].tokens["any"], b"{}")
            wait_for("the engine", lambda: asked)
            # Nobody else waits for it.
            assert front.own.request("GET", "/v1/groups",
                                     houses[0].tokens["any"],
                                     ).status_code == 200
            refused(hanging.result(), 500, 1014, ENGINE_AWAY)
    finally:
        over.set()


def test_without_an_engine_the_service_is_not_ready(front, houses, asked):
    for method, path, role in CALLS:
        body = None if method == "GET" else b"{}"
        refused(front.bare.request(method, filled(path),
                                   houses[0].tokens[role], body), 503, 1011)
        if role == "admin":
            refused(front.bare.request(method, filled(path),
                                       houses[0].tokens["any"], body), 403,
                    1005)
    assert asked == []


def test_while_wutsd_is_away_the_service_is_not_ready(front, houses, asked):
    known = refused(front.own.request("GET", "/v1/nowhere"), 404, 1006)
    for method, path, body in (("POST", "/v1/messages", b"{}"),
                               ("POST", "/v1/media", b"x" * MEBIBYTE),
                               ("GET", "/v1/health", None),
                               ("GET", "/v1/nowhere", None)):
        body = refused(front.orphan.request(
            method, path, houses[0].tokens["any"], body), 503, 1011)
        assert body["meta"] == known["meta"]
    assert asked == []
