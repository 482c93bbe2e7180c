# SPDX-License-Identifier: MIT
"""Tenants, users, API keys, matrix and audit trail from the command line: what
it does holds at once over HTTP, and what it prints has the shapes of the API."""
import os
import pty
import select
import signal
import subprocess
import termios
import time

import pytest

import harness
from harness import done, refused, unique

UNKNOWN = "01890000-0000-7000-8000-000000000000"


def converse(operator, args, dialogue, seconds=60):
    """Run wutsctl on a terminal: for each (question, answer) wait for the
    question. Its exit status and everything that was shown."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(harness.BUILD / "wutsctl",
                 ["wutsctl", "-c", str(operator.instance.config), *args])
    shown, seen, end = "", 0, time.monotonic() + seconds
    pending = list(dialogue)
    while True:
        if pending and pending[0][0] in shown[seen:]:
            seen = len(shown)
            os.write(fd, pending.pop(0)[1].encode() + b"\n")
        ready, _, _ = select.select([fd], [], [], 0.1)
        assert time.monotonic() < end, shown
        if not ready:
            continue
        try:
            data = os.read(fd, 4096)
        except OSError:		# the other end is closed
            break
        if not data:
            break
        shown += data.decode()
    _, status = os.waitpid(pid, 0)
    os.close(fd)
    assert not pending, shown
    return os.waitstatus_to_exitcode(status), shown


# --- tenants ----------------------------------------------------------------

def test_a_created_tenant_has_an_admin_whose_token_is_printed_once(
        wuts, operator):
    name = unique("tenant")
    made = operator.json("tenant", "create", name, "a@example.com",
                         stdin="longenough\n")
    assert "password" not in made
    users = done(wuts.client(made["token"]).get("/users"))["users"]
    assert [u["id"] for u in users] == [made["user"]["id"]]
    assert made["user"]["role"] == "admin"
    for command in ("show", "list"):
        args = ("tenant", command, name) if command == "show" else \
            ("tenant", command)
        assert made["token"] not in operator.run(*args).stdout


def test_a_generated_password_is_printed_and_another_is_not(operator):
    name = unique("tenant")
    made = operator.run("tenant", "create", name, "a@example.com",
                        "--generate").stdout
    line = next(l for l in made.splitlines() if l.startswith("password"))
    assert len(line.split()[1]) == 30
    made = operator.run("user", "create", name, "b@example.com",
                        stdin="longenough\n").stdout
    assert "longenough" not in made and "password" not in made


def test_a_password_is_asked_for_twice_and_not_shown(operator, tenant):
    args = ["user", "create", tenant.name, "t@example.com"]
    status, shown = converse(operator, args, [("Password: ", "secret-word"),
                                              ("Again: ", "secret-word")])
    assert status == 0 and "secret-word" not in shown, shown
    status, shown = converse(operator, args, [("Password: ", "secret-word"),
                                              ("Again: ", "other-word")])
    assert status == 1 and "nothing was done" in shown
    assert "other-word" not in shown


def test_an_interrupted_question_leaves_the_terminal_with_echo(operator,
                                                               tenant):
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [harness.BUILD / "wutsctl", "-c", operator.instance.config, "user",
         "create", tenant.name, "t@example.com"], stdin=theirs,
        stderr=subprocess.PIPE,
        # Ignored where the tests run in the background.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    try:
        assert select.select([process.stderr], [], [], 60)[0]
        assert process.stderr.read(10) == b"Password: "
        assert not termios.tcgetattr(theirs)[3] & termios.ECHO
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == -signal.SIGINT
        assert termios.tcgetattr(theirs)[3] & termios.ECHO
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize("stdin, why", [
    ("", "no password was given"), ("\n", "no password was given"),
    ("short\n", "8 to 128"), ("x" * 2000 + "\n", "no password")])
def test_a_password_that_will_not_do_creates_nothing(operator, tenant, stdin,
                                                     why):
    assert why in operator.refused("user", "create", tenant.name,
                                   "p@example.com", stdin=stdin)
    assert len(operator.json("user", "list", tenant.name)["users"]) == 1


def test_a_tenant_is_named_by_id_or_by_name_in_any_case(operator, tenant):
    by_id = operator.json("tenant", "show", tenant.id)
    assert operator.json("tenant", "show", tenant.name.upper()) == by_id
    assert by_id["data"]["users"] == 1 and by_id["data"]["devices"] == 0
    for command in (("tenant", "show", "nobody"), ("user", "list", UNKNOWN),
                    ("key", "list", "nobody"),
                    ("tenant", "delete", UNKNOWN, "--yes")):
        assert "see wutsctl tenant list" in operator.refused(*command)


def test_json_has_the_members_of_the_api(wuts, operator, tenant):
    listed = operator.json("tenant", "list")["tenants"]
    assert listed == done(wuts.master().get("/tenants"))["tenants"]
    shown = operator.json("tenant", "show", tenant.id)["data"]
    assert shown == done(wuts.master().get(
        f"/global/tenants/{tenant.id}"))["data"]
    user = operator.json("user", "show", tenant.admin.id)["data"]
    assert user == done(tenant.admin.client.get(
        f"/users/{tenant.admin.id}"))["data"]
    tenant.key()
    assert operator.json("key", "list", tenant.id)["api_keys"] == \
        done(tenant.admin.client.get("/api-keys"))["api_keys"]
    assert operator.json("audit", "list", tenant.id)["entries"] == \
        done(tenant.admin.client.get("/audit"))["entries"]
    assert operator.json("matrix", "show")["transitions"] == \
        done(tenant.admin.client.get("/roles"))["transitions"]


def test_a_tenant_is_deleted_only_when_it_is_meant(wuts, operator, tenant):
    assert "--yes" in operator.refused("tenant", "delete", tenant.name)
    status, shown = converse(operator, ["tenant", "delete", tenant.name],
                             [("to go on: ", "something else")])
    assert status == 1 and "nothing was done" in shown
    done(tenant.admin.client.get("/users"))
    status, shown = converse(operator, ["tenant", "delete", tenant.name],
                             [("to go on: ", tenant.name)])
    assert status == 0, shown
    refused(tenant.admin.client.get("/users"), 401, "UNAUTHORIZED")
    refused(wuts.master().get(f"/global/tenants/{tenant.id}"), 404,
            "TENANT_NOT_FOUND")


def test_a_tenants_end_leaves_no_rows_but_the_trail(operator, tenant):
    for _ in range(3):
        tenant.member()
    tenant.key()
    answer = operator.json("tenant", "delete", tenant.id, "--yes")["data"]
    assert (answer["tenant_id"], answer["tenant_name"]) == \
        (tenant.id, tenant.name)
    raw = "UNHEX('%s')" % tenant.id.replace("-", "")
    for table in ("users", "device", "api_key"):
        assert operator.sql(f"SELECT COUNT(*) FROM {table}"
                            f" WHERE tenant_id = {raw}") == [("0",)]
    entries = operator.json("audit", "list", tenant.id)["entries"]
    assert entries[0]["action"] == "tenant.deleted"
    assert "(deleted)" in operator.run("audit", "verify", tenant.id).stdout


# --- users ------------------------------------------------------------------

def test_a_role_is_changed_against_matrix_and_last_admin(operator, tenant):
    operator.run("user", "role", tenant.admin.id, "user")
    refused(tenant.admin.client.get("/users"), 403, "FORBIDDEN")
    change = operator.json("user", "role", tenant.admin.email, "admin",
                           "--tenant", tenant.name)["data"]
    assert change == {"user_id": tenant.admin.id, "old_role": "user",
                      "new_role": "admin"}
    done(tenant.admin.client.get("/users"))


def test_the_way_back_in_when_nobody_is_admin_any_more(wuts, operator,
                                                       tenant):
    """The recipe of wutsctl(8), with wutsd stopped: no HTTP is needed."""
    raw = "UNHEX('%s')" % tenant.id.replace("-", "")
    operator.sql("UPDATE users SET role = 'user', active = 0"
                 f" WHERE tenant_id = {raw}")
    user = operator.json("user", "list", tenant.name)["users"][0]
    operator.run("user", "role", user["id"], "admin")
    operator.run("user", "activate", user["id"])
    token = operator.run("user", "token", user["id"]).stdout.strip()
    assert harness.is_uuid(token) and token != tenant.admin.token
    done(wuts.client(token).get("/users"))
    refused(tenant.admin.client.get("/users"), 401, "UNAUTHORIZED")


def test_a_deactivated_user_is_out_at_once_and_in_again(operator, tenant):
    user = tenant.member("manager")
    done(user.client.get(f"/users/{user.id}"))
    operator.run("user", "deactivate", user.id)
    refused(user.client.get(f"/users/{user.id}"), 401, "UNAUTHORIZED")
    assert "already" in operator.run("user", "deactivate", user.id).stdout
    operator.run("user", "activate", user.id)
    done(user.client.get(f"/users/{user.id}"))


def test_a_user_is_deleted_only_when_it_is_meant(operator, tenant):
    user = tenant.member()
    assert "--yes" in operator.refused("user", "delete", user.id)
    done(user.client.get(f"/users/{user.id}"))
    operator.run("user", "delete", user.email, "--tenant", tenant.id, "--yes")
    refused(user.client.get(f"/users/{user.id}"), 401, "UNAUTHORIZED")
    assert "see wutsctl user list" in operator.refused("user", "show", user.id)


def test_a_user_of_another_tenant_is_not_found_in_this_one(wuts, operator,
                                                           tenant):
    other = wuts.tenant()
    for name in (other.admin.id, "nobody@example.com"):
        assert "has no user" in operator.refused(
            "user", "show", name, "--tenant", tenant.name)
    assert "--tenant TENANT" in operator.refused("user", "show",
                                                 "admin@example.com")


def test_a_list_shows_no_token(operator, tenant):
    shown = operator.run("user", "list", tenant.name).stdout + \
        operator.run("user", "list", tenant.name, "--json").stdout
    assert tenant.admin.token not in shown
    # Nor in part; four signs alone may be of another id.
    assert tenant.admin.token[:8] not in shown
    for ellipsis in "…", "\\u2026", "...":
        assert tenant.admin.token[:4] + ellipsis not in shown


@pytest.mark.parametrize("args", [
    ("user", "role", UNKNOWN, "boss"),
    ("user", "list", UNKNOWN, "--limit", "0"),
    ("user", "list", UNKNOWN, "--limit", "-1"),
    ("user", "list", UNKNOWN, "--limit", "1x"),
    ("audit", "list", "--user", "me"),
    ("key", "delete", UNKNOWN, "x")])
def test_what_cannot_be_understood_is_refused(operator, args):
    operator.refused(*args)


def test_arguments_that_are_not_utf_8_are_the_wrong_way(operator):
    for args in ([b"tenant", b"show", b"\xff"],
                 [b"user", b"show", b"x", b"--tenant", b"\xff"]):
        ended = subprocess.run(
            [harness.BUILD / "wutsctl", "-c", operator.instance.config,
             *args], capture_output=True, timeout=60)
        assert ended.returncode == 2, ended.stderr


# --- keys -------------------------------------------------------------------

def test_a_key_works_until_it_is_deleted(wuts, operator, tenant):
    made = operator.json("key", "create", tenant.name, "ci", "--scope",
                         "read", "--expires", "2099-01-01T00:00:00Z")
    client = wuts.client(made["key"])
    done(client.get("/users"))
    refused(client.post("/users", {}), 403, "FORBIDDEN")
    assert made["key"] not in operator.run("key", "list", tenant.name).stdout
    operator.run("key", "delete", tenant.name, made["api_key"]["id"])
    refused(client.get("/users"), 401, "UNAUTHORIZED")
    assert "wutsctl key list" in operator.refused(
        "key", "delete", tenant.name, made["api_key"]["id"])
    assert "scope" in operator.refused("key", "create", tenant.name, "x",
                                       "--scope", "all")


# --- matrix -----------------------------------------------------------------

def test_the_matrix_is_obeyed_at_once_and_shows_its_changes(operator, tenant):
    manager, user = tenant.member("manager"), tenant.member("user")
    promote = f"/users/{user.id}/promote"
    refused(manager.client.post(promote, {"new_role": "admin"}), 403,
            "ROLE_TRANSITION_DENIED")
    try:
        assert operator.json("matrix", "allow", "manager", "user", "admin") \
            ["changed"] is True
        assert "already" in operator.run("matrix", "allow", "manager", "user",
                                         "admin").stdout
        done(manager.client.post(promote, {"new_role": "admin"}))
        rows = [line.split() for line in operator.run(
            "matrix", "show").stdout.splitlines()]
        assert ["manager", "user", "→", "admin", "yes", "*"] in rows
        assert ["user", "user", "→", "admin", "no"] in rows
        assert operator.json("matrix", "show")["changes"] == [
            {"actor": "manager", "from": "user", "to": "admin",
             "allowed": True}]
    finally:
        operator.run("matrix", "reset")
    assert operator.json("matrix", "show")["changes"] == []
    assert "*" not in operator.run("matrix", "show").stdout
    actions = [e["action"] for e in operator.json("audit", "list")["entries"]]
    assert actions[:2] == ["matrix.changed"] * 2


def test_a_transition_to_itself_or_of_an_unknown_role_is_refused(operator):
    operator.refused("matrix", "allow", "admin", "user", "user")
    assert "boss" in operator.refused("matrix", "deny", "boss", "user",
                                      "admin")


# --- audit ------------------------------------------------------------------

def test_the_trail_is_filtered_and_cut(operator, tenant):
    user = tenant.member()
    operator.run("user", "role", user.id, "manager")
    entries = operator.json("audit", "list", tenant.name, "--user", user.id,
                            "--action", "user.role_changed")["entries"]
    assert [(e["actor"]["kind"], e["address"]) for e in entries] == \
        [("operator", "local")]
    assert len(operator.json("audit", "list", tenant.id, "--limit",
                             "2")["entries"]) == 2
    text = operator.run("audit", "list", tenant.id).stdout.splitlines()
    assert len(text) == 5 and "user.role_changed" in text[1]


@pytest.mark.parametrize("edit, row", [
    ("UPDATE audit SET action = 'user.deleted' WHERE seq = 2 AND", 2),
    ("DELETE FROM audit WHERE seq = 1 AND", 1),
    ("DELETE FROM audit WHERE seq = 3 AND", 3)])
def test_an_edited_trail_is_found_and_where(wuts, operator, edit, row):
    tenant = wuts.tenant()
    tenant.member()		# the third entry
    raw = "UNHEX('%s')" % tenant.id.replace("-", "")
    assert operator.json("audit", "verify", tenant.name)["ok"] is True
    operator.sql(f"{edit} tenant_id = {raw}")
    try:
        text = operator.run("audit", "verify", status=1).stdout
        broken = [l for l in text.splitlines() if l.startswith("BROKEN")]
        assert len(broken) == 1
        assert tenant.id in broken[0] and f"at entry {row}:" in broken[0]
        found = operator.json("audit", "verify", tenant.id, status=1)
        assert found["ok"] is False
        assert found["trails"][0]["bad_seq"] == row
        assert found["trails"][0]["why"]
    finally:
        operator.sql(f"DELETE FROM audit WHERE tenant_id = {raw};"
                     f"DELETE FROM audit_chain WHERE tenant_id = {raw}")
        operator.run("tenant", "delete", tenant.id, "--yes")


# --- the manual -------------------------------------------------------------

def test_every_command_is_in_the_manual_and_has_help(operator):
    manual = (harness.SOURCE / "doc/wutsctl.8").read_text()
    commands = [line.split(" --")[0] for line in
                operator.run("--commands").stdout.splitlines()]
    assert len(commands) > 20
    for command in commands:
        assert f".It Cm {command}" in manual, command
        shown = operator.run(*command.split(), "--help").stdout
        assert shown.startswith("usage: wutsctl"), command
        for option in (line.split()[0] for line in shown.splitlines()
                       if line.startswith("  --")):
            assert f".It Fl -{option[2:]}" in manual, option
    assert commands == sorted(commands)
