# SPDX-License-Identifier: MIT
"""The life of the package on a machine, in this order: what doc/install.md says
is done to the letter."""
import json
import re
import shutil

import document

from conftest import wait_for

HEADING = "## Debian package"
UNITS = ("wutsd.socket", "wutsd.service", "wuts-spool.service")


def install(machine, deb):
    """apt's part of `apt-get install ./FILE`, without its network."""
    shutil.copy(deb, machine.root / "root/wuts.deb")
    return machine.says("dpkg --force-confold -i /root/wuts.deb")


def main_pid(machine, unit):
    return int(machine.says(f"systemctl show -p MainPID --value {unit}"))


def is_ready(machine):
    done = machine.run("curl -s http://127.0.0.1:8080/readyz", check=False)
    return '"status":"ready"' in done.stdout


def checksum(machine):
    """Of all the tables' contents."""
    tables = machine.says("mariadb -N -e 'SHOW TABLES' wuts").split()
    return machine.says("mariadb wuts -N -e 'CHECKSUM TABLE "
                        + ", ".join(tables) + "'")


def test_installing_starts_nothing_and_touches_no_database(machine, package):
    text = install(machine, package)
    assert "wutsctl init" in text
    for unit in UNITS:
        done = machine.run(f"systemctl is-active {unit}", check=False)
        assert done.stdout.strip() == "inactive"
    assert machine.says("mariadb -N -e 'SHOW DATABASES LIKE \"wuts\"'") == ""
    assert machine.says("id -nG wuts") == "wuts"
    assert not (machine.root / "etc/nginx/sites-enabled/wuts").exists()
    machine.run("nginx -t")


def test_following_the_document_leads_to_a_running_system(machine):
    machine.run(document.block("install.md", HEADING, "sudo mariadb"))
    # Whoever types this is slower than nginx, which reloads by and by.
    text = machine.says(document.block(
        "install.md", HEADING, "sudo wutsctl init").replace(
        "curl ", "curl -sS --retry 60 --retry-delay 1 --retry-connrefused "))
    verdicts = re.findall(r"^(ok|warn|fail) +(.*)$", text, re.M)
    assert len(verdicts) >= 10
    assert not [line for line in verdicts if line[0] != "ok"], text
    assert text.endswith('"status":"ready"}'), text
    token = machine.says("cat /etc/wuts/master.token")
    answer = json.loads(machine.says(
        "curl -s http://127.0.0.1:8080/register"
        f" -H 'Authorization: Bearer {token}'"
        " -H 'Content-Type: application/json' -d '{\"tenant_name\":\"Acme\","
        "\"email\":\"ana@acme.example\",\"password\":\"correct horse\"}'"))
    assert answer["success"] is True


def test_secrets_queue_and_socket_are_kept_from_others(machine):
    for path, wanted in (
            ("/etc/wuts/installation.key", "600 wuts wuts"),
            ("/etc/wuts/master.token", "600 wuts wuts"),
            ("/etc/wuts/wuts.conf", "644 root root"),
            ("/var/lib/wuts", "755 wuts wuts"),
            ("/var/lib/wuts/queue", "700 wuts wuts"),
            ("/var/log/wuts", "750 wuts wuts"),
            ("/run/wuts", "755 wuts wuts"),
            ("/run/wuts/wutsd.sock", "660 wuts www-data")):
        assert machine.says(f"stat -c '%a %U %G' {path}") == wanted, path
    assert set(machine.says("ps -o user= -C wutsd,wuts-spool").split()) == \
        {"wuts"}


def test_the_journal_tells_the_story_of_a_request(machine):
    """Piped in by root; wutsctl is somebody else by then."""
    machine.run("curl -sf -H 'X-Request-Id: tell-me'"
                " http://127.0.0.1:8080/healthz")
    story = document.block("operations.md", "## First", "journalctl -u wutsd"
                           " -u wuts-spool |").replace("ID", "tell-me")
    wait_for("its line", lambda: "path=/healthz status=200" in machine.run(
        story, check=False).stdout)


def test_a_restart_and_a_reload_cost_no_request(machine):
    machine.run("""
        ask() { curl -s -o /dev/null -w '%{http_code}\\n' \
            http://127.0.0.1:8080/healthz; }
        : >/tmp/asked
        (while [ ! -e /tmp/enough ]; do ask >>/tmp/asked; done) &
        for verb in restart reload restart reload; do
            systemctl $verb wutsd
        done
        touch /tmp/enough
        wait
    """)
    answers = machine.says("sort /tmp/asked | uniq -c").split("\n")
    assert len(answers) == 1 and answers[0].endswith(" 200"), answers
    assert int(answers[0].split()[0]) >= 10
    assert is_ready(machine)


def test_a_mistake_in_the_configuration_fails_the_reload_alone(machine):
    pid = main_pid(machine, "wutsd")
    machine.run("cp /etc/wuts/wuts.conf /tmp/good; "
                "echo 'workers = none' >>/etc/wuts/wuts.conf")
    assert machine.run("systemctl reload wutsd", check=False).returncode != 0
    assert "workers: must be a whole number" in machine.says(
        "journalctl -u wutsd --no-pager")
    assert main_pid(machine, "wutsd") == pid and is_ready(machine)
    machine.run("cat /tmp/good >/etc/wuts/wuts.conf; "
                "systemctl reload wutsd wuts-spool")


def test_the_watchdog_restarts_what_stands_still(machine):
    for unit in ("wutsd", "wuts-spool"):
        machine.run(f"""
            mkdir -p /run/systemd/system/{unit}.service.d
            printf '[Service]\\nWatchdogSec=2s\\n' \
                >/run/systemd/system/{unit}.service.d/quick.conf
        """)
    machine.run("systemctl daemon-reload; systemctl restart wutsd wuts-spool")
    for unit in ("wutsd", "wuts-spool"):
        pid = main_pid(machine, unit)
        machine.run(f"kill -STOP {pid}")
        wait_for(f"another {unit}", lambda: main_pid(machine, unit)
                 not in (0, pid))
    wait_for("both", lambda: all(machine.run(
        f"systemctl is-active {unit}", check=False).stdout == "active\n"
        for unit in ("wutsd", "wuts-spool")))
    assert is_ready(machine)
    machine.run("rm -r /run/systemd/system/wuts*.service.d; "
                "systemctl daemon-reload; systemctl restart wutsd wuts-spool")


def test_a_log_file_is_rotated(machine):
    machine.run("""
        echo 'log_file = /var/log/wuts/wuts.log' >>/etc/wuts/wuts.conf
        systemctl reload wutsd wuts-spool
        curl -s http://127.0.0.1:8080/healthz
        test -s /var/log/wuts/wuts.log
        logrotate -f /etc/logrotate.d/wuts
    """)
    wait_for("a new log", lambda: machine.run("""
        curl -s -o /dev/null http://127.0.0.1:8080/healthz
        test -s /var/log/wuts/wuts.log.1 && test -s /var/log/wuts/wuts.log
    """, check=False).returncode == 0)
    machine.run("cat /tmp/good >/etc/wuts/wuts.conf; "
                "systemctl reload wutsd wuts-spool")


def test_an_upgrade_without_migration_restarts_and_keeps_what_is_ours(
        machine, repacked):
    machine.run("echo 'workers = 2' >>/etc/wuts/wuts.conf")
    before, pid = checksum(machine), main_pid(machine, "wutsd")
    install(machine, repacked("0.1.1"))
    assert main_pid(machine, "wutsd") not in (0, pid)
    assert is_ready(machine) and checksum(machine) == before
    assert machine.says("tail -n 1 /etc/wuts/wuts.conf") == "workers = 2"
    assert machine.says("pgrep -c -P "
                        + str(main_pid(machine, "wutsd"))) == "2"


def test_an_upgrade_with_migration_says_so_and_does_nothing(machine,
                                                            repacked):
    newest = machine.says(
        "mariadb -N -e 'SELECT MAX(version) FROM schema_migration' wuts")
    machine.run("mariadb -e 'DELETE FROM schema_migration WHERE"
                f" version = {newest}' wuts")
    before, pid = checksum(machine), main_pid(machine, "wutsd")
    text = install(machine, repacked("0.1.2"))
    assert "wutsctl migrate && systemctl restart" in text
    assert main_pid(machine, "wutsd") == pid and checksum(machine) == before
    machine.run("curl -sf http://127.0.0.1:8080/healthz")
    machine.run(next(text for text in document.commands(
        "install.md", HEADING) if text.startswith("sudo wutsctl migrate")))
    assert is_ready(machine)


def test_removing_stops_all_and_keeps_what_was_entrusted(machine):
    before = machine.says("md5sum /etc/wuts/*")
    machine.run("dpkg -r wuts")
    assert not machine.run("pgrep wuts", check=False).stdout
    assert machine.says("md5sum /etc/wuts/*") == before
    machine.run("test -d /var/lib/wuts/queue")
    machine.run("nginx -t")


def test_purging_leaves_the_database_and_nothing_else(machine):
    before = checksum(machine)
    machine.run("dpkg -P wuts")
    assert checksum(machine) == before
    assert machine.run("id wuts", check=False).returncode != 0
    machine.run("nginx -t")
    left = machine.says("find / -xdev -name '*wuts*' -not -path '/proc/*'"
                        " -not -path '/var/lib/mysql/*'"
                        " -not -path '/root/*'")
    assert left == "", left
    assert machine.says("systemctl list-unit-files 'wuts*' --no-legend"
                        " || true") == ""
