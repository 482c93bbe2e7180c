# SPDX-License-Identifier: MIT
"""Every route of the On-Premises dialect × nobody, a foreign admin, a user, the
admin. A route without a row fails the test; those that nginx relays are in
test_onprem_relay.py."""
import re
import subprocess

import pytest

import harness
from onprem import Site, enabled_tenant, engine, front, houses  # noqa: F401
from test_onprem_relay import CALLS

CALLERS = ("nobody", "foreign", "user", "admin")
# What each of them gets; `{}` in a path is an account of the tenant.
TABLE = {
    "GET /": "404 404 404 404",		# /v1/ is not the root
    "POST /users/login": "401 401 401 401",	# Bearer is no log-in
    "POST /users/logout": "401 401 200 200",
    "POST /users": "401 401 403 400",
    "GET /users/{}": "401 401 403 200",
    "PUT /users/{}": "401 401 403 400",
    "DELETE /users/{}": "401 401 403 200",
    "GET /settings/application": "401 401 403 200",
    "PATCH /settings/application": "401 401 403 400",
    "DELETE /settings/application": "401 401 403 200",
    "POST /certificates/webhooks/ca": "401 401 403 400",
    "GET /certificates/webhooks/ca": "401 401 403 404",
    "DELETE /certificates/webhooks/ca": "401 401 403 404",
    "POST /certificates/external": "401 401 403 403",
    "GET /certificates/external/ca": "401 401 404 404",
    "GET /health": "401 401 200 200",
    "GET /metrics": "401 401 200 200",
    "GET /stats/app": "401 401 200 200",
    "GET /stats/db": "401 401 200 200",
    "GET /support": "401 401 200 200",
}


def own_routes():
    out = subprocess.run([harness.BUILD / "wutsd", "--routes"], check=True,
                         capture_output=True, text=True).stdout
    relayed = {(method, path.removeprefix("/v1")) for method, path, _ in CALLS}
    found = set()
    for method, path, _, dialect in map(str.split, out.splitlines()):
        path = re.sub(r"\{\w+\}", "{}", path)
        if dialect == "onprem" and (method, path) not in relayed:
            found.add(f"{method} {path}")
    return found


def test_every_route_has_a_row_and_every_row_a_route():
    assert own_routes() == set(TABLE)


@pytest.fixture(scope="module")
def world(wuts, front):
    """Two tenants; the callers log in anew for each request."""
    sites = [Site(front, enabled_tenant(wuts)).first_login()
             for _ in range(2)]
    sites[0].user("caller", "Passw0rd!")
    return sites


def token_of(world, caller):
    site, foreign = world
    if caller == "user":
        return site.session("caller", "Passw0rd!")
    if caller == "nobody":
        return None
    return (foreign if caller == "foreign" else site).session(
        "admin", "Changed-1")


@pytest.mark.parametrize("route", TABLE)
def test_walk(world, route):
    site = world[0]
    method, path = route.split()
    for caller, status in zip(CALLERS, TABLE[route].split()):
        if "{}" in path:
            answer = site.call("POST", "/users", {
                "username": "target", "password": "Passw0rd!"})
            assert answer.status_code in (201, 500)
        answer = site.call(method, path.format("target"), data=b"",
                           token=token_of(world, caller))
        assert answer.status_code == int(status), (caller, answer.text)
        assert world[1].tenant.id not in answer.text
