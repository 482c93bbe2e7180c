# SPDX-License-Identifier: MIT
"""Wacht's own JavaScript SDK, unchanged, drives every method of its users
group through nginx: on the server that is this API's alone, and below /wacht/
with a fetch that puts the prefix back."""
import json
import uuid

import pytest

from harness import unique
from test_wacht_users import DETAILS, SUMMARY, World
from wacht_user import User, key_of


@pytest.fixture(scope="module", params=["server", "prefix"])
def out(request, wuts, node):
    world = World(wuts)
    user = User(world.tenant)
    given = {
        "url": wuts.wacht_url if request.param == "server" else wuts.url,
        "prefix": "" if request.param == "server" else "/wacht",
        "key": key_of(world.tenant), "tag": unique("x")[2:],
        "phone": str(5 * 10**9 + uuid.uuid4().int % 10**9),
        "member": user.member.token,
        "ids": {"user": user.id, "session": user.session(),
                "passkey": user.passkey(), "connection": user.connection()}}
    user.session()
    said = node("drive.js", text=json.dumps(given))
    return {**json.loads(said), "given": given}


def test_every_method_succeeds(out):
    assert out["uncalled"] == []
    given, created = out["given"], out["created"]
    assert set(created) == SUMMARY
    assert created["first_name"] == 'Ada \u6f22 "q"'
    assert out["list"] == {"data": [created], "total": 1, "limit": 5,
                           "offset": 0, "has_more": False}
    assert out["everybody"] == 3
    details = out["details"]
    assert set(details) == DETAILS and details == out["empty"]
    assert details == out["updated"]
    assert created["profile_picture_url"].startswith("http")
    assert details["profile_picture_url"] == ""
    assert details["public_metadata"] == {"\U0001f600": [1.5, None, {}]}
    assert details["private_metadata"] == {"big": 2**53 - 1}
    assert details["second_factor_policy"] == "none"
    for kind in "email", "phone":
        before, after = out[kind]
        assert not before["verified"] and after["verified"]
    assert out["phone"][0]["phone_number"] == given["phone"]
    ids = given["ids"]
    assert [c["id"] for c in out["connections"]] == [ids["connection"]]
    assert [p["id"] for p in out["passkeys"]] == [ids["passkey"]]
    assert ids["session"] in [s["id"] for s in out["signins"]]
    assert len(out["organizations"]) == 1 and out["workspaces"] == []
    assert out["revokedAll"] == {"revoked": 1}
    assert len(out["codes"]["backup_codes"]) == 12
    assert out["authenticator"]["otp_url"].startswith("otpauth://totp/")
    for name in ("emailPrimary", "emailDeleted", "phonePrimary",
                 "phoneDeleted", "connectionDeleted", "revoked", "renamed",
                 "passkeyDeleted", "authenticatorDeleted", "deleted"):
        assert out[name] == {}, name
    assert out["password"] == [{}, {}]


def test_refusals_are_the_sdks_own_errors(out):
    for name, error, status in (
            ("invalid", "ValidationError", 400),
            ("unauthenticated", "AuthenticationError", 401),
            ("forbidden", "AuthorizationError", 403),
            ("missing", "NotFoundError", 404),
            ("conflict", "ConflictError", 409),
            ("twice", "ConflictError", 409),
            ("tooLarge", "WachtError", 413)):
        assert out[name][:2] == [error, status], name
        assert out[name][2] not in ("", "An error occurred"), name
    fields = {f["field"] for f in out["invalid"][3]["fields"]}
    assert fields == {"first_name", "email_address", "password"}
