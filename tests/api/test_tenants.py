# SPDX-License-Identifier: MIT
"""POST /register, GET /tenants, GET and DELETE /global/tenants/{id}."""
import threading
import uuid

import pytest

from harness import (PASSWORD, Member, done, invalid, is_time, is_uuid,
                     refused, unique)

USER = {"id", "tenant_id", "email", "role", "token", "active", "created_at",
        "updated_at"}
TENANT = {"id", "name", "created_at", "updated_at"}
NOTE = "Webhook will be auto-configured when WhatsApp device is connected"


def registration(**members):
    return {"tenant_name": unique("acme"), "email": "admin@acme.com.br",
            "password": PASSWORD, **members}


def test_register_answers_with_tenant_admin_and_token(wuts):
    asked = registration(role="admin",
                         webhook_url="https://acme.com.br/wuts/webhook")
    answer = done(wuts.master().post("/register", asked), 201)
    assert set(answer) == {"success", "user", "tenant", "token",
                           "webhook_configured", "webhook_url", "note"}
    user, tenant = answer["user"], answer["tenant"]
    assert set(user) == USER and set(tenant) == TENANT
    assert is_uuid(user["id"]) and is_uuid(tenant["id"])
    assert user["tenant_id"] == tenant["id"]
    assert user["email"] == asked["email"]
    assert user["role"] == "admin" and user["active"] is True
    assert user["token"] == answer["token"] and is_uuid(answer["token"])
    assert answer["token"][14] == "4"
    assert tenant["name"] == asked["tenant_name"]
    for thing in user, tenant:
        assert is_time(thing["created_at"]) and is_time(thing["updated_at"])
    assert answer["webhook_configured"] is True
    assert answer["webhook_url"] == asked["webhook_url"]
    assert answer["note"] == NOTE


def test_register_without_webhook_says_so(wuts):
    answer = done(wuts.master().post("/register", registration()), 201)
    assert answer["webhook_configured"] is False
    assert "webhook_url" not in answer
    assert answer["note"] != NOTE and "webhook" in answer["note"]


@pytest.mark.parametrize("role", ["user", "manager", "no such role"])
def test_the_first_user_is_admin_whatever_role_was_asked_for(wuts, role):
    answer = done(wuts.master().post("/register", registration(role=role)),
                  201)
    assert answer["user"]["role"] == "admin"
    done(Member(wuts, answer["user"]).client.get("/users"))


def test_the_token_of_register_works_at_once(wuts):
    for _ in range(5):
        answer = done(wuts.master().post("/register", registration()), 201)
        done(wuts.client(answer["token"]).get("/users"))


def test_a_tenant_name_is_trimmed_and_unique_whatever_its_case(wuts):
    name = unique("Padaria São João")
    answer = done(wuts.master().post("/register", registration(
        tenant_name=f" \u2003{name}\t")), 201)
    assert answer["tenant"]["name"] == name
    for other in name, name.upper(), f"  {name}":
        body = refused(wuts.master().post(
            "/register", registration(tenant_name=other)),
            409, "TENANT_EXISTS")
        assert body["error"] == "tenant already exists - please contact " \
            "your administrator to create an account"


def test_concurrent_registrations_of_one_name_make_one_tenant(wuts):
    name = unique("race")
    statuses = []

    def register():
        statuses.append(wuts.master().post(
            "/register", registration(tenant_name=name)).status_code)

    threads = [threading.Thread(target=register) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201] + [409] * 5


def test_two_tenants_may_have_the_same_admin_email(wuts):
    for _ in range(2):
        done(wuts.master().post("/register", registration()), 201)


@pytest.mark.parametrize("name", ["", "   ", "x" * 121, "a\tb", "a\u0085b"])
def test_a_tenant_name_that_is_none_is_refused(wuts, name):
    invalid(wuts.master().post("/register", registration(tenant_name=name)),
            "tenant_name")


def test_a_tenant_name_counts_characters_not_bytes(wuts):
    name = (unique("ã") + "ã" * 120)[:120]
    answer = done(wuts.master().post("/register", registration(
        tenant_name=name)), 201)
    assert answer["tenant"]["name"] == name


@pytest.mark.parametrize("email", [
    "", "x", "a@", "@b.com", "a b@c.com", "a@b@c.com", "a@b..com",
    "x" * 250 + "@b.com", "a@b.com\n", "a@-b.com"])
def test_an_email_that_is_none_is_refused(wuts, email):
    invalid(wuts.master().post("/register", registration(email=email)),
            "email")


@pytest.mark.parametrize("password", ["", "7seven7", "p" * 129])
def test_a_password_of_bad_length_is_refused_and_not_echoed(wuts, password):
    response = wuts.master().post("/register",
                                  registration(password=password))
    body = invalid(response, "password")
    assert body["validation"][0]["value"] in ("***", "")
    assert not password or password not in response.text


def test_a_password_counts_characters_of_any_script(wuts):
    done(wuts.master().post("/register", registration(password="ñ" * 128)),
         201)


def test_all_bad_fields_are_named_at_once(wuts):
    invalid(wuts.master().post("/register", {
        "tenant_name": "", "email": "x", "password": "short",
        "webhook_url": "ftp://example.com"}),
        "tenant_name", "email", "password", "webhook_url")
    invalid(wuts.master().post("/register", {}),
            "tenant_name", "email", "password")
    invalid(wuts.master().post("/register", {
        "tenant_name": 1, "email": [], "password": {"a": "b"}, "role": 4,
        "webhook_url": True}),
        "tenant_name", "email", "password", "role", "webhook_url")


def test_null_is_the_same_as_absent(wuts):
    answer = done(wuts.master().post("/register", registration(
        role=None, webhook_url=None)), 201)
    assert answer["webhook_configured"] is False
    invalid(wuts.master().post("/register", registration(email=None)),
            "email")


def test_a_refused_registration_leaves_nothing(wuts):
    asked = registration(webhook_url="http://10.0.0.1/")
    invalid(wuts.master().post("/register", asked), "webhook_url")
    names = [t["name"] for t in
             done(wuts.master().get("/tenants"))["tenants"]]
    assert asked["tenant_name"] not in names


@pytest.mark.parametrize("path", ["/register", "/tenants"])
def test_master_endpoints_tell_a_missing_master_token_from_a_wrong_one(
        wuts, tenant, path):
    method = "POST" if path == "/register" else "GET"
    for token in None, tenant.admin.token:
        body = refused(wuts.client(token).request(method, path), 401,
                       "UNAUTHORIZED")
        assert body["error"] == "master token required"
    body = refused(wuts.client("wrong").request(method, path), 401,
                   "UNAUTHORIZED")
    assert body["error"] == "invalid master token"


def test_tenants_are_listed_by_name(wuts):
    made = {done(wuts.master().post("/register", registration()),
                 201)["tenant"]["id"] for _ in range(3)}
    answer = done(wuts.master().get("/tenants"))
    assert set(answer) == {"success", "tenants"}
    assert all(set(t) == TENANT for t in answer["tenants"])
    assert made <= {t["id"] for t in answer["tenants"]}
    ours = [t["name"] for t in answer["tenants"] if t["id"] in made]
    assert ours == sorted(ours)


def test_tenants_come_in_pages(wuts):
    for _ in range(3):
        done(wuts.master().post("/register", registration()), 201)
    whole = done(wuts.master().get("/tenants"))["tenants"]
    paged, cursor = [], None
    while True:
        page = done(wuts.master().get("/tenants", params={
            "limit": 2, **({"cursor": cursor} if cursor else {})}))
        assert set(page) == {"success", "tenants", "next_cursor"}
        assert len(page["tenants"]) <= 2
        paged += page["tenants"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        assert len(paged) <= len(whole)
    assert paged == whole


# --- GET and DELETE /global/tenants/{id} ---

def test_a_tenant_is_shown_with_its_counts(wuts, tenant):
    path = f"/global/tenants/{tenant.id}"
    (listed,) = [t for t in done(wuts.master().get("/tenants"))["tenants"]
                 if t["id"] == tenant.id]
    assert done(wuts.master().get(path)) == {
        "success": True, "data": {**listed, "users": 1, "devices": 0}}
    members = [tenant.member() for _ in range(3)]
    members[0].device()
    members[0].device()
    members[1].device()
    data = done(wuts.master().get(path))["data"]
    assert data["users"] == 4 and data["devices"] == 3
    assert data["name"] == tenant.name


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_tenant_that_is_none(wuts, tenant, method):
    body = refused(wuts.master().request(
        method, f"/global/tenants/{uuid.uuid4()}"), 404, "TENANT_NOT_FOUND")
    assert body["error"] == "tenant not found"
    invalid(wuts.master().request(method, "/global/tenants/string"), "id")
    for client, error in ((wuts.client(), "master token required"),
                          (tenant.admin.client, "master token required"),
                          (tenant.key(), "master token required"),
                          (wuts.client("wrong"), "invalid master token")):
        body = refused(client.request(
            method, f"/global/tenants/{tenant.id}"), 401, "UNAUTHORIZED")
        assert body["error"] == error
    done(tenant.admin.client.get("/users"))


def test_a_deleted_tenant_is_gone_with_all_that_was_its(wuts, tenant):
    member, key = tenant.member(), tenant.key()
    device = member.device()
    hooked = f"/webhook?device_id={device}"
    done(member.client.post(hooked, {
        "webhook_url": "https://example.com/", "enabled_events": ["*"]}), 201)
    path = f"/global/tenants/{tenant.id}"
    answer = done(wuts.master().delete(path))
    assert set(answer) == {"success", "message", "data"}
    assert answer["message"] == "Tenant permanently deleted"
    deleted = answer["data"]
    assert set(deleted) == {"tenant_id", "tenant_name", "deleted_at"}
    assert deleted["tenant_id"] == tenant.id
    assert deleted["tenant_name"] == tenant.name
    assert is_time(deleted["deleted_at"])
    for client in tenant.admin.client, member.client, key:
        refused(client.get("/users"), 401, "UNAUTHORIZED")
    master = wuts.master()
    refused(master.get(path), 404, "TENANT_NOT_FOUND")
    refused(master.delete(path), 404, "TENANT_NOT_FOUND")
    refused(master.get(f"/users/{member.id}"), 404, "USER_NOT_FOUND")
    refused(master.get(hooked), 404, "DEVICE_NOT_FOUND")
    refused(wuts.engine().post(f"/devices/{device}/events", {
        "event": "call.offer", "data": {}}), 404, "DEVICE_NOT_FOUND")
    for listed in "users", "api-keys":
        refused(master.get(f"/{listed}?tenant_id={tenant.id}"), 404,
                "TENANT_NOT_FOUND")
    refused(master.post(f"/users?tenant_id={tenant.id}", {
        "email": "x@example.com", "password": PASSWORD}), 404,
        "TENANT_NOT_FOUND")
    assert tenant.id not in {t["id"] for t in
                             done(master.get("/tenants"))["tenants"]}


def test_the_name_of_a_deleted_tenant_is_free(wuts, tenant):
    done(wuts.master().delete(f"/global/tenants/{tenant.id}"))
    again = done(wuts.master().post("/register", registration(
        tenant_name=tenant.name)), 201)
    assert again["tenant"]["id"] != tenant.id
    users = done(wuts.master().get(
        f"/users?tenant_id={again['tenant']['id']}"))["users"]
    assert len(users) == 1


def test_a_deleted_tenant_takes_nothing_of_another_with_it(wuts, tenant):
    other = wuts.tenant()
    device = other.admin.device()
    before = done(wuts.master().get(f"/global/tenants/{other.id}"))
    done(wuts.master().delete(f"/global/tenants/{tenant.id}"))
    assert done(wuts.master().get(f"/global/tenants/{other.id}")) == before
    done(wuts.engine().post(f"/devices/{device}/events", {
        "event": "call.offer", "data": {}}), 202)


def test_events_of_a_deleted_tenant_are_not_delivered(wuts, tenant, hook):
    """They wait for a webhook that is disabled; then there is none."""
    device = tenant.admin.device()
    done(tenant.admin.client.post("/webhook", {
        "webhook_url": hook.url, "enabled_events": ["*"],
        "enabled": False}), 201)
    done(wuts.engine().post(f"/devices/{device}/events", [
        {"event": "call.offer", "data": {}}] * 50), 202)
    done(wuts.master().delete(f"/global/tenants/{tenant.id}"))
    other = wuts.tenant()
    device = other.admin.device()
    done(other.admin.client.post("/webhook", {
        "webhook_url": hook.url, "enabled_events": ["*"]}), 201)
    last = done(wuts.engine().post(f"/devices/{device}/events", {
        "event": "call.offer", "data": {}}), 202)["ids"][0]
    hook.wait_event(last)
    assert {d.id for d in hook.deliveries} == {last}
