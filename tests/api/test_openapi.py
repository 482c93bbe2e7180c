# SPDX-License-Identifier: MIT
"""doc/openapi.json: it is sound, it has the routes that there are, and every
example in it happens: sent to the running server it is answered with that
status, in that shape."""
import json
import re
import subprocess

import jsonschema
import pytest
import requests

import harness
from harness import ERROR_CODES, done, unique, wait_for

DOCUMENT = json.loads((harness.SOURCE / "doc" / "openapi.json").read_text())
METHODS = ("get", "put", "post", "delete", "patch")
OPERATIONS = {(method.upper(), path): operation
              for path, item in DOCUMENT["paths"].items()
              for method, operation in item.items() if method in METHODS}
NAMES = [f"{method} {path}" for method, path in OPERATIONS]


def resolve(node):
    """What a reference stands for."""
    while "$ref" in node:
        target = DOCUMENT
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def check(value, schema):
    """Does the value have this schema, references of the document included?"""
    jsonschema.Draft202012Validator(
        {**schema, "components": DOCUMENT["components"]},
        format_checker=jsonschema.FormatChecker()).validate(value)


def nodes(node):
    yield node
    for child in (node.values() if isinstance(node, dict) else
                  node if isinstance(node, list) else ()):
        yield from nodes(child)


def json_content(part):
    return resolve(part).get("content", {}).get("application/json", {})


def examples(part):
    return {name: example["value"] for name, example in
            json_content(part).get("examples", {}).items()}


# --- the document alone ---

def test_it_is_an_openapi_3_1_document():
    assert DOCUMENT["openapi"] == "3.1.0"
    assert {"title", "version"} <= set(DOCUMENT["info"])
    used = {node["$ref"] for node in nodes(DOCUMENT)
            if isinstance(node, dict) and "$ref" in node}
    for reference in used:
        resolve({"$ref": reference})
    for kind in "schemas", "parameters", "responses":
        for name in DOCUMENT["components"][kind]:
            assert f"#/components/{kind}/{name}" in used, f"{name}: unused"
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_an_independent_linter_accepts_it(node):
    said = json.loads(node("lint.js", harness.SOURCE / "doc/openapi.json"))
    assert (said["valid"], said["version"]) == (True, "3.1"), said["errors"]


def test_every_operation_is_described_whole():
    tags = {tag["name"] for tag in DOCUMENT["tags"]}
    ids = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(ids)) == len(ids)
    for (method, path), operation in OPERATIONS.items():
        parameters = [resolve(p) for p in operation.get("parameters", [])]
        named = [(p["in"], p["name"]) for p in parameters]
        assert operation["summary"] and set(operation["tags"]) <= tags
        assert len(set(named)) == len(named), path
        assert {name for place, name in named if place == "path"} == \
            set(re.findall(r"{(\w+)}", path)), path
        assert all(p.get("required") for p in parameters
                   if p["in"] == "path"), path
        assert "default" in operation["responses"], path
        for status, response in operation["responses"].items():
            assert status == "default" or re.fullmatch(r"[1-5]\d\d", status)
            assert resolve(response)["description"]


@pytest.mark.parametrize("name", NAMES)
def test_examples_have_the_schemas_they_stand_beside(name):
    operation = OPERATIONS[tuple(name.split(" "))]
    for response in operation["responses"].values():
        for value in examples(response).values():
            check(value, json_content(response)["schema"])
    request = operation.get("requestBody", {})
    for example, value in examples(request).items():
        is_good = any(status < "400" and example in examples(response)
                      for status, response in operation["responses"].items())
        if is_good:
            check(value, json_content(request)["schema"])


def test_every_error_code_is_listed():
    listed = DOCUMENT["components"]["schemas"]["ErrorCode"]["enum"]
    assert sorted(listed) == sorted(set().union(*ERROR_CODES.values()))


# --- beside the program ---

def test_it_has_the_routes_that_there_are():
    printed = subprocess.run([harness.BUILD / "wutsd", "--routes"], text=True,
                             capture_output=True, check=True).stdout
    routes = {}
    for line in printed.splitlines():
        method, path, access, dialect = line.split()
        if dialect in ("wuts", "ops"):
            routes[method, path] = access
    assert {key: operation["x-access"] for key, operation
            in OPERATIONS.items()} == routes


def test_the_server_shows_the_document(wuts):
    response = requests.get(wuts.url + "/openapi.json", timeout=30)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == \
        "application/json; charset=utf-8"
    assert response.json() == DOCUMENT


# --- every example, against the running server ---

class House:
    """A tenant as the examples speak of it, and the things in it that an
    operation needs: made when asked for."""

    def __init__(self, wuts, hook):
        self.wuts = wuts
        self.hook = hook
        self.tenant = wuts.tenant(email="admin@acme.example")
        self.admin = self.tenant.admin

    def client(self, access):
        if access == "public":
            return self.wuts.client()
        if access == "master":
            return self.wuts.master()
        return self.wuts.engine() if access == "engine" else self.admin.client

    def user(self):
        return self.tenant.member().id

    def key(self):
        return done(self.admin.client.post("/api-keys", {
            "name": "billing", "scope": "read",
            "expires_at": "2036-01-01T00:00:00Z"}), 201)["api_key"]["id"]

    def device(self):
        return self.admin.device("Front desk")

    def webhook(self, device, **settings):
        done(self.admin.client.post(f"/webhook?device_id={device}", {
            "webhook_url": self.hook.url, "enabled_events": [
                "message.*", "device.connected"], **settings}), 201)

    def dead(self, device):
        """The id of an event of the device that could not be delivered."""
        self.hook.answers.append(500)
        (event,) = done(self.wuts.engine().post(
            f"/devices/{device}/events",
            {"event": "message.received", "data": {}}), 202)["ids"]
        wait_for("a dead letter", lambda: [
            d for d in done(self.admin.client.get(
                f"/webhook/deliveries?device_id={device}"))["deliveries"]
            if d["id"] == event and d["state"] == "dead"])
        return event

    def replay(self, device):
        return done(self.admin.client.post(
            f"/webhook/replay?device_id={device}"), 202)["replay"]["id"]


NEEDS_WEBHOOK = {"GET /webhook", "DELETE /webhook", "POST /webhook/test",
                 "POST /webhook/secret", "GET /webhook/deliveries",
                 "POST /webhook/deliveries/{id}/replay",
                 "POST /webhook/replay", "GET /webhook/replay/{id}"}
NEEDS_DEAD = {"GET /webhook/deliveries",
              "POST /webhook/deliveries/{id}/replay"}


def furnish(house, method, path):
    """The path with things in it that exist, and the query to go with it."""
    name, query, dead = f"{method} {path}", {}, None
    parameters = [resolve(p).get("name")
                  for p in OPERATIONS[method, path].get("parameters", [])]
    if "device_id" in parameters:
        query["device_id"] = house.device()
    elif name in ("GET /devices", "GET /user/devices"):
        house.device()
    elif name == "GET /api-keys":
        house.key()
    elif name == "GET /audit":
        query["action"] = "user.created"
        house.user()
    if name in NEEDS_WEBHOOK:
        house.webhook(query["device_id"], **(
            {"retry_attempts": 0} if name in NEEDS_DEAD else {}))
    if name in NEEDS_DEAD:
        dead = house.dead(query["device_id"])
    makers = {"/global": lambda: house.tenant.id, "/users": house.user,
              "/api-keys": house.key, "/devices": house.device,
              "/webhook/deliveries": lambda: dead,
              "/webhook/replay": lambda: house.replay(query["device_id"])}
    for start, make in makers.items():
        if "{" in path and path.startswith(start):
            path = re.sub(r"{\w+}", lambda _, make=make: make(), path)
    return path, query


def adapt(body, query):
    """An example's body, with names that nobody has and a device that is."""
    if isinstance(body, dict) and "tenant_name" in body:
        return {**body, "tenant_name": unique("Acme")}
    if isinstance(body, dict) and "device_id" in body:
        return {**body, "device_id": query["device_id"]}
    return body


def assert_alike(example, answer, where):
    """The same members of the same types, all the way down. Lists may be longer,
    objects without fixed members (headers, data) may hold others."""
    if example is None or answer is None:
        return
    assert type(example) is type(answer), where
    if isinstance(example, dict) and not where.endswith((".old", ".new")):
        assert set(example) == set(answer), where
        for key in example:
            assert_alike(example[key], answer[key], f"{where}.{key}")
    if isinstance(example, list) and example:
        assert answer, where
        assert_alike(example[0], answer[0], f"{where}[0]")


CASES = [(f"{method} {path}", status, name)
         for (method, path), operation in OPERATIONS.items()
         for status, response in operation["responses"].items()
         for name in examples(response)]


@pytest.mark.parametrize("operation, status, example", CASES)
def test_an_example_happens(wuts, hook, operation, status, example):
    method, path = operation.split(" ")
    described = OPERATIONS[method, path]
    house = House(wuts, hook)
    target, query = furnish(house, method, path)
    sent = examples(described.get("requestBody", {})).get(example)
    body = None if sent is None else adapt(sent, query)
    response = house.client(described["x-access"]).request(
        method, target, body, params=query)
    assert response.status_code == int(status), response.text
    told = described["responses"][status]
    check(response.json(), json_content(told)["schema"])
    shown = examples(told)[example]
    assert_alike(shown, response.json(), "")
    if int(status) >= 400:
        for member in "error", "error_code", "validation":
            assert response.json().get(member) == shown.get(member)
