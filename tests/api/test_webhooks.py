# SPDX-License-Identifier: MIT
"""POST, GET and DELETE /webhook, for devices and for the tenant."""
import re
import threading
import uuid

import pytest

from harness import PASSWORD, done, invalid, is_time, refused

URL = "https://example.com/hook"
MEMBERS = {"id", "device_id", "webhook_url", "enabled_events", "enabled",
           "retry_attempts", "timeout", "ordered", "max_concurrency",
           "rate_limit", "headers", "created_at", "updated_at"}


def settings(**members):
    return {"webhook_url": URL, "enabled_events": ["message.received"],
            **members}


@pytest.fixture(scope="module")
def house(wuts):
    """A tenant with one device, for requests that are refused."""
    tenant = wuts.tenant()
    tenant.device = tenant.admin.device()
    return tenant


@pytest.fixture
def owner(tenant):
    """A member with one device."""
    member = tenant.member()
    member.device_id = member.device()
    return member


def test_a_webhook_is_created_and_its_secret_shown_once(owner):
    response = owner.client.post("/webhook", settings())
    answer = done(response, 201)
    assert set(answer) == {"success", "message", "webhook"}
    assert answer["message"] == "Webhook configured successfully"
    webhook = answer["webhook"]
    assert set(webhook) == MEMBERS | {"secret"}
    secret = webhook.pop("secret")
    assert secret.startswith("whsec_") and len(secret) >= 38
    assert re.fullmatch(r"wh_[0-9a-f]{16}", webhook["id"])
    assert webhook["device_id"] == owner.device_id
    assert is_time(webhook["created_at"]) and is_time(webhook["updated_at"])
    assert {k: webhook[k] for k in MEMBERS - {
        "id", "device_id", "created_at", "updated_at"}} == {
        "webhook_url": URL, "enabled_events": ["message.received"],
        "enabled": True, "retry_attempts": 3, "timeout": 30,
        "ordered": False, "max_concurrency": 16, "rate_limit": 0,
        "headers": {}}
    shown = owner.client.get("/webhook")
    assert done(shown)["webhook"] == webhook
    assert secret not in shown.text
    again = owner.client.post("/webhook", settings())
    assert "secret" not in done(again, 200)["webhook"]


def test_every_setting_is_kept(owner):
    asked = settings(
        enabled_events=["message.sent", "*", "call.offer"], enabled=False,
        retry_attempts=0, timeout=60, ordered=True, max_concurrency=256,
        rate_limit=5, headers={"X-Tenant": "acme", "Authorization": "Basic x"})
    done(owner.client.post("/webhook", {**asked, "secret": "s3cr3t-s3cr3t"}),
         201)
    shown = done(owner.client.get("/webhook"))["webhook"]
    for name, value in asked.items():
        assert shown[name] == value, name


def test_a_second_call_replaces_everything_but_the_identity(owner):
    first = done(owner.client.post("/webhook", settings(
        retry_attempts=7, headers={"X-A": "b"})), 201)["webhook"]
    second = done(owner.client.post("/webhook", settings(
        webhook_url=URL + "/2")), 200)["webhook"]
    assert second["id"] == first["id"]
    assert second["created_at"] == first["created_at"]
    assert second["retry_attempts"] == 3 and second["headers"] == {}
    assert second["webhook_url"] == URL + "/2"


def test_a_given_secret_is_never_shown(owner):
    secret = "my-own-secret-value"
    created = owner.client.post("/webhook", settings(secret=secret))
    done(created, 201)
    for response in created, owner.client.get("/webhook"), \
            owner.client.post("/webhook", settings(secret=secret)):
        assert secret not in response.text
        assert "secret" not in response.json()["webhook"]


def test_deleting_takes_the_webhook_away(owner):
    refused(owner.client.get("/webhook"), 404, "WEBHOOK_NOT_FOUND")
    refused(owner.client.delete("/webhook"), 404, "WEBHOOK_NOT_FOUND")
    done(owner.client.post("/webhook", settings()), 201)
    answer = done(owner.client.delete("/webhook"))
    assert answer == {"success": True, "message":
                      "Webhook configuration deleted successfully"}
    refused(owner.client.get("/webhook"), 404, "WEBHOOK_NOT_FOUND")
    done(owner.client.post("/webhook", settings()), 201)


def test_concurrent_configurations_make_one_webhook(wuts, owner):
    statuses = []

    def configure(n):
        statuses.append(wuts.client(owner.token).post("/webhook", settings(
            timeout=n)).status_code)

    threads = [threading.Thread(target=configure, args=(n,))
               for n in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * 5 + [201]


# --- which one ---

def test_without_a_device_there_is_no_webhook(tenant):
    member = tenant.member()
    for method, body in ("GET", None), ("POST", settings()), ("DELETE", None):
        refused(member.client.request(method, "/webhook", body), 404,
                "DEVICE_NOT_FOUND")


def test_with_several_devices_one_is_named(owner):
    second = owner.device("second")
    for method, body in ("GET", None), ("POST", settings()), ("DELETE", None):
        invalid(owner.client.request(method, "/webhook", body), "device_id")
    done(owner.client.post(f"/webhook?device_id={second}", settings()), 201)
    refused(owner.client.get(f"/webhook?device_id={owner.device_id}"), 404,
            "WEBHOOK_NOT_FOUND")
    answer = done(owner.client.get(f"/webhook?device_id={second}"))
    assert answer["webhook"]["device_id"] == second


def test_whose_device_it_may_be(wuts, tenant, owner):
    path = f"/webhook?device_id={owner.device_id}"
    done(tenant.admin.client.post(path, settings()), 201)
    done(tenant.member("manager").client.get(path))
    refused(tenant.member().client.get(path), 404, "DEVICE_NOT_FOUND")
    refused(wuts.tenant().admin.client.get(path), 404, "DEVICE_NOT_FOUND")
    done(wuts.master().get(path))
    refused(wuts.master().get(f"/webhook?device_id={uuid.uuid4()}"), 404,
            "DEVICE_NOT_FOUND")
    invalid(wuts.master().get("/webhook"), "device_id")
    invalid(owner.client.get("/webhook?device_id=string"), "device_id")


def test_the_tenant_webhook_is_the_admins(wuts, tenant, owner):
    path = "/webhook?scope=tenant"
    events = settings(enabled_events=["user.role_changed"])
    for member in owner, tenant.member("manager"):
        for method, body in (("GET", None), ("POST", events),
                             ("DELETE", None)):
            refused(member.client.request(method, path, body), 403,
                    "FORBIDDEN")
    client = tenant.admin.client
    refused(client.get(path), 404, "WEBHOOK_NOT_FOUND")
    webhook = done(client.post(path, events), 201)["webhook"]
    assert set(webhook) == MEMBERS - {"device_id"} | {"secret"}
    webhook.pop("secret")
    assert done(client.get(path))["webhook"] == webhook
    assert done(wuts.master().get(
        f"{path}&tenant_id={tenant.id}"))["webhook"] == webhook
    refused(wuts.tenant().admin.client.get(
        f"{path}&tenant_id={tenant.id}"), 404, "WEBHOOK_NOT_FOUND")
    done(client.delete(path))
    refused(client.get(path), 404, "WEBHOOK_NOT_FOUND")


def test_the_master_names_the_tenant_of_a_tenant_webhook(wuts):
    path = "/webhook?scope=tenant"
    events = settings(enabled_events=["user.created"])
    for method, body in ("GET", None), ("POST", events), ("DELETE", None):
        invalid(wuts.master().request(method, path, body), "tenant_id")
    unknown = f"{path}&tenant_id={uuid.uuid4()}"
    refused(wuts.master().post(unknown, events), 404, "TENANT_NOT_FOUND")
    invalid(wuts.master().get(path + "&tenant_id=x"), "tenant_id")


def test_a_scope_that_is_none_is_refused(house):
    invalid(house.admin.client.get("/webhook?scope=world"), "scope")
    refused(house.admin.client.get("/webhook?scope=device"), 404,
            "WEBHOOK_NOT_FOUND")


# --- what it may be ---

@pytest.mark.parametrize("members,field", [
    ({"webhook_url": None}, "webhook_url"),
    ({"webhook_url": 1}, "webhook_url"),
    ({"enabled_events": None}, "enabled_events"),
    ({"enabled_events": []}, "enabled_events"),
    ({"enabled_events": "message.received"}, "enabled_events"),
    ({"enabled_events": ["message.sent", 1]}, "enabled_events[1]"),
    ({"enabled": "yes"}, "enabled"),
    ({"retry_attempts": -1}, "retry_attempts"),
    ({"retry_attempts": 21}, "retry_attempts"),
    ({"retry_attempts": 1.5}, "retry_attempts"),
    ({"retry_attempts": "3"}, "retry_attempts"),
    ({"timeout": 0}, "timeout"), ({"timeout": 61}, "timeout"),
    ({"timeout": 9223372036854775807}, "timeout"),
    ({"max_concurrency": 0}, "max_concurrency"),
    ({"max_concurrency": 257}, "max_concurrency"),
    ({"rate_limit": -1}, "rate_limit"),
    ({"ordered": 1}, "ordered"),
    ({"secret": "1234567"}, "secret"), ({"secret": "x" * 129}, "secret"),
    ({"secret": 12345678}, "secret"),
    ({"headers": []}, "headers"),
    ({"headers": {"X-A": 1}}, "headers")])
def test_a_bad_setting_is_named(house, members, field):
    response = house.admin.client.post("/webhook", settings(**members))
    invalid(response, field)
    assert "12345678" not in response.text


@pytest.mark.parametrize("name,value", [
    ("Host", "x"), ("host", "x"), ("Content-Type", "x"),
    ("content-length", "1"), ("Content-Encoding", "x"),
    ("Transfer-Encoding", "chunked"), ("Connection", "close"),
    ("webhook-id", "x"), ("Webhook-Signature", "x"), ("X-WUTS-Event", "x"),
    ("x-wuts-anything", "x"), ("", "x"), ("X A", "x"), ("X:A", "x"),
    ("X-É", "x"), ("X-A", "a\r\nX-B: c"), ("X-A", "a\nb"), ("X-A", "é"),
    ("X-A", "v" * 1025)])
def test_a_header_that_may_not_be_set_is_refused(house, name, value):
    response = house.admin.client.post("/webhook", settings(
        headers={name: value}))
    body = refused(response, 400, "VALIDATION_ERROR")
    assert body["validation"][0]["field"].startswith("headers")


def test_at_most_twenty_headers(house):
    response = house.admin.client.post("/webhook", settings(
        headers={f"X-{i}": "v" for i in range(21)}))
    body = refused(response, 400, "VALIDATION_ERROR")
    assert body["validation"][0]["field"] == "headers"


def test_a_header_given_twice_in_another_case_is_refused(house):
    response = house.admin.client.post("/webhook", settings(
        headers={"X-A": "1", "x-a": "2"}))
    refused(response, 400, "VALIDATION_ERROR")


def test_an_unknown_event_name_is_refused(house):
    body = refused(house.admin.client.post("/webhook", settings(
        enabled_events=["message.received", "message.eaten"])), 400,
        "UNKNOWN_EVENT")
    assert "message.eaten" in str(body)
    for pattern in "eaten.*", "*.*", "message.", "message.received.*", "":
        refused(house.admin.client.post("/webhook", settings(
            enabled_events=[pattern])), 400, "UNKNOWN_EVENT")


def test_patterns_are_kept_as_asked_each_once(owner):
    asked = ["message.*", "message.sent", "call.*"]
    shown = done(owner.client.post("/webhook", settings(
        enabled_events=asked + ["message.*", "message.sent"])),
        201)["webhook"]
    assert shown["enabled_events"] == asked


def test_all_bad_settings_are_named_at_once(house):
    invalid(house.admin.client.post("/webhook", settings(
        webhook_url="ftp://x", retry_attempts=99, timeout=0)),
        "webhook_url", "retry_attempts", "timeout")


BAD_URLS = """
ftp://example.com/ example.com // https:// https:///x https://exa\u200bmple/
https://user@example.com/ https://user:secret@example.com/
https://example.com/#part https://example.com:99999/ https://example.com:x/
http://10.0.0.1/ http://10.255.255.254:8080/x http://172.16.0.1/
http://172.31.255.255/ http://192.168.1.1/ http://169.254.169.254/latest
http://100.64.0.1/ http://224.0.0.1/ http://0.0.0.0/ http://255.255.255.255/
http://240.0.0.1/ http://192.0.2.1/ http://198.18.0.1/
http://0x7f000001/ http://2130706433/ http://167772161/ http://0xa.0.0.1/
http://012.0.0.1/ http://10.1/ http://10.0.0.1./ http://0/
http://[fe80::1]/ http://[fc00::1]/ http://[fd12::1]/ http://[ff02::1]/
http://[::]/ http://[::ffff:10.0.0.1]/ http://[::ffff:a00:1]/
http://[::10.0.0.1]/ http://[64:ff9b::10.0.0.1]/ http://[2002:a00:1::1]/
http://[2001:0:a00:1::1]/ http://[fe80::1%25eth0]/ http://[::1
""".split() + [
    "", " ", "https://example.com/a b", "https://example.com/\n",
    " https://example.com/", "https://example.com/" + "x" * 2040,
    "https://exam\x7fple.com/"]


@pytest.mark.parametrize("url", BAD_URLS)
def test_a_url_that_must_not_be_called_is_refused(house, url):
    response = house.admin.client.post("/webhook", settings(webhook_url=url))
    assert ":secret@" not in str(invalid(response, "webhook_url"))


@pytest.mark.parametrize("path, members", [
    ("/user/webhook", {}),
    ("/users", {"email": "new@example.com", "password": PASSWORD})])
def test_a_password_in_a_url_is_not_echoed(house, path, members):
    response = house.admin.client.post(path, {
        "webhook_url": "https://user:hunter22@example.com/", **members})
    assert "hunter22" not in str(invalid(response, "webhook_url"))


@pytest.mark.parametrize("url", [
    "https://example.com", "https://example.com:8443/a?b=c&d=%20",
    "https://xn--bcher-kva.example/", "https://93.184.216.34/",
    "https://[2606:2800:220:1::1]/", "http://127.0.0.1:1/",
    "https://example.com/" + "x" * 2028])
def test_a_url_that_may_be_called_is_taken(owner, url):
    assert done(owner.client.post("/webhook", settings(webhook_url=url)),
                201)["webhook"]["webhook_url"] == url


# --- conditional update ---

def test_if_match_guards_a_webhook(owner):
    client = owner.client

    def configure(etag, **members):
        return client.post("/webhook", settings(**members),
                           headers={"If-Match": etag})

    refused(configure('"x"'), 412, "PRECONDITION_FAILED")
    refused(configure("*"), 412, "PRECONDITION_FAILED")
    created = client.post("/webhook", settings())
    done(created, 201)
    etag = client.get("/webhook").headers["ETag"]
    assert created.headers["ETag"] == etag
    refused(configure('"x"'), 412, "PRECONDITION_FAILED")
    done(configure(etag, timeout=5))
    newer = client.get("/webhook").headers["ETag"]
    assert newer != etag
    refused(configure(etag), 412, "PRECONDITION_FAILED")
    refused(client.delete("/webhook", headers={"If-Match": etag}), 412,
            "PRECONDITION_FAILED")
    assert done(client.get("/webhook"))["webhook"]["timeout"] == 5
    done(client.delete("/webhook", headers={"If-Match": newer}))


# --- GET /webhook/events ---

def test_the_catalogue_is_complete(house):
    answer = done(house.admin.client.get("/webhook/events"))
    assert set(answer) == {"success", "events", "count", "tenant_events"}
    assert answer["count"] == len(answer["events"]) == 58
    assert len(set(answer["events"])) == 58
    assert answer["events"][0] == "message.received"
    assert answer["events"][-1] == "app_state.sync_complete"
    assert answer["tenant_events"] == [
        "tenant.created", "user.created", "user.updated",
        "user.role_changed", "user.deleted", "user.token_rotated",
        "user.mfa.enabled", "user.mfa.disabled",
        "webhook.disabled", "session.created", "session.deleted",
        "session.expired", "user.email.added", "user.email.removed",
        "user.email.verified", "user.phone.added", "user.phone.removed",
        "user.phone.verified", "user.password.updated"]


def test_every_name_of_the_catalogue_can_be_subscribed_to(owner):
    names = done(owner.client.get("/webhook/events"))["events"]
    webhook = done(owner.client.post("/webhook", settings(
        enabled_events=names)), 201)["webhook"]
    assert set(webhook["enabled_events"]) == set(names)
