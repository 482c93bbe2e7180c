# SPDX-License-Identifier: MIT
"""Rubbish of every kind: never a 5xx, never a dead server. The same each time,
unless WUTS_FUZZ_SEED says otherwise; the seed is printed on failure."""
import json
import os
import random
import re
import socket
import urllib.parse

import pytest

from harness import done, loopback_address

SEED = int(os.environ.get("WUTS_FUZZ_SEED", "20261121"))
ROUNDS = int(os.environ.get("WUTS_FUZZ_ROUNDS", "150"))


@pytest.fixture(scope="module")
def house(wuts):
    tenant = wuts.tenant()
    tenant.user = tenant.member()
    tenant.device = tenant.admin.device()
    return tenant


def exchange(wuts, request):
    """Raw bytes there and back; the status, or None when nginx only closed."""
    address = urllib.parse.urlsplit(wuts.url)
    with socket.create_connection((address.hostname, address.port), 30,
                                  (loopback_address(), 0)) as s:
        try:
            s.sendall(request)
            s.shutdown(socket.SHUT_WR)
            answer = b""
            while chunk := s.recv(65536):
                answer += chunk
        except (ConnectionResetError, BrokenPipeError):
            return None
    match = re.match(rb"HTTP/1\.[01] (\d{3}) ", answer)
    return int(match.group(1)) if match else None


def alive(house):
    done(house.admin.client.get("/users"))


def targets(house):
    return [("POST", "/register"), ("POST", "/users"),
            ("PUT", f"/users/{house.user.id}"),
            ("POST", f"/users/{house.user.id}/promote"),
            ("POST", f"/users/{house.user.id}/token"),
            ("POST", "/api-keys"), ("POST", "/devices"), ("POST", "/webhook"),
            ("POST", f"/devices/{house.device}/events")]


def mutate(rng, body):
    body = bytearray(body)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(body) + 1)
        kind = rng.randrange(4)
        if kind == 0:
            body[at:at] = rng.randbytes(rng.randint(1, 4))
        elif kind == 1:
            del body[at:at + rng.randint(1, 6)]
        elif kind == 2:
            body[at:at + 1] = rng.choice(b'{}[]",:\\0-eEtfn\x00\xff').to_bytes(
                1, "little")
        else:
            body[at:at] = body[:rng.randint(0, len(body))]
    return bytes(body)


BODIES = [json.dumps(body).encode() for body in (
    {"tenant_name": "fuzz", "email": "a@example.com", "password": "12345678"},
    {"email": "fuzz@example.com", "password": "12345678", "role": "user"},
    {"active": True, "role": "user"}, {"new_role": "user"}, {"name": "fuzz"},
    {"name": "fuzz", "scope": "read", "expires_at": "2999-01-01T00:00:00Z"},
    {"webhook_url": "https://example.com", "enabled_events": ["*"],
     "headers": {"X-A": "b"}, "timeout": 10, "secret": "12345678"},
    {"event": "message.received", "data": {"a": [1, 2.5, None, "\u00e3"]}},
    [{"event": "call.offer", "data": {}}] * 3)]


def test_random_bodies(wuts, house):
    rng = random.Random(SEED)
    for n in range(ROUNDS):
        method, path = rng.choice(targets(house))
        body = rng.randbytes(rng.randint(0, 2000)) if n % 3 == 0 else \
            mutate(rng, rng.choice(BODIES))
        media = rng.choice(["application/json"] * 4 +
                           ["application/x-ndjson", "text/plain", ""])
        client = wuts.master() if path == "/register" else house.admin.client
        response = client.request(method, path, data=body, headers={
            "Content-Type": media, "Idempotency-Key": rng.choice("abcdefgh")})
        assert response.status_code < 500, (SEED, method, path, body)
    alive(house)


def random_value(rng, depth=0):
    kind = rng.randrange(9 if depth < 4 else 7)
    if kind == 7:
        return [random_value(rng, depth + 1) for _ in range(rng.randint(0, 4))]
    if kind == 8:
        return {rng.choice(["a", "", "é", "event", "x" * 300, "$"]):
                random_value(rng, depth + 1)
                for _ in range(rng.randint(0, 4))}
    return [None, True, rng.randint(-2**63, 2**63 - 1), rng.random() * 1e300,
            "".join(chr(rng.choice([0x20, 0x41, 0x7f, 0x85, 0xe9, 0x2028,
                                    0xfffe, 0x1f600, 0x10ffff, 0x0a]))
                    for _ in range(rng.randint(0, 40))),
            "x" * rng.choice([0, 1, 254, 255, 2048, 70000]),
            rng.choice(["admin", "https://example.com/", "a@example.com",
                        "message.sent", "2026-01-01T00:00:00Z", "*"])][kind]


def test_valid_json_of_every_type_in_every_member(wuts, house):
    rng = random.Random(SEED + 1)
    members = ["tenant_name", "email", "password", "role", "webhook_url",
               "active", "new_role", "name", "enabled_events", "enabled",
               "retry_attempts", "timeout", "secret", "ordered",
               "max_concurrency", "rate_limit", "headers", "event", "data",
               "timestamp", "id", "scope", "expires_at"]
    for _ in range(ROUNDS):
        method, path = rng.choice(targets(house))
        body = {name: random_value(rng)
                for name in rng.sample(members, rng.randint(0, 23))}
        client = wuts.master() if path == "/register" else house.admin.client
        response = client.request(method, path, body)
        assert response.status_code < 500, (SEED, method, path, body)
    alive(house)


def test_random_requests(wuts, house):
    rng = random.Random(SEED + 2)
    token = house.admin.token.encode()
    alphabet = [bytes([c]) for c in range(0x21, 0x7f)] + [
        b"%00", b"%2f", b"%2e%2e/", b"%", b"%zz", b"/", b"//", b"\xff",
        b"%c3%28", b"..", b";", b"?"]
    for _ in range(ROUNDS):
        path = b"/" + rng.choice([
            b"", b"users/", b"devices/", b"webhook?", b"users?", b"audit?",
            b"api-keys?", b"api-keys/", b"global/tenants/"]) + b"".join(
            rng.choice(alphabet) for _ in range(rng.randint(0, 60)))
        method = rng.choice([b"GET", b"POST", b"PUT", b"DELETE", b"HEAD",
                             b"OPTIONS", b"PATCH", b"TRACE", b"X"])
        request = method + b" " + path + b" HTTP/1.1\r\nHost: x\r\n" \
            b"Connection: close\r\nAuthorization: Bearer " + token + b"\r\n"
        for _ in range(rng.randint(0, 3)):
            request += rng.choice([
                b"If-Match", b"X-Request-Id", b"Content-Type", b"Origin",
                b"X-Forwarded-For", b"Accept", b"Idempotency-Key"]) + b": " \
                + bytes(rng.choice([c for c in range(256)
                                    if c not in b"\r\n\x00"])
                        for _ in range(rng.randint(0, 80))) + b"\r\n"
        status = exchange(wuts, request + b"\r\n")
        # 501, 505: nginx does not know the method or the version
        assert status is None or status < 500 or status in (501, 505), \
            (SEED, status, request)
    alive(house)


def test_random_bytes_instead_of_http(wuts, house):
    rng = random.Random(SEED + 3)
    for _ in range(20):
        status = exchange(wuts, rng.randbytes(rng.randint(1, 4000)))
        assert status is None or status < 500
    alive(house)


def test_a_request_that_breaks_off_harms_nobody(wuts, house):
    head = b"POST /devices HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + \
        house.admin.token.encode() + b"\r\nContent-Type: application/json\r\n"
    for request in (head + b"Content-Length: 1000\r\n\r\n{",
                    head + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
                    head, head[:20]):
        status = exchange(wuts, request)
        assert status is None or status < 500
    alive(house)


def test_no_worker_died_of_all_this(wuts, house):
    """Runs last in this file."""
    alive(house)
    log = (wuts.run / "logs" / "wutsd.log").read_text(errors="replace")
    for bad in "AddressSanitizer", "runtime error", "assert", "signal 6", \
            "signal 11", " error ":
        assert bad not in log, [line for line in log.splitlines()
                                if bad in line][:5]
