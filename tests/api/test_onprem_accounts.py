# SPDX-License-Identifier: MIT
"""Accounts of the On-Premises dialect (spec/onprem.md §1, §2, U1-U6): every
numbered rule, good and bad input."""
import base64
import calendar
import json
import time

import pytest

from harness import unique
from onprem import (NEW_PASSWORD, Site, done, enabled_tenant,  # noqa: F401
                    engine, fresh, front, houses, refused, session_of, site)
from wacht_user import Wacht

BASIC = 'Basic realm="Secured"'
DENIED = "Invalid credentials"
SYNTAX = "Unable to decode json from the request: Syntax error"
GOOD = "Passw0rd!"


def denied(answer, asks="Bearer"):
    refused(answer, 401, 1005, DENIED, asks)


def b64(text):
    return base64.b64encode(text if isinstance(text, bytes)
                            else text.encode()).decode()


@pytest.fixture(scope="module")
def user(site):
    """An ordinary account and its token."""
    return "jdoe01", site.user("jdoe01", GOOD)


def name():
    return unique("user")[:32]


# --- §1 ---

def test_the_root_answers_without_a_token(front):
    for server in (front.own, front.bare):
        answer = server.request("GET", "/")
        assert answer.status_code == 200 and len(answer.text) < 200
        assert answer.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize("method,path,allowed", [
    ("GET", "/users", "POST, OPTIONS"), ("DELETE", "/users", "POST, OPTIONS"),
    ("PATCH", "/users/jdoe01", None),
    ("POST", "/settings/application", "GET, HEAD, PATCH, DELETE, OPTIONS"),
    ("PUT", "/certificates/webhooks/ca", "GET, HEAD, POST, DELETE, OPTIONS"),
    ("GET", "/certificates/external", "POST, OPTIONS")])
def test_a_wrong_method_names_the_right_ones(site, method, path, allowed):
    answer = site.call(method, path, token=None)
    refused(answer, 405, 1025)
    assert allowed is None or answer.headers["Allow"] == allowed


@pytest.mark.parametrize("path", [
    "", "/", "/nothing", "/Users/login", "/users/login/more",
    "/stats/app/internal", "/stats/db/internal", "/settings"])
def test_an_unknown_path_is_told_to_everybody(site, path):
    refused(site.call("GET", path, token=None), 404, 1006,
            "Endpoint not found")


def test_one_slash_at_the_end_is_ignored(site):
    done(site.call("GET", "/users/admin/"))
    refused(site.call("GET", "/users/admin//"), 404, 1006)


def test_a_request_id_of_the_client_comes_back_in_the_vendors_form(site):
    first, second = [site.call("GET", "/users/admin", headers=[
        ("X-Request-Id", "mine-1")]) for _ in range(2)]
    done(first)
    done(second)


@pytest.mark.parametrize("header", [
    "", "Bearer", "Bearer ", "Basic YWRtaW46c2VjcmV0", "nonsense",
    "Bearer a.b.c", "Bearer a b", "Bearer 6b0f0f0c-0000-4000-8000-000000000000",
    "Apikey 0123456789abcdef", "Bearer " + "x" * 600, "Digest x=y"])
def test_whoever_is_not_known_is_told_the_same(site, header):
    answer = site.server.elsewhere().request(
        "GET", "/v1/users/admin", header, None,
        [("X-Test-Tenant", site.tenant.id)], "")
    denied(answer)


def test_scheme_and_header_name_are_read_in_any_case(site):
    for head in ("bearer ", "BEARER ", "Bearer   "):
        done(site.call("GET", "/users/admin", scheme=head))
    done(site.call("GET", "/users/admin", token=None, headers=[
        ("AUTHORIZATION", "Bearer " + site.token)]))


def test_a_user_token_of_the_wuts_dialect_has_its_users_rights(site):
    owner, member = site.tenant.admin.token, site.tenant.member().token
    done(site.call("GET", "/users/admin", token=owner))
    refused(site.call("GET", "/users/admin", token=member), 403, 1005)
    refused(site.call("POST", "/users/logout", token=owner), 403, 1005)
    done(site.call("GET", "/users/admin", token=owner))
    for token in (site.tenant.instance.master_token,
                  site.tenant.instance.engine_token):
        denied(site.call("GET", "/users/admin", token=token))


def test_without_a_tenant_the_operator_is_told_what_to_set(front, wuts):
    for tenant in (wuts.tenant().id, "nobody-of-this-name"):
        answer = front.any.request("POST", "/v1/users/login", b64("admin:x"),
                                   None, [("X-Test-Tenant", tenant)],
                                   "Basic ")
        refused(answer, 503, 1011)
        assert "onprem enable" in answer.text or "WUTS_TENANT" in answer.text
    refused(front.any.request("GET", "/v1/users/admin"), 503, 1011)


# --- U1 ---

def test_the_first_login_sets_a_password(fresh):
    bad = fresh.elsewhere()
    denied(bad.login("admin", "Secret"), BASIC)
    # 4: nothing changes, no token
    refused(fresh.login("admin", "secret"), 401, 1024,
            "Password must be changed", BASIC)
    refused(fresh.login("admin", "secret", None), 401, 1024,
            "Password must be changed", BASIC)
    # 3: before 4
    refused(fresh.login("admin", "secret", data=b"{"), 400, 1025, SYNTAX)
    # 5: the old password stays
    for new in ("short", 5, None, True, [], "NoSpecial1", NEW_PASSWORD * 8):
        refused(fresh.login("admin", "secret", {"new_password": new}), 400,
                1009)
    # 6
    token = fresh.session("admin", "secret", {"new_password": NEW_PASSWORD})
    denied(bad.login("admin", "secret"), BASIC)
    assert done(fresh.call("GET", "/users/admin", token=token)) == {
        "users": [{"username": "admin", "ROLES": "ROLE_ADMIN"}]}
    fresh.session("admin", NEW_PASSWORD)


def test_login_takes_no_body_and_null_and_unknown_fields(site):
    for data in (None, b"", b"null", b" \r\n", b"{}", b'{"mode":1,"x":[]}'):
        session_of(site.login("admin", NEW_PASSWORD, data=data, headers=[
            ("Content-Type", "application/json")]))
    session_of(site.login("admin", NEW_PASSWORD, {}, headers=[
        ("Content-Type", "text/plain")]))


@pytest.mark.parametrize("data", [
    b"{", b"nul", b"{'a':1}", b'{"new_password":"a\xff"}',
    b'{"new_password":"\\u0000"}', b"\x00", b"{}{}"])
def test_login_with_a_body_that_is_no_json(site, data):
    refused(site.login("admin", NEW_PASSWORD, data=data), 400, 1025, SYNTAX)


@pytest.mark.parametrize("data", [b"[]", b"1", b'"text"', b"false"])
def test_login_with_json_that_is_no_object(site, data):
    refused(site.login("admin", NEW_PASSWORD, data=data), 400, 1025)


@pytest.mark.parametrize("header", [
    "", "Basic", "Basic ", "Basic !", "Basic " + b64("admin"),
    "Basic " + b64(":x"), "Basic " + b64(b"\xff:x"),
    "Basic " + b64("ad\0min:x"), "Basic " + b64("a" * 200 + ":x"),
    "Bearer x"])
def test_login_with_malformed_credentials(site, header):
    denied(site.server.elsewhere().request(
        "POST", "/v1/users/login", header, b"{", [
            ("X-Test-Tenant", site.tenant.id)], ""), BASIC)


def test_names_and_passwords_are_compared_byte_for_byte(site):
    password = "Co:lo:n5 \u00e4" + name()[:4]
    account = name()
    site.user(account, password)
    other = site.elsewhere()
    for wrong in ((account.upper(), password), (account + " ", password),
                  (account, password + " "), (account, password.lower()),
                  (" " + account, password), (account, "")):
        denied(other.login(*wrong), BASIC)
    site.session(account, password)


def test_a_new_password_is_taken_at_any_login(site):
    account = name()
    old = site.user(account, GOOD)
    token = site.session(account, GOOD, {"new_password": "An0ther-one"})
    denied(site.elsewhere().login(account, GOOD), BASIC)
    for valid in (old, token):	# changing it ends nothing
        done(site.call("GET", "/users/" + account, token=valid))


def test_tokens_have_the_vendors_shape_and_lifetime(site):
    user = session_of(site.login("admin", NEW_PASSWORD))
    head, claims, signature = [
        base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        for part in user["token"].split(".")]
    claims = json.loads(claims)
    assert json.loads(head)["alg"] == "HS256" and len(signature) == 32
    assert set(claims) == {"user", "iat", "exp", "wa:rand"}
    assert claims["user"] == "admin"
    assert claims["exp"] - claims["iat"] == 604800
    assert abs(claims["iat"] - time.time()) < 60
    int(claims["wa:rand"], 16)
    assert len(claims["wa:rand"]) == 32
    assert calendar.timegm(time.strptime(
        user["expires_after"], "%Y-%m-%d %H:%M:%S+00:00")) == claims["exp"]
    assert len(user["token"]) <= 512


def test_a_token_is_refused_when_any_part_of_it_is_changed(site):
    head, claims, signature = site.token.split(".")
    flipped = signature[:5] + ("A" if signature[5] != "A" else "B") + \
        signature[6:]
    for token in (f"{head}.{claims}.{flipped}", f"{head}.{claims}.",
                  f"{head}.{claims}x.{signature}", f"{claims}.{signature}",
                  f"{head}.{claims}.{signature}A", site.token.upper()):
        denied(site.call("GET", "/users/admin", token=token))
    done(site.call("GET", "/users/admin"))


def test_ten_failures_of_a_name_stop_it_from_every_address(site):
    account = name()
    token = site.user(account, GOOD)
    clients = [site.elsewhere() for _ in range(5)]
    for n in range(9):
        denied(clients[n % 5].login(account, "wrong"), BASIC)
    site.session(account, GOOD)		# a success clears the count
    for n in range(10):
        denied(clients[n % 5].login(account, "wrong"), BASIC)
    for client in (clients[0], site):
        answer = client.login(account, GOOD)
        refused(answer, 429, 1015)
        assert 1 <= int(answer.headers["Retry-After"]) <= 300
    site.session("admin", NEW_PASSWORD)		# others are not concerned
    done(site.call("GET", "/users/" + account, token=token))


def test_thirty_failures_of_an_address_stop_it_for_every_name(site):
    client = site.elsewhere()
    for n in range(30):
        denied(client.login(f"nobody{n:02}", "wrong"), BASIC)
    refused(client.login("admin", NEW_PASSWORD), 429, 1015)
    site.session("admin", NEW_PASSWORD)


# --- U2 ---

def test_logout_ends_that_token_and_no_other(site):
    account = name()
    one, two = site.user(account, GOOD), site.session(account, GOOD)
    for body in ({"data": b"null"}, {}):
        token = site.session(account, GOOD)
        assert done(site.call("POST", "/users/logout", token=token,
                              **body)) == {}
        denied(site.call("POST", "/users/logout", token=token))
    assert done(site.call("POST", "/users/logout", {}, token=one)) == {}
    for _ in range(8):		# whichever worker
        denied(site.call("GET", "/users/" + account, token=one))
        done(site.call("GET", "/users/" + account, token=two))
    refused(site.call("POST", "/users/logout", data=b"{", token=two), 400,
            1025, SYNTAX)


# --- U3 ---

def test_a_new_account_is_a_user_whatever_it_asks_for(site):
    account = name()
    assert done(site.call("POST", "/users", {
        "username": account, "password": GOOD, "ROLES": "ROLE_ADMIN",
        "role": "admin"}), 201) == {"users": [{"username": account}]}
    assert done(site.call("GET", "/users/" + account)) == {
        "users": [{"username": account, "ROLES": "ROLE_USER"}]}
    token = site.session(account, GOOD)		# no must_change
    refused(site.call("POST", "/users", {}, token=token), 403, 1005)
    answer = site.call("POST", "/users", {
        "username": account, "password": "0ther-Pass"})
    refused(answer, 500, 1014, "Unable to create user. Already exist?")
    assert answer.json()["errors"][0]["title"] == "Internal error"
    refused(site.call("POST", "/users", {
        "username": account.upper(), "password": GOOD}), 500, 1014)
    site.session(account, GOOD)


@pytest.mark.parametrize("bad", [
    "abc", "a" * 33, "login", "logout", "with space", "sl/ash", "\u00e4\u00e4\u00e4\u00e4",
    "co:lon", "", 5, None, ["list"], True])
def test_user_names_that_are_refused(site, bad):
    answer = site.call("POST", "/users", {"username": bad, "password": GOOD})
    refused(answer, 400, 1009)
    assert "username" in answer.json()["errors"][0]["details"]


@pytest.mark.parametrize("good", ["abcd", "A.b_c@d-e", "login1", "9" * 32])
def test_user_names_that_are_taken(site, good):
    done(site.call("POST", "/users", {"username": good, "password": GOOD}),
         201)


BAD_PASSWORDS = ("Sh0rt-x", "no-upper-1", "NO-LOWER-1", "No-digits-x",
                 "NoSpecial1", "Pa0-" * 16 + "x", "Control\u0007-1", "", 12345678,
                 None)


@pytest.mark.parametrize("bad", BAD_PASSWORDS)
def test_passwords_that_are_refused(site, user, bad):
    for method, path, body in (
            ("POST", "/users", {"username": name(), "password": bad}),
            ("PUT", "/users/jdoe01", {"password": bad})):
        answer = site.call(method, path, body)
        refused(answer, 400, 1009)
        assert "password" in answer.json()["errors"][0]["details"]
        assert not isinstance(bad, str) or len(bad) < 3 or \
            bad not in answer.text


def test_the_words_about_a_password_name_limits_and_classes(site):
    details = site.call("PUT", "/users/admin", {"password": "x"}).json()[
        "errors"][0]["details"]
    for word in ("8", "64", "digit", "upper", "lower", "special"):
        assert word in details


@pytest.mark.parametrize("special", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
def test_every_special_character_counts(site, user, special):
    password = f"Passw0rd{special}"
    done(site.call("PUT", "/users/jdoe01", {"password": password}))
    site.session("jdoe01", password)


@pytest.mark.parametrize("body,field", [
    ({}, "username"), ({"password": GOOD}, "username"),
    ({"username": "abcd"}, "password"), (None, "username")])
def test_what_is_missing_is_named(site, body, field):
    answer = site.call("POST", "/users", body)
    refused(answer, 400, 1008)
    assert field in answer.json()["errors"][0]["details"]
    if field == "password":
        refused(site.call("PUT", "/users/admin", {}), 400, 1008)
        refused(site.call("PUT", "/users/admin"), 400, 1008)


def test_of_two_members_of_one_name_the_last_counts(site):
    account = name()
    done(site.call("POST", "/users", data=(
        '{"username":"first","password":"x","username":"%s","password":"%s"}'
        % (account, GOOD)).encode()), 201)
    site.session(account, GOOD)


def test_bodies_have_a_limit(site):
    refused(site.call("POST", "/users", data=b" " * 65537), 413, 1025)
    refused(site.call("POST", "/users", data=b" " * 65536), 400, 1008)


# --- U4 - U6 ---

def test_users_see_and_change_themselves_only(site):
    account = name()
    token = site.user(account, GOOD)
    assert done(site.call("GET", "/users/" + account, token=token)) == {
        "users": [{"username": account, "ROLES": "ROLE_USER"}]}
    for other in ("admin", "jdoe01", "no-such-name", account.upper()):
        refused(site.call("GET", "/users/" + other, token=token), 403, 1005)
        # role before body
        refused(site.call("PUT", "/users/" + other, data=b"{", token=token),
                403, 1005)
        refused(site.call("DELETE", "/users/" + other, token=token), 403,
                1005)
    refused(site.call("PUT", "/users/" + account, data=b"{", token=token),
            400, 1025, SYNTAX)
    assert done(site.call("PUT", "/users/" + account, {
        "password": "Changed-2"}, token=token)) == {
            "users": [{"username": account}]}
    denied(site.elsewhere().login(account, GOOD), BASIC)
    site.session(account, "Changed-2")
    done(site.call("GET", "/users/" + account, token=token))


def test_what_is_not_there_is_found_out_last(site):
    for path in ("no-such-name", "Admin", "admin%20", "a%2Fb", "%C3%A4"):
        refused(site.call("GET", "/users/" + path), 404, 1006)
        refused(site.call("PUT", "/users/" + path, {"password": "x"}), 400,
                1009)
        refused(site.call("PUT", "/users/" + path, {"password": GOOD}), 404,
                1006)
        refused(site.call("DELETE", "/users/" + path), 404, 1006)


def test_names_in_paths_are_percent_decoded_once(site):
    done(site.call("POST", "/users", {"username": "at@home",
                                      "password": GOOD}), 201)
    assert done(site.call("GET", "/users/at%40home"))["users"][0][
        "username"] == "at@home"
    refused(site.call("GET", "/users/at%2540home"), 404, 1006)


def test_a_deleted_account_is_out_with_all_its_tokens(site):
    account = name()
    tokens = [site.user(account, GOOD), site.session(account, GOOD)]
    for token in tokens:
        done(site.call("GET", "/users/" + account, token=token))
    assert done(site.call("DELETE", "/users/" + account)) == {
        "users": [{"username": account}]}
    for token in tokens * 4:
        denied(site.call("GET", "/users/" + account, token=token))
    denied(site.elsewhere().login(account, GOOD), BASIC)
    refused(site.call("DELETE", "/users/" + account), 404, 1006)
    site.user(account, GOOD)


def test_the_admin_cannot_be_deleted_and_can_change_any_password(site):
    refused(site.call("DELETE", "/users/admin"), 403, 1005,
            "The admin account cannot be deleted")
    account = name()
    site.user(account, GOOD)
    done(site.call("PUT", "/users/" + account, {"password": "Changed-3"}))
    site.session(account, "Changed-3")


def test_the_admin_stays_whatever_dialect_asks(fresh, wuts):
    fresh.first_login()
    owner = fresh.tenant.admin
    (admin,) = [user for user in owner.client.get("/users").json()["users"]
                if "email" not in user or not user["email"]]
    path = "/users/" + admin["id"]
    answer = owner.client.delete(path)
    assert (answer.status_code, answer.json()["error_code"]) == \
        (403, "FORBIDDEN")
    wacht = Wacht(wuts, owner.token)
    wacht.refused(403, "DELETE", path)
    wacht.refused(403, "PATCH", path, files={"username": (None, "boss")})
    wacht.ok("PATCH", path, files={"username": (None, "admin"),
                                   "first_name": (None, "A")})
    done(fresh.call("GET", "/users/admin"))
    # where the dialect is not spoken any more, it is a user like others
    disabled = wuts.ctl("onprem", "disable", "--yes", fresh.tenant.id)
    assert disabled.returncode == 0, disabled.stderr
    assert owner.client.delete(path).status_code == 200


def test_a_name_in_other_letters_is_in_the_way(wuts):
    tenant = wuts.tenant()
    Wacht(wuts, tenant.admin.token).ok("POST", "/users", files={
        name: (None, text) for name, text in (
            ("username", "Admin"), ("email_address", "a@b.example"),
            ("first_name", "A"), ("last_name", "B"), ("password", GOOD))})
    enabled = wuts.ctl("onprem", "enable", tenant.id)
    assert enabled.returncode == 1 and "other letters" in enabled.stderr


def test_changing_the_initial_password_by_put_is_enough(fresh):
    owner = fresh.tenant.admin.token
    done(fresh.call("PUT", "/users/admin", {"password": NEW_PASSWORD},
                    token=owner))
    fresh.session("admin", NEW_PASSWORD)


def test_a_new_password_is_told_and_its_time_kept(fresh, wuts, hook):
    owner = fresh.tenant.admin
    assert owner.client.post("/webhook?scope=tenant", {
        "webhook_url": hook.url,
        "enabled_events": ["user.*"]}).status_code == 201
    done(fresh.call("PUT", "/users/admin", {"password": NEW_PASSWORD},
                    token=owner.token))
    answer = fresh.login("admin", NEW_PASSWORD, {"new_password": GOOD})
    assert answer.status_code == 200
    seen = hook.wait(2)
    assert [d.event for d in seen] == ["user.password.updated"] * 2
    reset = wuts.sql("SELECT HEX(user_id) FROM user_profile"
                     " WHERE password_reset_at IS NOT NULL")
    for delivery in seen:
        message = delivery.message
        assert message["type"] == "user.password.updated"
        assert message["data"]["entity_type"] == "user"
        id = message["data"]["entity_id"].replace("-", "").upper()
        assert (id,) in reset
        assert GOOD not in delivery.body.decode()


# --- §11: one user for all dialects ---

def test_a_log_in_shows_and_is_revocable_in_the_users_data(site, wuts):
    account = name()
    one, two = site.user(account, GOOD), site.session(account, GOOD)
    wacht = Wacht(wuts, site.tenant.admin.token)
    (user,) = [row for row in wacht.ok("GET", "/users?limit=1000")["data"]
               if row["username"] == account]
    path = f"/users/{user['id']}/sessions"
    listed = wacht.list(path)
    assert len(listed) == 2
    ended = 0
    for session in listed:
        wacht.ok("POST", f"{path}/{session['id']}/revoke")
        ended += 1
        answers = [site.call("GET", "/users/" + account, token=token)
                   for token in (one, two)]
        assert [answer.status_code for answer in answers].count(401) == ended
        for answer in answers:
            if answer.status_code == 401:
                denied(answer)
    done(site.call("GET", "/users/" + account))
    token = site.session(account, GOOD)
    wacht.ok("POST", path + "/revoke-all")
    denied(site.call("GET", "/users/" + account, token=token))


def test_who_is_deactivated_is_out_at_once(site):
    account = name()
    token = site.user(account, GOOD)
    done(site.call("GET", "/users/" + account, token=token))
    client = site.tenant.admin.client
    row = client.get("/users").json()["users"][-1]	# the newest
    assert client.put(f"/users/{row['id']}",
                      {"active": False}).status_code == 200
    for _ in range(8):
        denied(site.call("GET", "/users/" + account, token=token))
    denied(site.elsewhere().login(account, GOOD), BASIC)
    assert client.put(f"/users/{row['id']}",
                      {"active": True}).status_code == 200
    done(site.call("GET", "/users/" + account, token=token))


def test_two_tenants_know_nothing_of_each_other(site, wuts, front):
    other = Site(front, enabled_tenant(wuts)).first_login()
    account = name()
    token = site.user(account, GOOD)
    for stranger in (token, site.token, site.tenant.admin.token):
        denied(other.call("GET", "/users/admin", token=stranger))
    denied(other.login(account, GOOD), BASIC)
    refused(other.call("GET", "/users/" + account), 404, 1006)
    other.user(account, "0ther-Pass")
    done(other.call("DELETE", "/users/" + account))
    done(site.call("GET", "/users/" + account, token=token))


def test_everything_stands_in_the_audit_trail(fresh):
    fresh.first_login()
    fresh.user("jdoe01", GOOD)
    done(fresh.call("DELETE", "/users/jdoe01"))
    done(fresh.call("POST", "/users/logout"))
    entries = fresh.tenant.admin.client.get("/audit").json()["entries"]
    assert [entry["action"] for entry in entries[:6]] == [
        "session.deleted", "user.deleted", "session.created", "user.created",
        "session.created", "user.password_changed"]
    text = json.dumps(entries)
    assert fresh.token not in text and GOOD not in text


def test_no_secret_is_in_the_log(site, wuts):
    password = "Very-s3cret-" + name()[:8]
    token = site.user(name(), password)
    site.elsewhere().login("admin", password)
    site.call("GET", "/users/admin", token=token)
    log = (wuts.run / "logs" / "wutsd.log").read_text(errors="replace")
    assert password not in log and token not in log
