# SPDX-License-Identifier: MIT
"""systemd's units are right and locked up tight, and the programs keep
sd_notify(3)'s protocol. Booting them is tests/package's business."""
import os
import re
import shutil
import signal
import socket
import subprocess

import pytest

import harness

SERVICES = ("wutsd.service", "wuts-spool.service")
EXPOSURE_MAX = 2.0		# doc/install.md

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None,
    reason="no systemd-analyze: install systemd")


@needs_systemd
def test_systemd_understands_every_line(installed):
    units = [str(installed.find(name))
             for name in (*SERVICES, "wutsd.socket")]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no",
         *units], capture_output=True, text=True, timeout=60)
    # Not installed on this machine, so the programs are not there.
    wrong = [line for line in done.stderr.splitlines()
             if re.search(r"wuts(d|-spool)\.(service|socket)", line)
             and "is not executable" not in line
             and "not found" not in line]
    assert not wrong, wrong


@needs_systemd
@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_exposed_no_more_than_documented(installed, name):
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--no-pager",
         str(installed.find(name))], capture_output=True, text=True,
        timeout=60)
    figure = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
    assert figure, done.stdout + done.stderr
    assert float(figure.group(1)) <= EXPOSURE_MAX
    documented = re.search(rf"`{re.escape(name)}` \| ([\d.]+)",
                           (harness.SOURCE / "doc/install.md").read_text())
    assert documented and float(documented.group(1)) <= EXPOSURE_MAX


def test_the_spooler_tells_of_start_reload_life_and_stop(tmp_path):
    config = tmp_path / "wuts.conf"
    key = tmp_path / "key"
    key.write_text("0" * 63 + "1\n")
    key.chmod(0o600)
    (tmp_path / "queue").mkdir(0o700)
    config.write_text(f"""\
run_dir = {tmp_path}
queue_dir = {tmp_path}/queue
installation_key_file = {key}
database_socket = {tmp_path}/nobody.sock
""")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        path = tmp_path / "notify"
        notices.bind(str(path))
        notices.settimeout(30)
        spooler = subprocess.Popen(
            [harness.BUILD / "wuts-spool", "-c", config],
            stderr=subprocess.DEVNULL,
            env=dict(os.environ, NOTIFY_SOCKET=str(path),
                     WATCHDOG_USEC="300000"))

        def next_but(boring=b"WATCHDOG=1"):
            while True:
                notice = notices.recv(128)
                if notice != boring:
                    return notice

        try:
            assert next_but() == b"READY=1"
            assert notices.recv(128) == b"WATCHDOG=1"
            spooler.send_signal(signal.SIGHUP)
            assert next_but() == b"RELOADING=1"
            assert next_but() == b"READY=1"
            spooler.send_signal(signal.SIGTERM)
            assert next_but() == b"STOPPING=1"
            assert spooler.wait(30) == 0
        finally:
            spooler.kill()
            spooler.wait()
