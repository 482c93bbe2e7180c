# SPDX-License-Identifier: MIT
"""What the operator's settings change: an instance with other ones."""
import ipaddress
import re
import socket

import pytest

import fastcgi
from harness import Instance, done, invalid, is_uuid, refused, wait_for

ORIGIN = "https://console.example.com"


@pytest.fixture(scope="module")
def strict(request):
    instance = Instance.start(
        webhook_allow="", webhook_allow_host="*.local localhost",
        webhook_http="no", show_tokens="no",
        body_limit="4K", cors_origin=ORIGIN, auth_failure_limit=3,
        metrics_allow="127.77.0.0/16 ::1",
        retry_base="10ms", workers=1, queue_tenant_max_records=20)
    yield instance
    instance.stop_and_check(request.session.testsfailed > 0)


@pytest.fixture(scope="module")
def tenant(strict):
    return strict.tenant()


def test_lists_show_masked_tokens_only(tenant):
    (user,) = [user for user in done(tenant.admin.client.get(
        "/users"))["users"] if user["id"] == tenant.admin.id]
    token = tenant.admin.token
    assert user["token"] == token[:4] + "…" + token[-4:]
    assert is_uuid(tenant.member().token)


def test_http_and_loopback_are_refused_when_configured(tenant):
    member = tenant.member()
    member.device()
    for url in ("http://example.com/", "https://127.0.0.1/",
                "https://[::1]/", "https://127.1/",
                "https://[::ffff:127.0.0.1]/"):
        invalid(member.client.post("/webhook", {
            "webhook_url": url, "enabled_events": ["*"]}), "webhook_url")
    invalid(tenant.admin.client.post("/users", {
        "email": "x@example.com", "password": "12345678",
        "webhook_url": "http://example.com/"}), "webhook_url")


def private_name():
    """A name that resolves to an address of this machine that is not public,
    and a listener there."""
    for name in [name for line in open("/etc/hosts")
                 for name in line.partition("#")[0].split()] + \
            [socket.gethostname()]:
        try:
            address = socket.gethostbyname(name)
            if name == address or name.startswith("localhost") or \
                    ipaddress.ip_address(address).is_global:
                continue
            return name, socket.create_server((address, 0))
        except (OSError, UnicodeError):
            continue
    pytest.skip("no name of this machine resolves to a private address")


def test_a_name_that_leads_to_a_private_address_is_refused_at_delivery(
        strict, tenant):
    """The name may resolve to anything by then: the address decides."""
    member = tenant.member()
    device = member.device()
    name, listener = private_name()
    with listener:
        done(member.client.post("/webhook", {
            "webhook_url": f"https://{name}:{listener.getsockname()[1]}/x",
            "enabled_events": ["*"], "retry_attempts": 1}), 201)
        event_id = done(strict.engine().post(f"/devices/{device}/events", {
            "event": "call.offer", "data": {}}), 202)["ids"][0]
        dead = strict.run / "queue" / "dead"
        wait_for("the event is a dead letter", lambda: any(
            event_id.encode() in path.read_bytes()
            for path in dead.iterdir()))
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_a_host_that_the_operator_allows_by_name_may_be_anywhere(
        strict, tenant):
    member = tenant.member()
    device = member.device()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        port = listener.getsockname()[1]
        for url in f"https://127.0.0.1:{port}/", "https://x.localhost/":
            invalid(member.client.post("/webhook", {
                "webhook_url": url, "enabled_events": ["*"]}), "webhook_url")
        done(member.client.post("/webhook", {
            "webhook_url": f"https://LocalHost:{port}/",
            "enabled_events": ["*"], "retry_attempts": 0}), 201)
        done(strict.engine().post(f"/devices/{device}/events", {
            "event": "call.offer", "data": {}}), 202)
        with listener.accept()[0] as connection:
            connection.settimeout(30)
            assert connection.recv(1) == b"\x16"	# a TLS handshake


def waiting_device(tenant):
    """A device whose events wait: its webhook is not enabled."""
    member = tenant.member()
    device = member.device()
    done(member.client.post("/webhook", {
        "webhook_url": "https://example.com/", "enabled": False,
        "enabled_events": ["*"]}), 201)
    return device


def test_a_tenant_over_its_quota_is_refused_and_no_other(strict):
    engine, full = strict.engine(), strict.tenant()
    device, other = waiting_device(full), waiting_device(strict.tenant())
    events = [{"event": "call.offer", "data": {}}] * 11

    # What tells of the tenants themselves counts, too, until it is dropped.
    wait_for("an empty queue", lambda: strict.metrics().waiting() == 0)

    def report(device):
        return engine.post(f"/devices/{device}/events", events)

    done(report(device), 202)
    refused(report(device), 503, "QUEUE_FULL")
    done(engine.post(f"/devices/{device}/events", events[:9]), 202)
    refused(engine.post(f"/devices/{device}/events", events[:1]), 503,
            "QUEUE_FULL")
    done(report(other), 202)
    # What is not the engine's is taken all the same.
    full.member()


def test_events_that_meet_are_appended_at_once_and_judged_apart(strict):
    device = waiting_device(strict.tenant())
    event = {"event": "call.offer", "data": {}}

    def report(*bodies):
        return fastcgi.meet(
            int((strict.run / "pids/wutsd").read_text()),
            strict.sockets / "wutsd.sock",
            [fastcgi.post(f"/devices/{device}/events", strict.engine_token,
                          body) for body in bodies])

    over_quota = [event] * 21
    assert [status for status, _ in report(event, over_quota, event)] == \
        [202, 503, 202]
    answers = report(*[event] * 8)
    assert [status for status, _ in answers] == [202] * 8
    # One append: doc/queue-format.md on "more".
    queue = "".join(path.read_text(errors="replace") for path in
                    (strict.run / "queue").glob("*/*.seg"))
    ids = [re.search(rb'"ids":\["([^"]+)"', text)[1].decode()
           for _, text in answers]
    more = [re.search(f'"id":"{event_id}".*"more":(\\d+)', queue)[1]
            for event_id in ids]
    assert sorted(more) == list("01234567")


def test_the_body_limit_is_the_operators(tenant):
    body = b'{"name":"x","y":"' + b"z" * 4096 + b'"}'
    refused(tenant.admin.client.post("/devices", data=body, headers={
        "Content-Type": "application/json"}), 413, "PAYLOAD_TOO_LARGE")


def test_the_failure_limit_is_the_operators(strict):
    guesser = strict.client("guess")
    for _ in range(3):
        refused(guesser.get("/users"), 401, "UNAUTHORIZED")
    refused(guesser.get("/users"), 429, "RATE_LIMITED")


def test_cors_is_for_the_configured_origin(strict, tenant):
    client = tenant.admin.client
    allowed = client.get("/users", headers={"Origin": ORIGIN})
    assert allowed.headers["Access-Control-Allow-Origin"] == ORIGIN
    other = client.get("/users", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in other.headers
    preflight = strict.client().request("OPTIONS", "/users", headers={
        "Origin": ORIGIN, "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type"})
    assert preflight.status_code == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    words = preflight.headers["Access-Control-Allow-Headers"].lower()
    assert "authorization" in words and "content-type" in words
    refusal = strict.client().get("/users", headers={"Origin": ORIGIN})
    assert refusal.headers["Access-Control-Allow-Origin"] == ORIGIN


def test_one_worker_serves_many_connections(strict, tenant):
    clients = [strict.client(tenant.admin.token) for _ in range(20)]
    for _ in range(3):
        for client in clients:
            done(client.get("/webhook/events"))


def test_a_browser_page_may_read_what_comes_from_the_engine(strict, tenant):
    """Also when there is no engine: nginx answers that itself."""
    member = tenant.member()
    member.device()
    for origin, allowed in (ORIGIN, ORIGIN), ("https://evil.example", None):
        response = member.client.post("/connect", headers={"Origin": origin})
        refused(response, 503, "DEVICE_NOT_READY")
        assert response.headers.get(
            "Access-Control-Allow-Origin") == allowed
        assert response.headers["Vary"] == "Origin"


def test_metrics_are_for_addresses_that_are_allowed(strict):
    allowed = strict.client(address="127.77.3.4")
    other = strict.client(address="127.78.3.4")
    assert "wuts_build_info{" in allowed.get("/metrics").text
    refused(other.get("/metrics"), 401, "UNAUTHORIZED")
    # The client may say what it likes of where it comes from.
    refused(other.get("/metrics", headers={
        "X-Forwarded-For": "127.77.3.4", "X-Real-IP": "127.77.3.4",
        "Forwarded": "for=127.77.3.4"}), 401, "UNAUTHORIZED")
    refused(allowed.get("/tenants"), 401, "UNAUTHORIZED")
