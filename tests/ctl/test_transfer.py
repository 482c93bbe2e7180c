# SPDX-License-Identifier: MIT
"""wutsctl export and import: users out of a tenant and into one, whole,
without doubles, and with secrets only when asked for."""
import json
import subprocess

import pytest
import requests

import harness
from harness import done, unique

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
HASH = "$argon2id$v=19$m=64,t=1,p=1$YWJjZGVmZ2hpamts$" + "A" * 43

PERSON = {
    "role": "manager", "disabled": True, "username": "ada",
    "first_name": "Ada", "last_name": "L\u00f6velace",
    "second_factor_policy": "enforced",
    "public_metadata": {"n": 12345678901234567, "x": [1.5, None, {"y": {}}]},
    "private_metadata": {},
    "emails": [
        {"email": "ada@example.com", "is_primary": True, "verified": True},
        {"email": "other@example.com", "is_primary": False,
         "verified": False}],
    "phones": [{"country_code": "+1", "phone_number": "5551234567",
                "is_primary": True, "verified": True}],
    "connections": [{"provider": "github_oauth", "email": "ADA@example.com",
                     "access_token": "provider-token-1",
                     "refresh_token": None}],
    "passkeys": [{"name": "my key", "credential_id": "AQID",
                  "public_key": "BAUG", "aaguid": None, "sign_count": 7,
                  "transports": "usb,nfc", "device_type": None,
                  "backed_up": True}],
    "password_hash": HASH,
    "authenticator": {"secret": SECRET, "account_name": "ada"},
}


class Transfer:
    def __init__(self, operator):
        self.operator = operator

    def load(self, tenant, lines, status=0):
        """The last line that it told of its progress; its other lines."""
        text = "".join((l if isinstance(l, str) else json.dumps(l)) + "\n"
                       for l in lines)
        ran = self.operator.run("import", tenant.id, stdin=text, status=status)
        lines = ran.stderr.splitlines()
        told = [l for l in lines if " lines: " in l]
        return told[-1], [l for l in lines if l not in told]

    def dump(self, tenant, *options):
        ran = self.operator.run("export", tenant.id, *options)
        return [json.loads(line) for line in ran.stdout.splitlines()]


@pytest.fixture
def transfer(operator):
    return Transfer(operator)


def without_ids(user):
    def strip(value):
        if isinstance(value, dict):
            return {k: strip(v) for k, v in value.items()
                    if k not in ("id", "created_at")}
        return [strip(v) for v in value] if isinstance(value, list) else value
    return strip(user)


def test_a_user_comes_out_as_it_went_in(operator, transfer):
    house = operator.instance.tenant()
    told, rest = transfer.load(house, [PERSON])
    assert told == "1 lines: 1 new, 0 there already, 0 refused" and not rest
    [user] = [u for u in transfer.dump(house, "--secrets")
              if u["username"] == "ada"]
    assert without_ids(user) == PERSON
    answer = requests.get(
        f"{operator.instance.url}/wacht/users/{user['id']}/details", timeout=30,
        headers={"Authorization": "Bearer " + house.admin.token}).json()
    assert answer["public_metadata"] == PERSON["public_metadata"]
    assert answer["primary_email_address"] == "ada@example.com"
    assert answer["disabled"] is True and answer["has_password"] is True
    [connection] = answer["social_connections"]
    assert connection["access_token"] == ""
    assert connection["user_email_address_id"] == \
        answer["primary_email_address_id"]
    assert "user.imported" in [e["action"] for e in done(
        house.admin.client.get("/audit?limit=10"))["entries"]]


def test_secrets_leave_only_when_asked_for(operator, transfer):
    house = operator.instance.tenant()
    transfer.load(house, [PERSON])
    plain = operator.run("export", house.id).stdout
    for secret in (SECRET, HASH, "provider-token-1", "password_hash",
                   "authenticator"):
        assert secret not in plain
    sealed = operator.sql("SELECT HEX(access_sealed) FROM user_connection")
    assert all(b"provider-token".hex().upper() not in row[0]
               for row in sealed)


def test_an_export_goes_back_where_its_users_were_deleted(operator, transfer):
    house = operator.instance.tenant()
    transfer.load(house, [PERSON])
    before = transfer.dump(house, "--secrets")
    [user] = [u for u in before if u["username"] == "ada"]
    done(house.admin.client.delete("/users/" + user["id"]))
    told, _ = transfer.load(house, before)
    assert told == "2 lines: 1 new, 1 there already, 0 refused"
    after = transfer.dump(house, "--secrets")
    [again] = [u for u in after if u["username"] == "ada"]
    assert again == user


def test_users_stay_in_the_order_in_which_they_came(operator, transfer):
    house, other = operator.instance.tenant(), operator.instance.tenant()
    names = ["first", "second", "third"]
    transfer.load(house, [
        {"username": name, "created_at": f"2024-01-15T1{n}:30:00.5+01:00"}
        for n, name in enumerate(names)])
    old = {u["id"]: u for u in transfer.dump(house)}
    old.pop(house.admin.id)
    for user in old.values():
        done(house.admin.client.delete("/users/" + user["id"]))
    transfer.load(other, sorted(old.values(), key=lambda u: u["username"],
                                reverse=True))
    answer = requests.get(
        f"{operator.instance.url}/wacht/users?sort_key=created_at"
        "&sort_order=asc", timeout=30,
        headers={"Authorization": "Bearer " + other.admin.token}).json()
    assert [u["username"] for u in answer["data"]][:3] == names
    assert [u["created_at"] for u in answer["data"]][:3] == [
        f"2024-01-15T{9 + n:02}:30:00.500000Z" for n in range(3)]


def test_a_time_of_creation_that_cannot_be_is_refused(operator, transfer):
    house = operator.instance.tenant()
    told, lines = transfer.load(house, [
        {"username": "late", "created_at": "2999-01-01T00:00:00Z"},
        {"username": "none", "created_at": "yesterday"},
        {"username": "kind", "created_at": 5}], status=1)
    assert told == "3 lines: 0 new, 0 there already, 3 refused"
    assert all("created_at" in line for line in lines[:3])


def test_an_export_goes_on_behind_an_id(operator, transfer):
    house = operator.instance.tenant()
    transfer.load(house, [{"username": f"user{n:03}"} for n in range(120)])
    everybody = transfer.dump(house)
    assert len(everybody) == 121
    ids = [u["id"] for u in everybody]
    assert ids == sorted(ids)
    rest = transfer.dump(house, "--after", ids[110])
    assert rest == everybody[111:]


def test_an_interrupted_import_makes_no_doubles(operator, transfer, tmp_path):
    house = operator.instance.tenant()
    n = 200
    lines = [json.dumps(
        {"emails": [{"email": f"u{i}@example.org", "is_primary": True}],
         "first_name": f"U{i}"}) + "\n" for i in range(n)]
    file = tmp_path / "users"
    file.write_text("".join(lines))
    count = f"SELECT COUNT(*) FROM users WHERE tenant_id =" \
        f" X'{house.id.replace('-', '')}'"
    for given in 60, 120:
        had = int(operator.sql(count)[0][0])
        with subprocess.Popen(
                [harness.BUILD / "wutsctl", "-c", operator.instance.config,
                 "import", house.id], stdin=subprocess.PIPE, text=True,
                stderr=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL) as process:
            # More is to come: it is not done before it is killed.
            process.stdin.write("".join(lines[:given]))
            process.stdin.flush()
            harness.wait_for(
                "some of it",
                lambda: int(operator.sql(count)[0][0]) > had + 30, 60)
            process.kill()
    ran = operator.run("import", house.id, file)
    told = ran.stderr.splitlines()[-1].replace(":", "").replace(",", "")
    words = told.split()
    assert int(words[0]) == n and words[-2:] == ["0", "refused"]
    assert int(words[2]) + int(words[4]) == n and int(words[4]) > 50
    assert int(operator.sql(count)[0][0]) == n + 1


@pytest.mark.parametrize("line", [
    "{", "[]", '"x"', "{} {}", '{"id":"1"}', '{"role":"king"}',
    '{"username":7}', '{"username":"a b"}', '{"first_name":"a\\nb"}',
    '{"emails":{}}', '{"emails":[1]}', '{"emails":[{"email":"x"}]}',
    '{"emails":[{"email":"a@example.com","is_primary":true},'
    '{"email":"b@example.com","is_primary":true}]}',
    '{"phones":[{"phone_number":"abc"}]}', '{"public_metadata":[]}',
    '{"connections":[{"provider":"myspace","email":"a@example.com"}]}',
    '{"passkeys":[{"name":"x"}]}',
    '{"passkeys":[{"name":"x","credential_id":"!","public_key":"AA=="}]}',
    '{"password_hash":"secret"}', '{"authenticator":{"secret":"AAAA"}}',
    '{"second_factor_policy":"maybe"}', '{"disabled":"yes"}'])
def test_a_bad_line_is_refused_and_the_others_come_in(operator, transfer, line):
    house = operator.instance.tenant()
    name = unique("good")[:20]
    told, rest = transfer.load(house, [line, {"username": name}], status=1)
    assert told == "2 lines: 1 new, 0 there already, 1 refused"
    assert rest[0].startswith("wutsctl: line 1: ")
    assert "secret" not in rest[0] or "authenticator" in rest[0]
    assert len(transfer.dump(house)) == 2


def test_what_another_user_has_is_refused(operator, transfer):
    house, other = operator.instance.tenant(), operator.instance.tenant()
    transfer.load(house, [PERSON])
    told, rest = transfer.load(house, [
        {"username": "ADA"},
        {"emails": [{"email": "OTHER@example.com"}]},
        {"phones": [{"phone_number": "15551234567"}]}], status=1)
    assert told.endswith("0 new, 0 there already, 3 refused"), rest
    [user] = [u for u in transfer.dump(house) if u["username"] == "ada"]
    told, rest = transfer.load(other, [user], status=1)
    assert "1 refused" in told and "taken" in rest[0]
    assert len(transfer.dump(other)) == 1


def test_an_import_is_told_to_webhooks(operator, transfer, receiver):
    house, hook = operator.instance.tenant(), receiver.hook()
    done(house.admin.client.post("/webhook?scope=tenant", {
        "webhook_url": hook.url, "enabled_events": ["user.created"]}), 201)
    transfer.load(house, [PERSON])
    [delivery] = hook.wait(1)
    text = delivery.body.decode()
    assert "ada@example.com" in text
    for secret in (SECRET, HASH, "provider-token-1"):
        assert secret not in text


def test_a_providers_tokens_are_shown_where_the_tenant_says_so(
        operator, transfer, receiver):
    """And in no event even then; they go with the address they are bound
    to."""
    house, hook = operator.instance.tenant(), receiver.hook()
    transfer.load(house, [PERSON])
    operator.run("tenant", "policy", house.id, "expose_provider_tokens=true")
    done(house.admin.client.post("/webhook?scope=tenant", {
        "webhook_url": hook.url, "enabled_events": ["user.*"]}), 201)
    url = operator.instance.url + "/wacht/users"
    key = {"Authorization": "Bearer " + house.admin.token}
    [user] = requests.get(url + "?search=ada", headers=key, timeout=30).json()[
        "data"]
    url += "/" + user["id"]
    changed = requests.patch(url, headers=key, timeout=30, files={
        "first_name": (None, "Augusta")}).json()
    listed = requests.get(url + "/social-connections", headers=key,
                          timeout=30).json()["data"]
    shown = requests.get(url + "/details", headers=key, timeout=30).json()
    for [connection] in (changed["social_connections"], listed,
                         shown["social_connections"]):
        assert (connection["access_token"], connection["refresh_token"]) == (
            "provider-token-1", "")
        bound = connection["user_email_address_id"]
    assert requests.delete(f"{url}/emails/{bound}", headers=key,
                           timeout=30).status_code == 200
    assert requests.get(url + "/social-connections", headers=key,
                        timeout=30).json()["total"] == 0
    assert requests.delete(url, headers=key, timeout=30).status_code == 200
    seen = hook.wait(3)
    assert sorted(d.event for d in seen) == [
        "user.deleted", "user.email.removed", "user.updated"]
    for delivery in seen:
        for secret in (SECRET, HASH, "provider-token-1"):
            assert secret not in delivery.body.decode()
