# SPDX-License-Identifier: MIT
"""Every route × every role × own and foreign tenant. The table below has a row
for every line of `wutsd --routes` that is no other dialect's; a route without a
row fails the test."""
import subprocess
import uuid

import pytest

import harness
from harness import PASSWORD, unique

# Where nobody answers, at once.
DEAD_END = {"webhook_url": "http://127.0.0.1:1/"}
ROLES = ("none", "user", "manager", "admin", "master", "engine", "key",
         "reader")


def make_key(house):
    """The id of a key that nobody uses."""
    return harness.done(house.admin.client.post("/api-keys", {
        "name": unique("walk")}), 201)["api_key"]["id"]


class World:
    """Two houses; the callers live in the first."""

    def __init__(self, wuts):
        self.own = self.house(wuts)
        self.foreign = self.house(wuts)
        self.clients = {
            "none": wuts.client(), "master": wuts.master(),
            "engine": wuts.engine(), "user": self.own.user.client,
            "manager": self.own.manager.client,
            "admin": self.own.admin.client, "key": self.own.key(),
            "reader": self.own.key("read")}

    @staticmethod
    def house(wuts):
        house = wuts.tenant()
        house.user, house.manager = house.member(), house.member("manager")
        house.target = house.member()
        house.api_key = make_key(house)
        house.device = house.user.device()
        for scope, events in ((f"device_id={house.device}", ["*"]),
                              ("scope=tenant", ["user.created"])):
            harness.done(house.admin.client.post("/webhook?" + scope, {
                "webhook_url": "https://example.com/" + house.id,
                "enabled_events": events}), 201)
        house.replay = harness.done(house.user.client.post(
            "/webhook/replay"), 202)["replay"]["id"]
        return house


@pytest.fixture(scope="module")
def world(wuts):
    return World(wuts)


class Row:
    """path and body are made from a house; own and foreign are the expected
    statuses, in the order of ROLES."""

    def __init__(self, path, own, foreign, body=None, prepare=None):
        self.path = path
        self.own = dict(zip(ROLES, map(int, own.split()), strict=True))
        self.foreign = dict(zip(ROLES, map(int, foreign.split()),
                                strict=True))
        self.body = body
        self.prepare = prepare


def new_user(house):
    return {"email": unique("new") + "@example.com", "password": PASSWORD}


def new_tenant(house):
    return {"tenant_name": unique("walk"), **new_user(house)}


def webhook(house):
    return {"webhook_url": "https://example.com/" + house.id,
            "enabled_events": ["*"]}


def restore(path, **settings):
    """The webhook that a case before has changed."""
    return lambda house: house.admin.client.post(
        path(house), {**webhook(house), **settings})


def device_webhook(house):
    return f"/webhook?device_id={house.device}"


def tenant_webhook(house):
    return f"/webhook?scope=tenant&tenant_id={house.id}"


def fresh_member(house):
    house.prey = house.member().id


def relayed(path):
    """Authorised, but no engine runs behind this instance: that is 503."""
    return Row(lambda h: path, "401 503 503 503 503 403 503 403",
               "401 404 404 404 503 403 404 403",
               lambda h: {"device_id": h.device})


def fresh_device(house):
    house.scrap = house.user.device()


def fresh_key(house):
    house.api_key = make_key(house)


def fresh_tenant(house):
    """A tenant to be deleted: the houses are needed."""
    house.ruin = house.instance.tenant().id


# A user's ?tenant_id= is not read: its token names the tenant; so does a key.
# So the foreign column of such a route shows its own house's things, and leaks
# nothing.
#                        none user mgr admin master engine key reader
TABLE = {
    "POST /register": [Row(
        lambda h: "/register", "401 401 401 401 201 401 401 401",
        "401 401 401 401 201 401 401 401", new_tenant)],
    "GET /tenants": [Row(
        lambda h: "/tenants", "401 401 401 401 200 401 401 401",
        "401 401 401 401 200 401 401 401")],
    "GET /global/tenants/{id}": [Row(
        lambda h: f"/global/tenants/{h.id}",
        "401 401 401 401 200 401 401 401",
        "401 401 401 401 200 401 401 401")],
    "DELETE /global/tenants/{id}": [Row(
        lambda h: f"/global/tenants/{h.ruin}",
        "401 401 401 401 200 401 401 401",
        "401 401 401 401 200 401 401 401", None, fresh_tenant)],
    "GET /users": [Row(
        lambda h: f"/users?tenant_id={h.id}",
        "401 403 403 200 200 403 200 200",
        "401 403 403 200 200 403 200 200")],
    "POST /users": [Row(
        lambda h: f"/users?tenant_id={h.id}",
        "401 403 403 201 201 403 201 403",
        "401 403 403 201 201 403 201 403", new_user)],
    "GET /users/{id}": [Row(
        lambda h: f"/users/{h.target.id}", "401 403 200 200 200 403 200 200",
        "401 404 404 404 200 403 404 404")],
    "PUT /users/{id}": [Row(
        lambda h: f"/users/{h.target.id}", "401 403 200 200 200 403 200 403",
        "401 404 404 404 200 403 404 403", lambda h: {"active": True})],
    "POST /users/{id}/promote": [Row(
        lambda h: f"/users/{h.target.id}/promote",
        "401 403 200 200 200 403 200 403",
        "401 404 404 404 200 403 404 403", lambda h: {"new_role": "user"})],
    "DELETE /users/{id}": [Row(
        lambda h: f"/users/{h.prey}", "401 403 403 200 200 403 200 403",
        "401 404 404 404 200 403 404 403", None, fresh_member)],
    "POST /users/{id}/token": [Row(
        lambda h: f"/users/{h.prey}/token",
        "401 403 403 200 200 403 200 403",
        "401 404 404 404 200 403 404 403", None, fresh_member)],
    "GET /roles": [Row(
        lambda h: "/roles", "401 403 403 200 200 403 200 200",
        "401 403 403 200 200 403 200 200")],
    "POST /api-keys": [Row(
        lambda h: f"/api-keys?tenant_id={h.id}",
        "401 403 403 201 201 403 201 403",
        "401 403 403 201 201 403 201 403", lambda h: {"name": "walk"})],
    "GET /api-keys": [Row(
        lambda h: f"/api-keys?tenant_id={h.id}",
        "401 403 403 200 200 403 200 200",
        "401 403 403 200 200 403 200 200")],
    "DELETE /api-keys/{id}": [Row(
        lambda h: f"/api-keys/{h.api_key}?tenant_id={h.id}",
        "401 403 403 200 200 403 200 403",
        "401 403 403 404 200 403 404 403", None, fresh_key)],
    "GET /audit": [Row(
        lambda h: f"/audit?tenant_id={h.id}",
        "401 403 403 200 200 403 200 200",
        "401 403 403 200 200 403 200 200")],
    "POST /devices": [Row(
        lambda h: "/devices", "401 201 201 201 403 403 403 403",
        "401 201 201 201 403 403 403 403", lambda h: {"name": "walk"})],
    "GET /devices": [
        Row(lambda h: f"/devices?tenant_id={h.id}",
            "401 200 200 200 200 403 200 200",
            "401 200 200 200 200 403 200 200"),
        Row(lambda h: f"/devices?scope=tenant&tenant_id={h.id}",
            "401 403 200 200 200 403 200 200",
            "401 403 200 200 200 403 200 200")],
    "GET /user/devices": [Row(
        lambda h: "/user/devices", "401 200 200 200 403 403 403 403",
        "401 200 200 200 403 403 403 403")],
    "DELETE /devices/{deviceID}": [
        Row(lambda h: f"/devices/{h.device}",
            "401 200 200 200 200 403 200 403",
            "401 404 404 404 200 403 404 403"),
        Row(lambda h: f"/devices/{h.scrap}?purge=true",
            "401 200 200 200 200 403 200 403",
            "401 404 404 404 200 403 404 403", None, fresh_device)],
    "GET /status": [Row(
        lambda h: f"/status?device_id={h.device}",
        "401 200 200 200 200 403 200 200",
        "401 404 404 404 200 403 404 404")],
    "POST /connect": [relayed("/connect")],
    "POST /disconnect": [relayed("/disconnect")],
    "POST /logout": [relayed("/logout")],
    "POST /paircode": [relayed("/paircode")],
    # a key that may only read may still look at a code
    "GET /qr": [Row(
        lambda h: f"/qr?device_id={h.device}",
        "401 503 503 503 503 403 503 503",
        "401 404 404 404 503 403 404 404")],
    "GET /qr/status": [Row(
        lambda h: f"/qr/status?device_id={h.device}",
        "401 200 200 200 200 403 200 200",
        "401 404 404 404 200 403 404 404")],
    "POST /devices/{deviceID}/events": [Row(
        lambda h: f"/devices/{h.device}/events",
        "401 202 202 202 202 202 202 403",
        "401 404 404 404 202 202 404 403",
        lambda h: {"event": "message.sent", "data": {}})],
    "POST /webhook": [
        Row(device_webhook, "401 200 200 200 200 403 200 403",
            "401 404 404 404 200 403 404 403", webhook,
            restore(device_webhook)),
        Row(tenant_webhook, "401 403 403 200 200 403 200 403",
            "401 403 403 200 200 403 200 403", webhook,
            restore(tenant_webhook))],
    "GET /webhook": [
        Row(device_webhook, "401 200 200 200 200 403 200 200",
            "401 404 404 404 200 403 404 404"),
        Row(tenant_webhook, "401 403 403 200 200 403 200 200",
            "401 403 403 200 200 403 200 200")],
    "DELETE /webhook": [
        Row(device_webhook, "401 200 200 200 200 403 200 403",
            "401 404 404 404 200 403 404 403", None,
            restore(device_webhook)),
        Row(tenant_webhook, "401 403 403 200 200 403 200 403",
            "401 403 403 200 200 403 200 403", None,
            restore(tenant_webhook))],
    "GET /webhook/events": [Row(
        lambda h: "/webhook/events", "401 200 200 200 200 403 200 200",
        "401 200 200 200 200 403 200 200")],
    "GET /webhook/deliveries": [
        Row(lambda h: f"/webhook/deliveries?device_id={h.device}",
            "401 200 200 200 200 403 200 200",
            "401 404 404 404 200 403 404 404"),
        Row(lambda h: f"/webhook/deliveries?scope=tenant&tenant_id={h.id}",
            "401 403 403 200 200 403 200 200",
            "401 403 403 200 200 403 200 200")],
    "POST /webhook/test": [
        Row(lambda h: f"/webhook/test?device_id={h.device}",
            "401 200 200 200 200 403 200 403",
            "401 404 404 404 200 403 404 403", None,
            restore(device_webhook, **DEAD_END)),
        Row(lambda h: f"/webhook/test?scope=tenant&tenant_id={h.id}",
            "401 403 403 200 200 403 200 403",
            "401 403 403 200 200 403 200 403", None,
            restore(tenant_webhook, **DEAD_END))],
    # No event of the houses was tried: who may ask for one is told so.
    "POST /webhook/deliveries/{id}/replay": [
        Row(lambda h: f"/webhook/deliveries/{uuid.uuid4()}/replay"
            f"?device_id={h.device}", "401 404 404 404 404 403 404 403",
            "401 404 404 404 404 403 404 403"),
        Row(lambda h: f"/webhook/deliveries/{uuid.uuid4()}/replay"
            f"?scope=tenant&tenant_id={h.id}",
            "401 403 403 404 404 403 404 403",
            "401 403 403 404 404 403 404 403")],
    "POST /webhook/replay": [
        Row(lambda h: f"/webhook/replay?device_id={h.device}",
            "401 202 202 202 202 403 202 403",
            "401 404 404 404 202 403 404 403"),
        Row(lambda h: f"/webhook/replay?scope=tenant&tenant_id={h.id}",
            "401 403 403 202 202 403 202 403",
            "401 403 403 202 202 403 202 403")],
    "GET /webhook/replay/{id}": [
        Row(lambda h: f"/webhook/replay/{h.replay}?device_id={h.device}",
            "401 200 200 200 200 403 200 200",
            "401 404 404 404 200 403 404 404"),
        Row(lambda h: f"/webhook/replay/{h.replay}?scope=tenant"
            f"&tenant_id={h.id}", "401 403 403 404 404 403 404 404",
            "401 403 403 404 404 403 404 404")],
    "POST /webhook/secret": [
        Row(lambda h: f"/webhook/secret?device_id={h.device}",
            "401 200 200 200 200 403 200 403",
            "401 404 404 404 200 403 404 403", None,
            restore(device_webhook)),
        Row(lambda h: f"/webhook/secret?scope=tenant&tenant_id={h.id}",
            "401 403 403 200 200 403 200 403",
            "401 403 403 200 200 403 200 403", None,
            restore(tenant_webhook))],
    "POST /user/webhook": [Row(
        lambda h: "/user/webhook", "401 200 200 200 403 403 403 403",
        "401 200 200 200 403 403 403 403",
        lambda h: {"webhook_url": "https://example.com/staged"})],
    "GET /user/webhook": [Row(
        lambda h: "/user/webhook", "401 200 200 200 403 403 403 403",
        "401 200 200 200 403 403 403 403")],
    "DELETE /user/webhook": [Row(
        lambda h: "/user/webhook", "401 200 200 200 403 403 403 403",
        "401 200 200 200 403 403 403 403")],
    "GET /auth": [
        Row(lambda h: "/auth", "401 204 204 204 204 403 204 204",
            "401 204 204 204 204 403 204 204"),
        Row(lambda h: f"/auth?device_id={h.device}",
            "401 204 204 204 204 403 204 204",
            "401 403 403 403 204 403 403 403")],
    "GET /metrics": [Row(
        lambda h: "/metrics", "401 401 401 401 200 401 401 401",
        "401 401 401 401 200 401 401 401")],
    "GET /healthz": [Row(
        lambda h: "/healthz", "200 200 200 200 200 200 200 200",
        "200 200 200 200 200 200 200 200")],
    "GET /openapi.json": [Row(
        lambda h: "/openapi.json", "200 200 200 200 200 200 200 200",
        "200 200 200 200 200 200 200 200")],
    "GET /readyz": [Row(
        lambda h: "/readyz", "200 200 200 200 200 200 200 200",
        "200 200 200 200 200 200 200 200")],
}


def routes():
    out = subprocess.run([harness.BUILD / "wutsd", "--routes"], check=True,
                         capture_output=True, text=True).stdout
    found = []
    for line in out.splitlines():
        words = line.split()
        if words[-1] not in ("wuts", "ops"):
            continue	# the other dialects' routes have their own tests
        at = next(i for i, word in enumerate(words) if word.startswith("/"))
        found.append(" ".join(words[at - 1:at + 1]))
    return found


def test_every_route_has_a_row_and_every_row_a_route():
    found = routes()
    assert len(found) == len(set(found)) > 0
    assert set(found) == set(TABLE)


def foreign_words(house):
    words = [house.id, house.device, house.name, house.api_key]
    for member in house.admin, house.manager, house.user, house.target:
        words += [member.id, member.token]
    return words


@pytest.mark.parametrize("route,n", [
    (route, n) for route, rows in TABLE.items() for n in range(len(rows))])
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("side", ["own", "foreign"])
def test_walk(world, route, n, role, side):
    row, house = TABLE[route][n], getattr(world, side)
    method = route.split()[0]
    if row.prepare:
        row.prepare(world.own)
        row.prepare(world.foreign)
    response = world.clients[role].request(
        method, row.path(house), row.body(house) if row.body else None)
    if route == "DELETE /webhook":	# other cases need it
        row.prepare(world.own)
        row.prepare(world.foreign)
    assert response.status_code == getattr(row, side)[role], response.text
    if side == "foreign" and role not in ("master", "engine"):
        sent = response.request.url + str(response.request.body)
        for word in foreign_words(house):
            if word not in sent:
                assert word not in response.text


@pytest.mark.parametrize("role", ["admin", "key"])
def test_a_tenant_id_beside_a_token_is_not_read(world, role):
    client = world.clients[role]
    path = f"/users?tenant_id={world.foreign.id}"
    users = harness.done(client.get(path))["users"]
    assert {u["tenant_id"] for u in users} == {world.own.id}
    user = harness.done(client.post(path, new_user(None)), 201)["user"]
    assert user["tenant_id"] == world.own.id
    path = f"tenant_id={world.foreign.id}"
    entries = harness.done(client.get("/audit?" + path))["entries"]
    assert {e["tenant_id"] for e in entries} == {world.own.id}
    own = harness.done(client.get("/api-keys"))["api_keys"]
    assert harness.done(client.get("/api-keys?" + path))["api_keys"] == own


def test_nothing_of_the_foreign_house_has_changed(world):
    """Runs last: after all that the walk has tried."""
    house = world.foreign
    target = harness.done(house.admin.client.get(
        f"/users/{house.target.id}"))["data"]
    assert target["role"] == "user" and target["active"] is True
    webhook = harness.done(house.admin.client.get(
        device_webhook(house)))["webhook"]
    assert webhook["webhook_url"].endswith(house.id)
