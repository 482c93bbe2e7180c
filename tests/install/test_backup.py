# SPDX-License-Identifier: MIT
"""doc/backup.md, followed to the letter: what is restored elsewhere is what was
there, every event that waited is delivered once, and none that had been."""
import collections
import json
import pathlib
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import document  # noqa: E402
import harness  # noqa: E402
from harness import done, verify_webhook, wait_for  # noqa: E402


def shell(instance, script, backups):
    """The document's commands, at this instance's places."""
    for ours, theirs in (("/var/backups/wuts", backups),
                         ("/var/lib/wuts", instance.run),
                         ("/etc/wuts", instance.run / "secrets")):
        script = script.replace(ours, str(theirs))
    stand_ins = f"""
        systemctl() {{
            verb=$1
            shift
            for unit; do
                case $unit in
                *.socket) ;;
                *) "{harness.SOURCE}/quickstart" "$verb" "$unit" ;;
                esac
            done
            # Units of Type=notify run when this returns.
            until [ "$verb" = stop ] || wutsctl doctor >/dev/null; do
                sleep 0.05
            done
        }}
        wutsctl() {{
            case $1 in
            init) set -- init --sql "{harness.SOURCE}/sql" ;;
            esac
            "{harness.BUILD}/wutsctl" -c "{instance.config}" "$@"
        }}
    """
    (instance.work / ".my.cnf").write_text(
        f"[client]\nsocket = {instance.sockets}/mariadb.sock\n")
    finished = subprocess.run(
        ["sh", "-e", "-c", stand_ins + script], stdin=subprocess.DEVNULL,
        env=dict(instance.env, HOME=str(instance.work)),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=120)
    assert finished.returncode == 0, finished.stdout
    return finished.stdout


def sql(instance, statement):
    return subprocess.run(
        ["mariadb", "--no-defaults", "--batch", "--skip-column-names",
         "--socket", instance.sockets / "mariadb.sock", "wuts"],
        input=statement, check=True, capture_output=True, text=True,
        timeout=60).stdout


def contents(instance):
    """Checksums of all tables."""
    tables = sql(instance, "SHOW TABLES").split()
    return sql(instance, "CHECKSUM TABLE " + ", ".join(tables))


def queue_files(instance):
    root = instance.run / "queue"
    return {str(path.relative_to(root)): path.read_bytes().rstrip(b"\0")
            for path in root.rglob("*")
            if path.suffix in (".seg", ".log")}


class Story:
    """A tenant whose receiver has had some events, and refuses the rest."""

    def __init__(self, wuts, receiver):
        self.hook = receiver.hook()
        self.tenant = wuts.tenant()
        self.engine = wuts.engine()
        admin = self.tenant.admin
        self.device = admin.device()
        self.own = done(admin.client.post("/webhook?scope=tenant", {
            "webhook_url": self.hook.url, "enabled_events": ["*"]}),
            201)["webhook"]
        self.secret = done(admin.client.post(
            f"/webhook?device_id={self.device}", {
                "webhook_url": self.hook.url, "enabled_events": ["*"],
                "retry_attempts": 20, "max_concurrency": 32}),
            201)["webhook"]["secret"]
        self.delivered = self.report(20)
        self.hook.wait_for(lambda seen: self.delivered <=
                           {d.id for d in seen})
        # So that not even a redelivered one is taken for a first one.
        wait_for("the outcomes", lambda: '"waiting":0,' in
                 wuts.ctl("queue", "status", "--json").stdout)
        self.hook.answer = (503, {"Retry-After": "2"})
        waiting = self.report(20)
        user = self.tenant.member()		# events of changes
        done(admin.client.post(f"/users/{user.id}/promote",
                               {"new_role": "manager"}))
        listed = json.loads(wuts.ctl("queue", "list", "--json").stdout)
        self.waiting = {event["id"] for event in listed["events"]}
        assert waiting < self.waiting
        assert {event["event"] for event in listed["events"]} == {
            "message.received", "user.created", "user.role_changed"}

    def report(self, n):
        return {id for _ in range(n) for id in done(self.engine.post(
            f"/devices/{self.device}/events", {
                "event": "message.received", "data": {"text": "Hi"}}),
            202)["ids"]}


@pytest.mark.skipif(shutil.which("mariadb-dump") is None,
                    reason="no mariadb-dump: install mariadb-client")
def test_what_is_restored_elsewhere_is_all_there_and_nothing_twice(
        wuts, receiver, tmp_path, request):
    story = Story(wuts, receiver)
    making = document.block("backup.md", "## Making one", "umask")
    stopped, start = making.rsplit("systemctl start", 1)
    shell(wuts, stopped, tmp_path)
    backup, = tmp_path.iterdir()
    tables, files = contents(wuts), queue_files(wuts)
    assert (backup / "wuts.sql").stat().st_mode & 0o077 == 0
    other = harness.Instance.start()
    try:
        password = (wuts.run / "secrets/database.password").read_text()
        sql(other, "ALTER USER wuts@localhost IDENTIFIED BY"
            f" '{password.strip()}'")
        restoring = document.block("backup.md", "## Restoring", "B=")
        restoring = restoring.replace("2026-11-21T030000", backup.name)
        before, after = restoring.split("systemctl start", 1)
        said = shell(other, before, tmp_path)
        assert "BROKEN" not in said, said
        assert contents(other) == tables
        assert queue_files(other) == files
        story.hook.deliveries.clear()
        story.hook.answer = 200
        shell(other, "systemctl start" + after, tmp_path)
        story.hook.wait_for(lambda seen: story.waiting <=
                            {d.id for d in seen}, 60)
        wait_for("the end", lambda: '"waiting":0,' in
                 other.ctl("queue", "status", "--json").stdout)
        times = collections.Counter(d.id for d in story.hook.deliveries)
        assert set(times.values()) == {1}, times
        assert not story.delivered & set(times)
        assert set(times) == story.waiting
        for delivery in story.hook.deliveries:
            verify_webhook(story.own["secret"] if
                           delivery.event.startswith("user.") else
                           story.secret, delivery.headers, delivery.body)
        client = other.client(story.tenant.admin.token)
        assert len(done(client.get("/users"))["users"]) == 2
        assert other.ctl("queue", "verify").returncode == 0
    finally:
        other.stop_and_check(request.session.testsfailed > 0)
        story.hook.answer = 200
        shell(wuts, "systemctl start" + start, tmp_path)
        story.hook.wait_for(lambda seen: len(seen) >= len(story.waiting))
