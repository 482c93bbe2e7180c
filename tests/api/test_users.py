# SPDX-License-Identifier: MIT
"""The users of a tenant, the manage relation and the transition matrix."""
import itertools
import threading
import uuid

import pytest

from harness import (PASSWORD, Member, done, invalid, is_time, is_uuid,
                     refused, unique)

ROLES = ("admin", "manager", "user")
USER = {"id", "tenant_id", "email", "role", "active", "created_at",
        "updated_at"}


def email():
    return unique("user") + "@example.com"


@pytest.fixture(scope="module")
def house(wuts):
    """A tenant with one of each, for tests that change nothing."""
    tenant = wuts.tenant()
    tenant.manager = tenant.member("manager")
    tenant.user = tenant.member("user")
    return tenant


# --- POST /users, GET /users ---

def test_an_admin_creates_a_user(tenant):
    asked = {"email": email(), "password": PASSWORD,
             "webhook_url": "https://example.com/hook"}
    answer = done(tenant.admin.client.post("/users", asked), 201)
    assert set(answer) == {"success", "user", "webhook_configured",
                           "webhook_url", "note"}
    user = answer["user"]
    assert set(user) == USER | {"token"}
    assert user["tenant_id"] == tenant.id and user["role"] == "user"
    assert user["active"] is True and user["email"] == asked["email"]
    assert is_uuid(user["id"]) and is_uuid(user["token"])
    assert is_time(user["created_at"]) and is_time(user["updated_at"])
    assert answer["webhook_configured"] is True
    assert answer["webhook_url"] == asked["webhook_url"]


@pytest.mark.parametrize("role", ROLES)
def test_a_user_is_created_with_the_role_asked_for(tenant, role):
    assert tenant.member(role).role == role


def test_an_email_is_unique_in_its_tenant_whatever_its_case(wuts, tenant):
    name = email()
    tenant.member(email=name)
    for again in name, name.upper():
        refused(tenant.admin.client.post("/users", {
            "email": again, "password": PASSWORD}), 409, "EMAIL_EXISTS")
    wuts.tenant().member(email=name)


@pytest.mark.parametrize("members,field", [
    ({"email": "x"}, "email"), ({"email": None}, "email"),
    ({"email": 7}, "email"), ({"password": "short"}, "password"),
    ({"password": None}, "password"), ({"password": 12345678}, "password"),
    ({"role": "owner"}, "role"), ({"role": ""}, "role"),
    ({"role": 1}, "role"), ({"webhook_url": "x"}, "webhook_url"),
    ({"webhook_url": ""}, "webhook_url")])
def test_a_bad_field_of_a_new_user_is_named(house, members, field):
    response = house.admin.client.post("/users", {
        "email": email(), "password": PASSWORD, **members})
    invalid(response, field)
    assert "12345678" not in response.text


def test_only_an_admin_creates_and_lists_users(house):
    for member in house.manager, house.user:
        refused(member.client.get("/users"), 403, "FORBIDDEN")
        refused(member.client.post("/users", {
            "email": email(), "password": PASSWORD}), 403, "FORBIDDEN")


def test_a_user_who_may_not_create_hears_that_before_bad_json(house):
    refused(house.user.client.post("/users", data=b"{", headers={
        "Content-Type": "application/json"}), 403, "FORBIDDEN")


def test_the_list_holds_every_user_with_its_token(tenant):
    members = [tenant.admin] + [tenant.member(role) for role in ROLES]
    answer = done(tenant.admin.client.get("/users"))
    assert set(answer) == {"success", "users"}
    assert all(set(u) == USER | {"token"} for u in answer["users"])
    assert {(u["id"], u["token"], u["role"]) for u in answer["users"]} == \
        {(m.id, m.token, m.role) for m in members}
    assert all(u["tenant_id"] == tenant.id for u in answer["users"])


def test_the_list_comes_in_pages(tenant):
    for _ in range(4):
        tenant.member()
    client = tenant.admin.client
    whole = done(client.get("/users"))["users"]
    paged, params = [], {"limit": 2}
    while True:
        page = done(client.get("/users", params=params))
        assert 1 <= len(page["users"]) <= 2
        paged += page["users"]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert paged == whole and len(whole) == 5
    page = done(client.get("/users?limit=1000"))
    assert page["users"] == whole and page["next_cursor"] is None


def test_a_long_list_arrives_whole(tenant):
    """Longer than what is gathered before the first piece is sent."""
    ids = {tenant.admin.id} | {tenant.member().id for _ in range(150)}
    client = tenant.admin.client
    response = client.get("/users")
    assert len(response.content) > 40000
    assert {u["id"] for u in done(response)["users"]} == ids
    assert client.request("HEAD", "/users").content == b""
    assert {u["id"] for u in done(client.get("/users"))["users"]} == ids


def test_concurrent_creations_of_one_email_make_one_user(tenant):
    asked = {"email": email(), "password": PASSWORD}
    statuses = []

    def create():
        statuses.append(tenant.admin.client.instance.client(
            tenant.admin.token).post("/users", asked).status_code)

    threads = [threading.Thread(target=create) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201] + [409] * 5


@pytest.mark.parametrize("query,field", [
    ("limit=0", "limit"), ("limit=1001", "limit"), ("limit=-1", "limit"),
    ("limit=x", "limit"), ("limit=", "limit"), ("limit=1e2", "limit"),
    ("limit=99999999999999999999", "limit"), ("limit=2&cursor=x", "cursor"),
    ("limit=2&cursor=t00", "cursor"), ("limit=2&cursor=%ff%fe", "cursor"),
    ("cursor=u00", "cursor")])
def test_a_bad_page_is_refused(house, query, field):
    invalid(house.admin.client.get("/users?" + query), field)


def test_the_master_names_the_tenant(wuts, house):
    master = wuts.master()
    invalid(master.get("/users"), "tenant_id")
    invalid(master.get("/users?tenant_id=x"), "tenant_id")
    invalid(master.post("/users", {"email": email(), "password": PASSWORD}),
            "tenant_id")
    users = done(master.get(f"/users?tenant_id={house.id}"))["users"]
    assert house.admin.id in {u["id"] for u in users}
    answer = done(master.post(f"/users?tenant_id={house.id}", {
        "email": email(), "password": PASSWORD}), 201)
    assert answer["user"]["tenant_id"] == house.id
    refused(master.post(f"/users?tenant_id={uuid.uuid4()}", {
        "email": email(), "password": PASSWORD}), 404, "TENANT_NOT_FOUND")
    refused(master.get(f"/users?tenant_id={uuid.uuid4()}"), 404,
            "TENANT_NOT_FOUND")


# --- GET /users/{id} ---

def test_a_user_is_shown_without_token(house):
    response = house.admin.client.get(f"/users/{house.user.id}")
    answer = done(response)
    assert set(answer) == {"success", "data"}
    assert set(answer["data"]) == USER
    assert answer["data"]["id"] == house.user.id
    assert response.headers["ETag"].startswith('"')


def test_everybody_sees_themself(house):
    for member in house.admin, house.manager, house.user:
        data = done(member.client.get(f"/users/{member.id}"))["data"]
        assert data["email"] == member.email


@pytest.mark.parametrize("caller,target,status", [
    ("admin", "manager", 200), ("admin", "user", 200),
    ("manager", "user", 200), ("manager", "admin", 403),
    ("user", "manager", 403), ("user", "admin", 403)])
def test_who_may_view_whom(house, caller, target, status):
    response = getattr(house, caller).client.get(
        f"/users/{getattr(house, target).id}")
    assert response.status_code == status, response.text


def test_a_manager_views_another_manager_but_a_user_no_other_user(tenant):
    managers = [tenant.member("manager") for _ in range(2)]
    users = [tenant.member("user") for _ in range(2)]
    done(managers[0].client.get(f"/users/{managers[1].id}"))
    refused(users[0].client.get(f"/users/{users[1].id}"), 403, "FORBIDDEN")


@pytest.mark.parametrize("method,suffix,body", [
    ("GET", "", None), ("PUT", "", {"active": True}),
    ("POST", "/promote", {"new_role": "user"})])
def test_unknown_foreign_and_malformed_ids(wuts, house, method, suffix, body):
    client = house.admin.client
    foreign = wuts.tenant().admin.id
    for target in uuid.uuid4(), foreign, uuid.UUID(int=0):
        refused(client.request(method, f"/users/{target}{suffix}", body),
                404, "USER_NOT_FOUND")
    for target in "string", "1", str(uuid.uuid4())[:-1], "%20":
        invalid(client.request(method, f"/users/{target}{suffix}", body),
                "id")


def test_an_id_in_upper_case_is_the_same_id(house):
    data = done(house.admin.client.get(
        f"/users/{house.user.id.upper()}"))["data"]
    assert data["id"] == house.user.id


# --- PUT /users/{id} ---

def test_an_update_changes_active_and_role_together(tenant):
    member = tenant.member()
    answer = done(tenant.admin.client.put(f"/users/{member.id}", {
        "active": False, "role": "manager"}))
    assert answer == {"success": True, "message": "User updated successfully"}
    data = done(tenant.admin.client.get(f"/users/{member.id}"))["data"]
    assert data["active"] is False and data["role"] == "manager"


def test_a_member_left_out_is_left_alone(tenant):
    member = tenant.member("manager")
    client = tenant.admin.client
    done(client.put(f"/users/{member.id}", {"active": False}))
    done(client.put(f"/users/{member.id}", {"role": "user", "active": None}))
    data = done(client.get(f"/users/{member.id}"))["data"]
    assert data["active"] is False and data["role"] == "user"


@pytest.mark.parametrize("body", [{}, {"name": "x"}, {"active": None}])
def test_an_update_of_nothing_known_is_refused(house, body):
    refused(house.admin.client.put(f"/users/{house.user.id}", body), 400,
            "VALIDATION_ERROR")


@pytest.mark.parametrize("body,field", [
    ({"active": "true"}, "active"), ({"active": 1}, "active"),
    ({"role": "owner"}, "role"), ({"role": ["user"]}, "role"),
    ({"role": "Admin"}, "role")])
def test_a_bad_field_of_an_update_is_named(house, body, field):
    invalid(house.admin.client.put(f"/users/{house.user.id}", body), field)


def test_a_deactivated_user_is_out_at_once_and_back_at_once(tenant):
    member = tenant.member()
    path = f"/users/{member.id}"
    for _ in range(10):
        done(member.client.get(path))
        done(tenant.admin.client.put(path, {"active": False}))
        refused(member.client.get(path), 401, "UNAUTHORIZED")
        done(tenant.admin.client.put(path, {"active": True}))
    done(member.client.get(path))


def test_a_new_role_counts_at_once(tenant):
    member = tenant.member("manager")
    for _ in range(10):
        refused(member.client.get("/users"), 403, "FORBIDDEN")
        done(tenant.admin.client.put(f"/users/{member.id}",
                                     {"role": "admin"}))
        done(member.client.get("/users"))
        done(tenant.admin.client.put(f"/users/{member.id}",
                                     {"role": "manager"}))


def test_both_parts_of_an_update_happen_or_none(tenant):
    """A manager may deactivate a manager's user but not make it admin."""
    manager, member = tenant.member("manager"), tenant.member()
    refused(manager.client.put(f"/users/{member.id}", {
        "active": False, "role": "admin"}), 403, "ROLE_TRANSITION_DENIED")
    data = done(manager.client.get(f"/users/{member.id}"))["data"]
    assert data["active"] is True and data["role"] == "user"


@pytest.mark.parametrize("body", [{"active": False}, {"active": True},
                                  {"role": "user"}])
@pytest.mark.parametrize("role", ROLES)
def test_nobody_changes_themself(house, role, body):
    member = getattr(house, role)
    refused(member.client.put(f"/users/{member.id}", body), 403,
            "SELF_MODIFICATION")


@pytest.mark.parametrize("method,suffix,body,same", [
    ("PUT", "", {"role": "manager"}, {"role": "user"}),
    ("POST", "/promote", {"new_role": "manager"}, {"new_role": "user"})])
def test_if_match_guards_a_change(tenant, method, suffix, body, same):
    member = tenant.member()
    client, path = tenant.admin.client, f"/users/{member.id}"

    def change(what, etag):
        return client.request(method, path + suffix, what,
                              headers={"If-Match": etag})

    etag = client.get(path).headers["ETag"]
    refused(change(body, '"no such state"'), 412, "PRECONDITION_FAILED")
    assert client.get(path).headers["ETag"] == etag
    done(change(body, f'"other", {etag}'))
    newer = client.get(path).headers["ETag"]
    assert newer != etag
    refused(change(same, etag), 412, "PRECONDITION_FAILED")
    refused(change(same, "W/" + newer), 412, "PRECONDITION_FAILED")
    done(change(same, "*"))


# --- promote and the matrix ---

def test_promote_echoes_old_and_new_role(tenant):
    member = tenant.member()
    answer = done(tenant.admin.client.post(f"/users/{member.id}/promote",
                                           {"new_role": "manager"}))
    assert answer == {
        "success": True, "message": "User role updated successfully",
        "data": {"user_id": member.id, "old_role": "user",
                 "new_role": "manager"}}


@pytest.mark.parametrize("new_role", [None, "", "owner", 3, ["user"]])
def test_promote_needs_a_role(house, new_role):
    invalid(house.admin.client.post(f"/users/{house.user.id}/promote", {
        "new_role": new_role}), "new_role")


def test_the_same_role_is_no_change(tenant):
    member = tenant.member()
    path = f"/users/{member.id}"
    before = tenant.admin.client.get(path).headers["ETag"]
    answer = done(tenant.admin.client.post(path + "/promote",
                                           {"new_role": "user"}))
    assert answer["data"]["old_role"] == answer["data"]["new_role"] == "user"
    assert tenant.admin.client.get(path).headers["ETag"] == before


def expected_transition(actor, old, new):
    if actor == "admin":
        return 200, None
    if actor == "manager" and old == "user":
        return (200, None) if new in ("user", "manager") else \
            (403, "ROLE_TRANSITION_DENIED")
    return 403, "FORBIDDEN"


@pytest.fixture(scope="module")
def transitions(wuts):
    """For every actor and start a tenant member to try on."""
    tenant = wuts.tenant()
    tenant.actors = {role: tenant.member(role) for role in ROLES}
    tenant.targets = {role: tenant.member(role) for role in ROLES}
    return tenant


@pytest.mark.parametrize("how", ["promote", "put"])
@pytest.mark.parametrize("actor,old,new",
                         list(itertools.product(ROLES, repeat=3)))
def test_the_default_transition_matrix(transitions, how, actor, old, new):
    target = transitions.targets[old]
    client = transitions.actors[actor].client
    path = f"/users/{target.id}"
    response = client.post(path + "/promote", {"new_role": new}) \
        if how == "promote" else client.put(path, {"role": new})
    status, code = expected_transition(actor, old, new)
    try:
        assert response.status_code == status, response.text
        body = response.json()
        assert body.get("error_code") == code
        if code == "ROLE_TRANSITION_DENIED":
            for role in actor, old, new:
                assert role in body["error"]
        data = done(transitions.admin.client.get(path))["data"]
        assert data["role"] == (new if status == 200 else old)
    finally:
        done(transitions.admin.client.put(path, {"role": old}))


@pytest.mark.parametrize("role", ROLES)
def test_nobody_promotes_themself(house, role):
    member = getattr(house, role)
    for new in ROLES:
        refused(member.client.post(f"/users/{member.id}/promote",
                                   {"new_role": new}),
                403, "SELF_MODIFICATION")


def test_the_master_promotes_anybody_even_the_last_admin(wuts, tenant):
    path = f"/users/{tenant.admin.id}"
    for new in "manager", "user", "admin":
        done(wuts.master().post(path + "/promote", {"new_role": new}))
    done(wuts.master().put(path, {"active": False}))
    refused(tenant.admin.client.get(path), 401, "UNAUTHORIZED")


def test_admins_that_demote_each_other_at_once_leave_one(wuts):
    tenant = wuts.tenant()
    for _ in range(4):
        pair = [tenant.admin, tenant.member("admin")]
        statuses = []
        start = threading.Barrier(2)

        def demote(actor, target):
            start.wait()
            statuses.append(actor.client.post(
                f"/users/{target.id}/promote",
                {"new_role": "user"}).status_code)

        threads = [threading.Thread(target=demote, args=args)
                   for args in (pair, pair[::-1])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses)[0] == 200 and sorted(statuses)[1] in (403,
                                                                      409)
        users = done(wuts.master().get(
            f"/users?tenant_id={tenant.id}"))["users"]
        admins = [u for u in users if u["role"] == "admin" and u["active"]]
        assert len(admins) == 1
        tenant.admin = Member(wuts, admins[0])


# --- DELETE /users/{id} ---

def test_a_deleted_user_is_gone_at_once(tenant):
    member = tenant.member()
    device = member.device()
    path = f"/users/{member.id}"
    assert done(tenant.admin.client.delete(path)) == {
        "success": True, "message": "User permanently deleted"}
    refused(member.client.get(path), 401, "UNAUTHORIZED")
    refused(tenant.admin.client.get(path), 404, "USER_NOT_FOUND")
    refused(tenant.admin.client.delete(path), 404, "USER_NOT_FOUND")
    refused(tenant.admin.client.get(f"/webhook?device_id={device}"), 404,
            "DEVICE_NOT_FOUND")
    assert [u["id"] for u in done(tenant.admin.client.get(
        "/users"))["users"]] == [tenant.admin.id]


def test_the_email_of_a_deleted_user_is_free(tenant):
    name = email()
    for _ in range(2):
        member = tenant.member(email=name)
        done(tenant.admin.client.delete(f"/users/{member.id}"))


def test_who_may_delete_whom(tenant):
    victims = {role: tenant.member(role) for role in ROLES}
    manager, user = tenant.member("manager"), tenant.member()
    for caller in manager, user:
        for victim in victims.values():
            refused(caller.client.delete(f"/users/{victim.id}"), 403,
                    "FORBIDDEN")
    for victim in victims.values():
        done(tenant.admin.client.delete(f"/users/{victim.id}"))


def test_nobody_deletes_themself(tenant):
    for role in ROLES:
        member = tenant.member(role)
        refused(member.client.delete(f"/users/{member.id}"), 403,
                "SELF_MODIFICATION")
        done(member.client.get(f"/users/{member.id}"))


def test_a_user_who_is_nobodys_cannot_be_deleted(wuts, tenant):
    foreign = wuts.tenant()
    for target in uuid.uuid4(), foreign.admin.id:
        refused(tenant.admin.client.delete(f"/users/{target}"), 404,
                "USER_NOT_FOUND")
    invalid(tenant.admin.client.delete("/users/string"), "id")
    done(foreign.admin.client.get("/users"))


def test_if_match_guards_a_deletion(tenant):
    member = tenant.member()
    client, path = tenant.admin.client, f"/users/{member.id}"
    stale = client.get(path).headers["ETag"]
    done(client.put(path, {"active": False}))
    refused(client.delete(path, headers={"If-Match": stale}), 412,
            "PRECONDITION_FAILED")
    etag = client.get(path).headers["ETag"]
    done(client.delete(path, headers={"If-Match": etag}))
    refused(client.get(path), 404, "USER_NOT_FOUND")


def test_the_master_deletes_even_the_last_admin(wuts, tenant):
    done(wuts.master().delete(f"/users/{tenant.admin.id}"))
    refused(tenant.admin.client.get("/users"), 401, "UNAUTHORIZED")
    assert done(wuts.master().get(
        f"/users?tenant_id={tenant.id}"))["users"] == []


def test_admins_that_delete_each_other_at_once_leave_one(wuts):
    tenant = wuts.tenant()
    for _ in range(4):
        pair = [tenant.admin, tenant.member("admin")]
        statuses, start = [], threading.Barrier(2)

        def delete(actor, target):
            start.wait()
            statuses.append(actor.client.delete(
                f"/users/{target.id}").status_code)

        threads = [threading.Thread(target=delete, args=args)
                   for args in (pair, pair[::-1])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses)[0] == 200
        assert sorted(statuses)[1] in (401, 409)
        (admin,) = done(wuts.master().get(
            f"/users?tenant_id={tenant.id}"))["users"]
        tenant.admin = Member(wuts, admin)


def test_a_deletion_is_told_to_the_tenants_webhook(tenant, hook):
    client = tenant.admin.client
    done(client.post("/webhook?scope=tenant", {
        "webhook_url": hook.url,
        "enabled_events": ["user.deleted", "user.token_rotated"]}), 201)
    member = tenant.member()
    token = done(client.post(f"/users/{member.id}/token"))["token"]
    done(client.delete(f"/users/{member.id}"))
    hook.wait(2)
    told = {d.event: d for d in hook.deliveries}
    rotated = told["user.token_rotated"]
    assert rotated.message["data"]["user_id"] == member.id
    assert rotated.message["data"]["changed_by"] == tenant.admin.id
    assert token.encode() not in rotated.body
    deleted = told["user.deleted"].message
    assert deleted["data"]["user_id"] == member.id
    assert deleted["tenant_id"] == tenant.id and deleted["device_id"] is None


# --- POST /users/{id}/token ---

def test_a_new_token_replaces_the_old_one_at_once(wuts, tenant):
    member = tenant.member()
    path = f"/users/{member.id}"
    token = member.token
    for client in member.client, tenant.admin.client, wuts.master():
        if client is member.client:
            client = wuts.client(token)
        answer = done(client.post(path + "/token"))
        assert set(answer) == {"success", "token"}
        assert is_uuid(answer["token"]) and answer["token"][14] == "4"
        assert answer["token"] != token
        refused(wuts.client(token).get(path), 401, "UNAUTHORIZED")
        token = answer["token"]
        assert done(wuts.client(token).get(path))["data"]["id"] == member.id
    (shown,) = [u for u in done(tenant.admin.client.get("/users"))["users"]
                if u["id"] == member.id]
    assert shown["token"] == token


def test_everybody_rotates_their_own_token_and_an_admin_any(tenant):
    members = {role: tenant.member(role) for role in ROLES}
    others = {role: tenant.member(role) for role in ROLES}
    for caller in "manager", "user":
        for target in others.values():
            refused(members[caller].client.post(f"/users/{target.id}/token"),
                    403, "FORBIDDEN")
    for target in others.values():
        done(target.client.get(f"/users/{target.id}"))
        done(members["admin"].client.post(f"/users/{target.id}/token"))
    for member in members.values():
        done(member.client.post(f"/users/{member.id}/token"))
        refused(member.client.get("/users"), 401, "UNAUTHORIZED")


def test_a_token_is_rotated_with_any_body_or_none(tenant):
    member = tenant.member()
    path = f"/users/{member.id}/token"
    done(tenant.admin.client.post(path))
    done(tenant.admin.client.post(path, {}))
    refused(tenant.admin.client.post(path, data=b"x", headers={
        "Content-Type": "text/plain"}), 415, "UNSUPPORTED_MEDIA_TYPE")


def test_no_token_of_unknown_foreign_and_malformed_users(wuts, tenant):
    foreign = wuts.tenant().admin
    for target in uuid.uuid4(), foreign.id:
        refused(tenant.admin.client.post(f"/users/{target}/token"), 404,
                "USER_NOT_FOUND")
    invalid(tenant.admin.client.post("/users/string/token"), "id")
    done(foreign.client.get("/users"))


def test_concurrent_rotations_leave_one_token(wuts, tenant):
    member = tenant.member()
    tokens = []
    clients = [wuts.client(tenant.admin.token) for _ in range(6)]
    threads = [threading.Thread(target=lambda c=client: tokens.append(done(
        c.post(f"/users/{member.id}/token"))["token"])) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(tokens)) == 6
    alive = [token for token in tokens if wuts.client(token).get(
        f"/users/{member.id}").status_code == 200]
    assert len(alive) == 1


# --- GET /roles ---

def test_the_matrix_is_shown(wuts, house):
    answer = done(house.admin.client.get("/roles"))
    assert set(answer) == {"success", "roles", "transitions", "manage"}
    assert answer["roles"] == ["admin", "manager", "user"]
    shown = {(t["actor"], t["from"], t["to"]) for t in answer["transitions"]}
    assert all(set(t) == {"actor", "from", "to"}
               for t in answer["transitions"])
    assert len(shown) == len(answer["transitions"])
    assert shown == {("admin", a, b) for a in ROLES for b in ROLES
                     if a != b} | {("manager", "user", "manager")}
    everything = ["view", "active", "role", "delete"]
    assert answer["manage"] == {
        "admin": {"self": ["view"], "user": everything,
                  "manager": everything, "admin": everything},
        "manager": {"self": ["view"], "user": ["view", "active", "role"],
                    "manager": ["view"], "admin": []},
        "user": {"self": ["view"], "user": [], "manager": [], "admin": []}}
    assert done(wuts.master().get("/roles")) == answer


def test_the_matrix_is_the_admins_to_see(house):
    for member in house.manager, house.user:
        refused(member.client.get("/roles"), 403, "FORBIDDEN")


# --- a list that no worker holds in memory ---

def test_two_thousand_users_are_streamed(wuts):
    """In pieces, without a length; and every creation left its entry."""
    tenant = wuts.tenant()
    wanted = 2000
    names, lock = iter(range(1, wanted)), threading.Lock()

    def create(client):
        while True:
            with lock:
                n = next(names, None)
            if n is None:
                return
            done(client.post("/users", {
                "email": f"user{n}@example.com", "password": PASSWORD}), 201)

    threads = [threading.Thread(target=create, args=(
        wuts.client(tenant.admin.token),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    response = tenant.admin.client.get("/users")
    users = done(response)["users"]
    assert len({u["id"] for u in users}) == wanted
    assert "Content-Length" not in response.headers
    paged, params = [], {"limit": 700}
    while True:
        page = done(tenant.admin.client.get("/users", params=params))
        paged += page["users"]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert paged == users
    entries = done(tenant.admin.client.get("/audit"))["entries"]
    assert [e["seq"] for e in entries] == list(range(wanted + 1, 0, -1))
    assert {e["target_id"] for e in entries
            if e["action"] == "user.created"} == {u["id"] for u in users}
