# SPDX-License-Identifier: MIT
"""An enforced second factor at the On-Premises log-in: what the Wacht dialect
sets up holds there. The codes are computed by the standard library."""
import base64
import concurrent.futures
import hashlib
import hmac
import struct
import time

import pytest

from harness import unique
from onprem import engine, front, houses, refused, site  # noqa: F401
from wacht_user import Wacht, key_of

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
PASSWORD = "Passw0rd!"
BASIC = 'Basic realm="Secured"'


def code(steps=0, secret=SECRET):
    """RFC 6238, so many steps from now."""
    mac = hmac.new(base64.b32decode(secret), struct.pack(
        ">Q", int(time.time()) // 30 + steps), hashlib.sha1).digest()
    start = mac[-1] & 15
    number = struct.unpack(">I", mac[start:start + 4])[0] & 0x7fffffff
    return "%06d" % (number % 1000000)


def wrong(n=0):
    """A code that is none, also not in the steps around this one."""
    near = {int(code(steps)) for steps in range(-4, 5)}
    return "%06d" % ([number for number in range(16)
                      if number not in near][n])


def far(steps):
    """The code of so many steps away, or of the next one that is not by chance
    that of a step near by."""
    while code(steps) in {code(near) for near in range(-2, 3)}:
        steps += 1 if steps > 0 else -1
    return code(steps)


def test_the_codes_here_are_those_of_the_rfc(monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 1234567890)
    assert code() == "005924"


class Account:
    """One that logs in through site, and its administration."""

    def __init__(self, wuts, site, call):
        self.wuts, self.site, self.call = wuts, site.elsewhere(), call
        self.name = unique("acc")[:20]
        made = site.call("POST", "/users", {"username": self.name,
                                            "password": PASSWORD})
        assert made.status_code == 201, made.text
        [found] = call.ok("GET", "/users?search=" + self.name)["data"]
        self.path = "/users/" + found["id"]
        self.id = found["id"].replace("-", "")

    def policy(self, policy):
        answer = self.call("PATCH", self.path, files={
            "second_factor_policy": (None, policy)})
        assert answer.status_code == 200, answer.text

    def enforce(self):
        self.call.ok("POST", self.path + "/authenticators",
                     {"secret": SECRET})
        self.policy("enforced")
        return self

    def login(self, **body):
        return self.site.login(self.name, PASSWORD, body)

    def enters(self, **body):
        answer = self.login(**body)
        assert answer.status_code == 200, answer.text

    def denied(self, **body):
        refused(self.login(**body), 401, 1005, asks=BASIC)

    def sql(self, what):
        return self.wuts.sql(f"{what} WHERE user_id = X'{self.id}'")


@pytest.fixture(scope="module")
def call(wuts, site):
    return Wacht(wuts, key_of(site.tenant))


@pytest.fixture
def account(wuts, site, call):
    return Account(wuts, site, call)


@pytest.fixture
def guarded(account):
    return account.enforce()


def test_who_has_no_authenticator_is_not_asked(account):
    account.policy("enforced")
    account.enters()
    account.call.ok("POST", account.path + "/backup-codes/regenerate")
    account.enters()


@pytest.mark.parametrize("policy", ["none", "optional"])
def test_who_is_not_bound_to_it_is_not_asked(guarded, policy):
    guarded.policy(policy)
    guarded.enters()
    guarded.enters(otp="000000")


def test_without_it_the_refusal_has_a_code_of_its_own(guarded):
    for body in ({}, {"otp": ""}):
        refused(guarded.login(**body), 401, 1029, asks=BASIC)
    for bad in (123456, ["1"], {}):
        refused(guarded.login(otp=bad), 400, 1009)
    # Who does not know the password learns nothing of it.
    refused(guarded.site.login(guarded.name, "another", {}), 401, 1005,
            asks=BASIC)
    guarded.enters(otp=code())


def test_a_code_is_good_once(guarded):
    right = code()
    guarded.denied(otp=wrong())
    guarded.enters(otp=right)
    guarded.denied(otp=right)
    guarded.enters(otp=code(1))
    guarded.denied(otp=code(0))


def test_a_code_of_two_steps_away_is_not_good(guarded):
    guarded.denied(otp=far(3))
    guarded.denied(otp=far(-3))
    for text in ("12345", "1234567", " " + code(), "a", "AAAA-AAAA"):
        guarded.sql("UPDATE user_authenticator SET failures = 0")
        guarded.denied(otp=text)


def test_a_backup_code_is_good_once(guarded):
    path = guarded.path + "/backup-codes/regenerate"
    old = guarded.call.ok("POST", path)["backup_codes"]
    codes = guarded.call.ok("POST", path)["backup_codes"]
    guarded.denied(otp=old[0])
    guarded.enters(otp=codes[11])
    guarded.denied(otp=codes[11])
    guarded.enters(otp=codes[0])
    assert len(guarded.sql("SELECT code_hash FROM user_backup_code")) == 10


def test_a_refused_new_password_uses_up_no_code(guarded):
    right = code()
    refused(guarded.login(otp=right, new_password="short"), 400, 1009)
    guarded.enters(otp=right, new_password=PASSWORD + "x")


def test_guessing_is_slowed_down_and_a_right_code_begins_anew(guarded):
    for n in range(5):
        guarded.denied(otp=wrong(n))
    answer = guarded.login(otp=code())
    refused(answer, 429, 1015)
    left = int(answer.headers["Retry-After"])
    assert 0 < left <= 31
    # Ten seconds before the end it is as it was, whatever they took so far.
    guarded.sql("UPDATE user_authenticator SET tried_at = UTC_TIMESTAMP(6)"
                " - INTERVAL 20 SECOND")
    answer = guarded.login(otp=code())
    refused(answer, 429, 1015)
    assert 0 < int(answer.headers["Retry-After"]) <= 11
    guarded.sql("UPDATE user_authenticator SET tried_at = tried_at"
                " - INTERVAL 11 SECOND")
    guarded.enters(otp=code())
    assert guarded.sql("SELECT failures FROM user_authenticator") == [("0",)]


def test_of_many_with_the_same_code_one_gets_in(guarded):
    right = code()
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        statuses = sorted(pool.map(
            lambda site: site.login(guarded.name, PASSWORD,
                                    {"otp": right}).status_code,
            [guarded.site.elsewhere() for _ in range(6)]))
    assert statuses.count(200) == 1 and set(statuses) <= {200, 401, 429}


def test_sessions_go_on_and_the_api_forgets_with_the_authenticator(guarded):
    guarded.enters(otp=code())
    guarded.call.ok("DELETE", guarded.path + "/authenticators")
    guarded.enters()
