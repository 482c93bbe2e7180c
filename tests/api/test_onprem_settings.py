# SPDX-License-Identifier: MIT
"""Application settings and certificates of the On-Premises dialect
(spec/onprem.md §3, §4): every field and every rule."""
import copy
import subprocess
import time

import pytest

from harness import Instance, unique, wait_for
from onprem import (Front, Site, done, enabled_tenant, engine,  # noqa: F401
                    fresh, front, houses, refused, site)

DEFAULTS = {
    "callback_backoff_delay_ms": 3000,
    "max_callback_backoff_delay_ms": 900000, "callback_persist": True,
    "sent_status": True, "pass_through": False, "heartbeat_interval": 5,
    "unhealthy_interval": 30,
    "media": {"auto_download": ["voice", "sticker", "audio", "document",
                                "image", "video"]},
    "notify_user_change_number": True, "show_security_notifications": False,
    "skip_referral_media_download": False,
    "db_garbagecollector_enable": True,
    "garbagecollector_enable": {"messages": True, "media": False},
    "axolotl_context_striping_disabled": False,
    "webhook_payload_conversation_pricingmodel_disabled": False,
    "verbose_logging": False, "log_level": "info", "wa_id": "",
    "webhooks": {"url": "", "max_concurrent_requests": 6, "message": {
        "sent": True, "delivered": True, "read": True}}}
APPLICATION = "/settings/application"
BASIC = 'Basic realm="Secured"'
CA = "/certificates/webhooks/ca"


def current(site):
    body = done(site.call("GET", APPLICATION))
    assert set(body) == {"settings"} and set(body["settings"]) == {
        "application"}
    return body["settings"]["application"]


def same(have, want):
    """Equal, with 1 and true told apart, whatever the order of members."""
    if isinstance(want, dict):
        assert isinstance(have, dict) and set(have) == set(want)
        for key in want:
            same(have[key], want[key])
    else:
        assert type(have) is type(want) and have == want


def patch(site, body):
    assert done(site.call("PATCH", APPLICATION, body)) == {}


@pytest.fixture(autouse=True)
def defaults(site):
    yield
    assert done(site.call("DELETE", APPLICATION)) == {}


def at(settings, path):
    for word in path.split("."):
        settings = settings[word]
    return settings


def nested(path, value):
    for word in reversed(path.split(".")):
        value = {word: value}
    return value


def test_a_new_tenant_has_the_defaults(fresh):
    same(current(fresh.first_login()), DEFAULTS)


BOOLS = ["callback_persist", "sent_status", "notify_user_change_number",
         "show_security_notifications", "skip_referral_media_download",
         "db_garbagecollector_enable", "garbagecollector_enable.messages",
         "garbagecollector_enable.media",
         "axolotl_context_striping_disabled", "verbose_logging",
         "webhook_payload_conversation_pricingmodel_disabled",
         "webhooks.message.sent", "webhooks.message.delivered",
         "webhooks.message.read"]
GOOD = [(path, value, value) for path in BOOLS for value in (True, False)] + [
    ("callback_backoff_delay_ms", 1, 1),
    ("callback_backoff_delay_ms", "2999", 2999),
    ("callback_backoff_delay_ms", "0005", 5),
    ("max_callback_backoff_delay_ms", 86400000, 86400000),
    ("max_callback_backoff_delay_ms", "86400000", 86400000),
    ("heartbeat_interval", 1, 1), ("heartbeat_interval", 3600, 3600),
    ("unhealthy_interval", 3600, 3600),
    ("pass_through", True, False), ("pass_through", False, False),
    ("media.auto_download", [], []),
    ("media.auto_download", ["video", "audio", "video"], ["video", "audio"]),
    ("log_level", "error", "error"), ("log_level", "warning", "warning"),
    ("log_level", "debug", "debug"),
    ("webhooks.url", "", ""),
    ("webhooks.url", "https://x.example/a?b=c", "https://x.example/a?b=c"),
    ("webhooks.url", "HTTPS://[2001:db8::1]:8443/@x",
     "HTTPS://[2001:db8::1]:8443/@x"),
    ("webhooks.url", "https://a_container:65535?x",
     "https://a_container:65535?x"),
    ("webhooks.url", "https://x.example:", "https://x.example:"),
    ("webhooks.url", "https://10.0.0.1" + "/a" * 1016,
     "https://10.0.0.1" + "/a" * 1016),
] + [("webhooks.max_concurrent_requests", n, n) for n in (6, 12, 18, 24)]


@pytest.mark.parametrize("path,sent,kept", GOOD)
def test_good_values_are_kept_and_nothing_else_changes(site, path, sent,
                                                       kept):
    patch(site, nested(path, sent))
    want = copy.deepcopy(DEFAULTS)
    aliases = [("sent_status", "webhooks.message.sent"),
               ("db_garbagecollector_enable",
                "garbagecollector_enable.messages")]
    for names in [pair for pair in aliases if path in pair] or [(path,)]:
        for each in names:
            parent, _, last = each.rpartition(".")
            (at(want, parent) if parent else want)[last] = kept
    same(current(site), want)


BAD = [(path, value) for path in BOOLS + ["pass_through"]
       for value in (1, "true", None, [], {})] + [
    (path, value) for path in ("callback_backoff_delay_ms",
                               "max_callback_backoff_delay_ms")
    for value in (0, -1, 86400001, 3000.0, "0", "-5", "", " 5", "5 ", "1e3",
                  "99999999999999999999999", 10 ** 18, True, None, [], {})] + [
    (path, value) for path in ("heartbeat_interval", "unhealthy_interval")
    for value in (0, 3601, "5", 5.0, True, None)] + [
    ("webhooks.max_concurrent_requests", value)
    for value in (0, 7, 30, "6", 6.0, None, True)] + [
    ("media.auto_download", value)
    for value in ("audio", ["gif"], ["Audio"], [1], [None], {}, None)] + [
    ("log_level", value) for value in ("warn", "INFO", "", 1, None)] + [
    ("webhooks.url", value) for value in (
        "http://x.example/", "ftp://x.example/", "x.example", "https://",
        "https:///path", "https://:443/", "https://u@x.example/",
        "https://u:p@x.example/", "https://x.example/#part",
        "https://x.example/a b", "https://x.example/\u00e4",
        "https://x.example/\n", "https://x.example:84430/",
        "https://x.example:0", "https://x.example:https/", "https://[::1/",
        "https://[::1]8443/", "https://[x]/", "https://x%41/", "https://x<y?",
        "https://10.0.0.1/" + "/a" * 1016, " ", 5,
        None, [])] + [
    (path, value) for path in ("webhooks", "media", "webhooks.message",
                               "garbagecollector_enable")
    for value in ("x", 5, None, [], True)]


def test_bad_values_are_refused_by_name_and_change_nothing(site):
    for path, value in BAD:
        body = {"heartbeat_interval": 77, **nested(path, value)}
        if path == "heartbeat_interval":
            body = {path: value, "log_level": "debug"}
        answer = site.call("PATCH", APPLICATION, body)
        refused(answer, 400, 1009)
        details = answer.json()["errors"][0]["details"]
        assert details.startswith(path + " "), (path, value, details)
    same(current(site), DEFAULTS)


@pytest.mark.parametrize("data,code", [
    (b"", 1008), (b"null", 1008), (b"  ", 1008), (None, 1008),
    (b"[]", 1025), (b"1", 1025), (b'"x"', 1025), (b"{", 1025),
    (b'{"log_level":"a\xff"}', 1025), (b"{}", 1009),
    (b'{"unknown":1,"settings":{"application":{}}}', 1009),
    (b'{"webhooks":{}}', 1009), (b'{"media":{"x":{}}}', 1009)])
def test_bodies_without_a_setting(site, data, code):
    refused(site.call("PATCH", APPLICATION, data=data), 400, code)


def test_nested_objects_merge_and_arrays_replace(site):
    patch(site, {"webhooks": {"url": "https://x.example/", "message": {
        "read": False}}, "media": {"auto_download": ["audio"]}})
    patch(site, {"webhooks": {"max_concurrent_requests": 24},
                 "media": {"other": 1}})
    have = current(site)
    assert have["webhooks"] == {
        "url": "https://x.example/", "max_concurrent_requests": 24,
        "message": {"sent": True, "delivered": True, "read": False}}
    assert have["media"] == {"auto_download": ["audio"]}
    patch(site, {"webhooks": {"url": ""}})
    assert current(site)["webhooks"]["max_concurrent_requests"] == 24


def test_the_longest_wait_is_never_below_the_first(site):
    both = {"callback_backoff_delay_ms": "5000",
            "max_callback_backoff_delay_ms": "5000"}
    patch(site, both)
    for one in ({"callback_backoff_delay_ms": 5001},
                {"max_callback_backoff_delay_ms": 4999}):
        refused(site.call("PATCH", APPLICATION, one), 400, 1009)
    patch(site, {"max_callback_backoff_delay_ms": 5001,
                 "callback_backoff_delay_ms": 5001})


def test_the_last_write_of_two_names_wins(site):
    patch(site, {"sent_status": True, "webhooks": {"message": {
        "sent": False}}})
    assert current(site)["sent_status"] is False
    patch(site, {"webhooks": {"message": {"sent": False}},
                 "sent_status": True})
    assert current(site)["webhooks"]["message"]["sent"] is True
    patch(site, {"db_garbagecollector_enable": False})
    assert current(site)["garbagecollector_enable"]["messages"] is False


def test_what_published_clients_send_is_taken(site):
    patch(site, {"callback_backoff_delay_ms": "3000",
                 "max_callback_backoff_delay_ms": "900000",
                 "on_call_pager": "x", "tcp_listen_address": 5, "wa_id": "1",
                 "webhooks": {"url": "https://x.example/hook"}})
    have = current(site)
    assert have["wa_id"] == "" and "on_call_pager" not in have
    patch(site, {"on_call_pager": None})
    patch(site, {"wa_id": "4915112345678"})
    same(current(site), have)


def test_settings_are_the_admins_and_the_tenants_own(site, wuts, front):
    token = site.user("looker", "Passw0rd!")
    for method in ("GET", "PATCH", "DELETE"):
        refused(site.call(method, APPLICATION, data=b"{", token=token), 403,
                1005)
        refused(site.call(method, APPLICATION, data=b"{", token=None), 401,
                1005)
    other = Site(front, enabled_tenant(wuts)).first_login()
    patch(site, {"log_level": "debug"})
    same(current(other), DEFAULTS)


def test_every_worker_knows_a_change_at_once(site):
    clients = [site] + [site.elsewhere() for _ in range(7)]
    for n in range(1, 9):
        patch(site, {"heartbeat_interval": n})
        assert {current(client)["heartbeat_interval"]
                for client in clients} == {n}


# --- certificates ---

@pytest.fixture(scope="module")
def pems(tmp_path_factory):
    """A key, its self-signed certificate, and another pair."""
    where = tmp_path_factory.mktemp("pems")
    made = {}
    for name in ("one", "two"):
        subprocess.run([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj",
            f"/CN={name}", "-keyout", where / f"{name}.key", "-out",
            where / f"{name}.crt"], check=True, capture_output=True)
        made[name] = (where / f"{name}.crt").read_bytes()
        made[name + ".key"] = (where / f"{name}.key").read_bytes()
    return made


def stored(site):
    answer = site.call("GET", CA)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain;charset=UTF-8"
    assert answer.headers["Content-Disposition"] == \
        'attachment; filename="ca.pem"'
    return answer.content


def none_stored(site):
    for method in ("GET", "DELETE"):
        refused(site.call(method, CA), 404, 1006,
                "No webhook CA certificates found")


def test_a_bundle_comes_back_byte_for_byte(site, pems):
    none_stored(site)
    for bundle in (pems["one"], pems["one"] + pems["two"],
                   b"# a comment\r\n" + pems["one"].replace(b"\n", b"\r\n")
                   + b"between \xff\xfe\n" + pems["two"] + b"\n\n",
                   pems["one"] * 64):
        for kind in ("text/plain", "application/x-pem-file", ""):
            assert done(site.call("POST", CA, data=bundle, headers=[
                ("Content-Type", kind)])) == {}
        assert stored(site) == bundle
        assert done(site.call("DELETE", APPLICATION)) == {}
        assert stored(site) == bundle
    assert done(site.call("DELETE", CA)) == {}
    none_stored(site)


def test_what_is_no_bundle_is_refused_and_what_was_there_stays(site, pems):
    done(site.call("POST", CA, data=pems["one"]))
    middle = len(pems["two"]) // 2
    for bad in (b"text", pems["one"].split(b"\n")[0],
                pems["one"] + pems["one.key"], pems["two.key"],
                b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n" + pems["one"],
                pems["one"] + pems["two"][:middle],
                pems["two"][:middle] + b"!" + pems["two"][middle:],
                pems["two"].replace(b"M", b"N", 1), pems["one"] * 65,
                pems["one"] + b"\0", b"-----BEGIN CERTIFICATE-----\nAAAA\n"
                b"-----END CERTIFICATE-----\n", b"{}"):
        answer = site.call("POST", CA, data=bad)
        refused(answer, 400, 1009)
    for nothing in (None, b""):
        refused(site.call("POST", CA, data=nothing), 400, 1008)
    padded = pems["two"] + b"\n" * (262144 - len(pems["two"]))
    refused(site.call("POST", CA, data=padded + b"\n"), 413, 1025)
    assert stored(site) == pems["one"]
    done(site.call("POST", CA, data=padded))
    assert stored(site) == padded
    done(site.call("DELETE", CA))


def test_certificates_are_the_admins_and_the_tenants_own(site, wuts, front,
                                                         pems):
    token = site.user("looker2", "Passw0rd!")
    for method in ("GET", "POST", "DELETE"):
        refused(site.call(method, CA, data=b"", token=token), 403, 1005)
        refused(site.call(method, CA, data=b"", token=None), 401, 1005)
    done(site.call("POST", CA, data=pems["one"]))
    other = Site(front, enabled_tenant(wuts)).first_login()
    none_stored(other)
    done(site.call("DELETE", CA))


def test_external_certificates_are_off_unless_a_file_is_named(site, pems):
    for data in (b"", pems["one"]):
        refused(site.call("POST", "/certificates/external", data=data), 403,
                1005)
    refused(site.call("GET", "/certificates/external/ca"), 404, 1006)


# --- what only other settings show ---

LIFETIME = 3		# seconds, of a token
WINDOW = 3		# of failures


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    where = tmp_path_factory.mktemp("tuned")
    instance = Instance.start(
        onprem_certificate_file=where / "server.pem",
        onprem_version="v2.45.1", onprem_token_lifetime=f"{LIFETIME}s",
        onprem_admin_password="initial: one",
        onprem_revoke_on_password_change="yes", login_failure_limit=2,
        login_failure_window=f"{WINDOW}s")
    instance.certificate = where / "server.pem"
    yield instance
    instance.stop_and_check(False)


def test_settings_of_the_installation_are_in_force(tuned, engine, pems,
                                                   tmp_path):
    tenant = enabled_tenant(tuned)
    front = Front(tmp_path, tuned, [tenant, tenant], engine.path)
    try:
        walk_tuned(Site(front, tenant), tuned, pems)
    finally:
        front.stop()


def in_time(seconds, ask):
    """What ask() gives within that time; where that was too slow to tell
    anything, it is asked again. All clocks here count whole seconds."""
    for _ in range(20):
        began = time.monotonic()
        given = ask()
        if time.monotonic() - began < seconds - 1:
            return given
    raise AssertionError(f"never within {seconds} s")


def walk_tuned(site, tuned, pems):
    refused(site.login("admin", "secret"), 401, 1005, asks=BASIC)
    answer = site.login("admin", "initial: one",
                        {"new_password": "Changed-1"})
    assert answer.json()["meta"]["version"] == "v2.45.1"
    site.token = site.tenant.admin.token	# does not end meanwhile

    # an external certificate
    external = "/certificates/external"
    good = pems["one.key"] + pems["one"] + pems["two"]
    for bad in (b"", pems["one"] + pems["one.key"] + pems["two"],
                pems["one.key"] + pems["one"],
                pems["two.key"] + pems["one"] + pems["two"], pems["one.key"]):
        refused(site.call("POST", external, data=bad), 400,
                1009 if bad else 1008)
    assert not tuned.certificate.exists()
    refused(site.call("GET", external + "/ca"), 404, 1006)
    done(site.call("POST", external, data=good))
    assert tuned.certificate.read_bytes() == good
    assert tuned.certificate.stat().st_mode & 0o777 == 0o600
    assert site.call("GET", external + "/ca").content == pems["two"]

    # sessions end with the password
    passwords = [f"Changed-{n}" for n in range(1, 42)]

    def change():
        tokens = [site.session("admin", passwords[0]) for _ in range(2)]
        changed = site.call("PUT", "/users/admin", {
            "password": passwords[1]}, token=tokens[0])
        if changed.status_code == 200:
            del passwords[0]
        return changed, [site.call("GET", "/users/admin", token=token)
                         for token in tokens]

    changed, answers = in_time(LIFETIME, change)
    done(changed)
    for answer in answers:
        refused(answer, 401, 1005)

    # and with time; told once
    def use():
        token = site.session("admin", passwords[0])
        return token, site.call("GET", "/users/admin", token=token)

    token, answer = in_time(LIFETIME, use)
    done(answer)
    wait_for("expiry", lambda: site.call(
        "GET", "/users/admin", token=token).status_code == 401)

    # failures count for as long as was said
    def fail():
        other, name = site.elsewhere(), unique("nobody")
        return other, name, [other.login(name, "x") for _ in range(3)]

    other, name, answers = in_time(WINDOW, fail)
    for answer in answers[:2]:
        refused(answer, 401, 1005, asks=BASIC)
    refused(answers[2], 429, 1015)
    wait_for("the window", lambda: other.login(
        name, "x").status_code == 401)
