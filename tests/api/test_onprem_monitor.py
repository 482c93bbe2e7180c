# SPDX-License-Identifier: MIT
"""The On-Premises dialect's health, metrics, stats and support."""
import json
import re
import socket
import subprocess
import time

import pytest

import harness
from harness import done, free_port, wait_for
from onprem import engine, front, houses, refused  # noqa: F401

TOKENED = ("/v1/health", "/v1/metrics", "/metrics", "/v1/stats/app",
           "/v1/stats/db", "/v1/support")
NUMBERS = {"/v1/metrics": ("metrics",), "/metrics": ("metrics",),
           "/v1/stats/app": ("stats", "app"), "/v1/stats/db": ("stats", "db")}


def told(answer):
    """The payload of an answer in JSON."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-cache, private"
    body = answer.json()
    assert set(body.pop("meta")) == {"api_status", "version"}
    (payload,) = body.values()
    return payload


def get(front, houses, path, role="any"):
    return front.own.request("GET", path, houses[0].tokens[role])


def samples_of(metrics):
    """{(name, labels): value} of the JSON form."""
    found = {}
    for name, metric in metrics.items():
        assert set(metric) == {"type", "help", "data"}
        assert metric["type"] in ("gauge", "counter") and metric["help"]
        for sample in metric["data"]:
            labels = sample.get("labels")
            assert set(sample) - {"labels"} == {"value"} and labels != {}
            assert type(sample["value"]) is int and sample["value"] >= 0
            key = name, tuple((labels or {}).items())
            assert key not in found
            found[key] = sample["value"]
    return found


def parse_prometheus(text):
    """The same of the text form, as strict as its description."""
    found, typed = {}, {}
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# "):
            _, kind, name, rest = line.split(" ", 3)
            assert rest and (kind == "HELP") == (name not in typed), line
            typed.setdefault(name, None)
            if kind == "TYPE":
                assert typed[name] is None and rest in ("gauge", "counter")
                typed[name] = rest
            continue
        name, labels, value = re.fullmatch(
            r"([a-z_]+)(?:\{(.*)\})? (\d+)", line).groups()
        assert typed[name]
        pairs = re.findall(r'([a-z]+)="((?:[^"\\\n]|\\[n"\\])*)"',
                           labels or "")
        assert ",".join(f'{k}="{v}"' for k, v in pairs) == (labels or "")
        assert [k for k, _ in pairs] == sorted(k for k, _ in pairs)
        assert (name, tuple(pairs)) not in found
        found[name, tuple(pairs)] = int(value)
    return found


def test_nobody_is_told_anything_without_a_token(front):
    for path in TOKENED:
        refused(front.own.request("GET", path), 401, 1005)
        refused(front.own.elsewhere().request("GET", path, "wrong"), 401,
                1005, "Invalid credentials")
        refused(front.own.request("POST", path, None, b"{}"), 405, 1025)


def test_every_account_may_look(front, houses):
    for role in "any", "admin":
        for path in TOKENED:
            told(get(front, houses, path, role))


def test_the_operators_key_opens_the_numbers_and_nothing_else(front, wuts):
    key = (wuts.run / "secrets" / "onprem.apikey").read_text()
    for path in TOKENED:
        server = front.own.elsewhere()
        for scheme in "Apikey ", "apikey ", "APIKEY  ":
            answer = server.request("GET", path, key, scheme=scheme)
            if path == "/v1/support":
                refused(answer, 401, 1005, "Invalid credentials")
            else:
                told(answer)
        for wrong in key[:-1], key + "x", key.upper() + "!", "":
            refused(server.request("GET", path, wrong, scheme="Apikey "), 401,
                    1005, "Invalid credentials")
        refused(server.request("GET", path, key), 401, 1005)
    for method, path in (("GET", "/v1/users/admin"), ("GET", "/v1/groups"),
                         ("GET", "/v1/settings/application"),
                         ("POST", "/v1/messages"),
                         ("POST", "/v1/users/logout")):
        refused(front.own.elsewhere().request(method, path, key, b"{}",
                                              scheme="Apikey "), 401, 1005)


def test_the_operators_key_has_12_to_128_characters(wuts, tmp_path):
    key, config = tmp_path / "apikey", tmp_path / "wuts.conf"
    config.write_text(re.sub(
        r"(?m)^onprem_apikey_file = .*", f"onprem_apikey_file = {key}",
        (wuts.run / "wuts.conf").read_text()))
    for length, status in (11, 1), (12, 0), (128, 0), (129, 1):
        key.write_text("k" * length)
        key.chmod(0o600)
        tested = subprocess.run([harness.BUILD / "wutsd", "-t", "-c", config],
                                capture_output=True, text=True, timeout=30)
        assert (tested.returncode != 0) == bool(status), (length, tested)
        assert status == 0 or f"has {length} characters" in tested.stderr


@pytest.fixture
def without(wuts):
    """The database without one of its tables."""
    gone = []

    def without(table):
        wuts.sql(f"RENAME TABLE {table} TO {table}_away")
        gone.append(table)

    yield without
    for table in gone:
        wuts.sql(f"RENAME TABLE {table}_away TO {table}")


def test_without_its_schema_health_says_uninitialized(front, houses, without):
    without("schema_migration")
    assert told(get(front, houses, "/v1/health")) == {
        "gateway_status": "uninitialized"}


def test_what_the_database_does_not_answer_is_1023(front, houses, without):
    without("onprem_settings")
    for method, body in ("GET", None), ("PATCH", b'{"log_level":"info"}'):
        refused(front.own.request(method, "/v1/settings/application",
                                  houses[0].tokens["admin"], body), 500, 1023)


def test_the_root_answers_without_a_token(front):
    answer = front.own.request("GET", "/")
    assert answer.status_code == 200
    assert 0 < len(answer.content) < 100
    assert answer.headers["Content-Type"].startswith("text/plain")
    # On a server with another dialect the root, and its metrics, are that
    # one's.
    assert front.shared.request("GET", "/").status_code == 404
    assert b"errors" not in front.shared.request("GET", "/metrics").content


def test_every_sample_of_the_metrics_has_its_node(front, houses):
    samples = samples_of(told(get(front, houses, "/metrics")))
    for name in ("web_uptime", "web_handled_requests",
                 "api_requests_duration_ms_count",
                 "api_requests_duration_ms_sum"):
        assert name in {key[0] for key in samples}
    for _, labels in samples:
        assert dict(labels)["node"] == socket.gethostname()
    assert samples["web_uptime", (("node", socket.gethostname()),)] < 3600


def test_requests_are_counted_by_route_and_status(wuts, front, houses):
    def count(method, result, kind="count"):
        samples = samples_of(told(get(front, houses, "/v1/metrics")))
        return samples.get((f"api_requests_duration_ms_{kind}", (
            ("method", method), ("node", socket.gethostname()),
            ("result", result))), 0)

    wuts.settled()
    before = count("GET_v1_stats_app", "200"), \
        count("GET_v1_stats_app", "401"), count("GET_v1_groups_id", "503")
    get(front, houses, "/v1/stats/app")
    front.own.request("GET", "/v1/stats/app")
    for name in "a", "b":
        front.bare.request("GET", "/v1/groups/" + name,
                           houses[0].tokens["any"])
    wuts.settled()
    assert (count("GET_v1_stats_app", "200"),
            count("GET_v1_stats_app", "401"),
            count("GET_v1_groups_id", "503")) == \
        (before[0] + 1, before[1] + 1, before[2] + 2)


@pytest.mark.parametrize("path", NUMBERS)
def test_prometheus_reads_the_same_numbers(front, houses, path):
    payload = told(get(front, houses, path + "?format=json"))
    for name in NUMBERS[path][1:]:
        payload = payload[name]
    answer = get(front, houses, path + "?format=prometheus")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == \
        "text/plain; version=0.0.4; charset=utf-8"
    in_text, in_json = parse_prometheus(answer.text), samples_of(payload)
    assert set(in_json) <= set(in_text)
    if "stats" in path:
        assert in_text == in_json
    for bad in "xml", "", "Prometheus":
        refused(get(front, houses, f"{path}?format={bad}"), 400, 1009)


def test_stats_tell_what_old_clients_look_for(front, houses):
    app = told(get(front, houses, "/v1/stats/app"))["app"]
    assert app["callback_queue_size"]["type"] == "gauge"
    db = told(get(front, houses, "/v1/stats/db"))["db"]
    for name in "db_pending_callbacks", "db_pending_messages", \
            "db_message_receipts", "db_messages", "db_contacts":
        assert db[name]["type"] == "gauge"
    assert {sample["labels"]["type"] for sample in db["db_contacts"]["data"]
            } == {"whatsapp_user", "non_whatsapp_user"}
    for path in "/v1/stats/app/internal", "/v1/stats/db/internal":
        refused(get(front, houses, path), 404, 1006, "Endpoint not found")


def test_callbacks_are_counted_for_their_tenant_alone(wuts, front, houses):
    def counts(house, server):
        app = told(server.request("GET", "/v1/stats/app",
                                  house.tokens["any"]))["app"]
        samples = samples_of(app)
        return samples["callback_queue_size", ()], {
            (dict(labels)["type"], dict(labels)["result"]): value
            for (name, labels), value in samples.items()
            if name == "callback_requests_duration_ms_count"}

    house, server = houses[0], front.own
    device = house.admin.device()
    assert counts(house, server) == (0, {})
    answer = server.request(
        "PATCH", "/v1/settings/application", house.tokens["admin"],
        json.dumps({"webhooks": {"url": f"https://127.0.0.1:{free_port()}/"}}
                   ).encode())
    assert answer.status_code == 200, answer.text
    done(wuts.engine().post(f"/devices/{device}/events", {
        "event": "message.received", "data": {"messages": [
            {"from": "16315551234", "id": "A", "timestamp": "1518694235",
             "type": "text", "text": {"body": "hi"}}]}}), 202)
    # 7: libcurl's number for a connection that nobody takes
    wait_for("the first attempt", lambda: counts(house, server)[1].get(
        ("inbound_message", "7")))
    assert counts(house, server)[0] == 1
    db = told(get(front, houses, "/v1/stats/db"))["db"]
    assert db["db_pending_callbacks"]["data"] == [{"value": 1}]
    text = get(front, houses, "/v1/stats/app?format=prometheus").text
    assert set(parse_prometheus(text)) >= {
        (f"callback_requests_duration_ms_{kind}",
         (("result", "7"), ("type", "inbound_message")))
        for kind in ("count", "sum")}
    assert counts(houses[1], front.other) == (0, {})
    # no more attempts
    assert server.request("DELETE", "/v1/settings/application",
                          house.tokens["admin"]).status_code == 200


def test_support_tells_what_is_asked_for_and_no_secret(front, houses, wuts):
    answer = get(front, houses, "/v1/support")
    support = told(answer)
    assert set(support) == {
        "context", "db_engine", "db_info", "debug_info", "description",
        "device_iso8601", "env", "free_space_data", "free_space_logs", "lc",
        "lg", "multi_connect", "os_name", "os_version", "schema",
        "socket_conn"}
    assert support["context"] == "healthcheck"
    assert support["debug_info"] == "unregistered"
    assert support["db_engine"] == "MYSQL"
    assert all(isinstance(text, str) for text in support["db_info"])
    assert support["env"] == []
    assert (support["lc"], support["lg"], support["multi_connect"]) == \
        ("ZZ", "ZZ", False)
    assert support["free_space_data"] > 0 < support["free_space_logs"]
    assert all(type(n) is int for n in support["schema"].values())
    assert support["socket_conn"] in ("UP", "DN", "SC", "UNK")
    text = answer.text
    for secret in (wuts.run / "secrets").iterdir():
        assert secret.read_text().strip() not in text
    assert str(wuts.run) not in text


def test_the_number_is_that_of_the_tenants_paired_device(wuts, front, houses):
    house, server = houses[1], front.other
    token = house.tokens["admin"]

    def told_everywhere():
        support = told(server.request("GET", "/v1/support", token))
        settings = told(server.request("GET", "/v1/settings/application",
                                       token))["application"]
        return support["debug_info"], settings["wa_id"]

    def report(device, event, **data):
        done(wuts.engine().post(f"/devices/{device}/events",
                                {"event": event, "data": data}), 202)

    assert told_everywhere() == ("unregistered", "")
    house.admin.device()		# not paired
    device, later = house.admin.device(), house.admin.device()
    report(later, "device.connected", jid="4420000000@s.whatsapp.net")
    assert told_everywhere() == ("4420000000", "4420000000")
    report(device, "device.connected", jid="4915112345678:3@s.whatsapp.net")
    assert told_everywhere() == ("4915112345678", "4915112345678")
    # a change of settings keeps no copy
    assert server.request("PATCH", "/v1/settings/application", token,
                          b'{"log_level":"debug"}').status_code == 200
    report(device, "device.logged_out")
    report(later, "device.logged_out")
    assert told_everywhere() == ("unregistered", "")


def test_health_tells_of_the_engine_what_the_spooler_has_found(wuts, front,
                                                               houses):
    """Nobody waits here for the next question: the file is what wutsd sees.
    Where wuts-spool has written its own meanwhile, this is done again."""
    state = wuts.run / "engine"
    asked = wait_for("the first question", lambda: state.exists() and
                     state.read_text())

    def read():
        return state.read_text() if state.exists() else None

    def told_while(text, path="/v1/health"):
        while True:
            if text is None:
                state.unlink(missing_ok=True)
            else:
                state.write_text(text)
            payload = told(get(front, houses, path))
            if read() == text:
                return payload

    now = int(time.time() * 1e6)
    try:
        up = f"connected {now}\n"
        assert told_while(up) == {"gateway_status": "connected"}
        assert told_while(up, "/v1/support")["socket_conn"] == "UP"
        assert told_while(f"disconnected {now}\n") == {
            "gateway_status": "disconnected"}
        assert told_while(f"connected {now - 61_000_000}\n") == {
            "gateway_status": "disconnected"}
        assert told_while(None) == {"gateway_status": "connecting"}
    finally:
        state.write_text(asked)
