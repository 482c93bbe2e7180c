# SPDX-License-Identifier: MIT
"""wuts-spool --once from cron, where no spooler runs for long: what a running
one does by and by is done by runs that end at once."""
import json
import re
import subprocess
import time

import pytest

import harness
from harness import done, free_port


@pytest.fixture
def once(victim):
    """Run it, with other settings; what it logged."""
    victim.quickstart("stop", "wuts-spool")

    def run(**settings):
        config = victim.run / "once.conf"
        lines = [line for line in
                 victim.instance.config.read_text().splitlines()
                 if line.split(" ")[0] not in settings]
        lines += [f"{name} = {value}" for name, value in settings.items()]
        config.write_text("\n".join(lines) + "\n")
        spooler = subprocess.run(
            [harness.BUILD / "wuts-spool", "-c", config, "--once"],
            capture_output=True, text=True, timeout=30)
        assert spooler.returncode == 0, spooler.stderr
        return spooler.stderr

    yield run
    victim.quickstart("start", "wuts-spool")


class Line:
    """A device with a webhook."""

    def __init__(self, tenant, hook):
        self.client = tenant.admin.client
        self.device = tenant.admin.device()
        self.hook = hook

    def configure(self, **members):
        response = self.client.post(f"/webhook?device_id={self.device}", {
            "webhook_url": self.hook.url, "enabled_events": ["*"], **members})
        assert response.status_code in (200, 201), response.text

    def report(self, n=1, text=""):
        done(self.client.post(f"/devices/{self.device}/events", [
            {"event": "message.received", "data": {"text": text}}
            for _ in range(n)]), 202)


@pytest.fixture
def tenant(victim):
    return victim.instance.tenant()


def test_an_enabled_webhook_gets_what_waited_for_it(tenant, receiver, once):
    line = Line(tenant, receiver.hook())
    line.configure(enabled=False)
    line.report(3)
    once()
    assert line.hook.deliveries == []
    line.configure()
    once()
    assert len(line.hook.deliveries) == 3


def test_what_is_deleted_waits_no_longer(victim, tenant, receiver, once):
    line = Line(tenant, receiver.hook())
    line.configure(enabled=False)
    line.report()
    once()
    done(line.client.delete(f"/webhook?device_id={line.device}"))
    once()
    assert line.hook.deliveries == []
    waiting = victim.instance.ctl("queue", "list", "--tenant", tenant.id)
    assert waiting.stdout == ""


def test_old_rows_are_deleted(victim, once):
    victim.sql("INSERT INTO outbox (id, claimed, created_at) SELECT"
               " UNHEX(REPLACE(UUID(), '-', '')), FALSE,"
               " UTC_TIMESTAMP() - INTERVAL 1 DAY")
    once()
    assert victim.sql("SELECT COUNT(*) FROM outbox WHERE created_at <"
                      " UTC_TIMESTAMP() - INTERVAL 2 HOUR") == [("0",)]


def test_a_file_of_which_little_waits_is_rewritten(victim, tenant, receiver,
                                                   once):
    busy = Line(tenant, receiver.hook())
    waiting = Line(tenant, receiver.hook())
    busy.configure()
    waiting.configure(enabled=False)
    busy.report(50, "x" * 4000)
    waiting.report()
    victim.quickstart("stop", "wutsd")
    try:
        once()
        status = json.loads(victim.instance.ctl(
            "queue", "status", "--json").stdout)
    finally:
        victim.quickstart("start", "wutsd")
    assert status["waiting"] > 0
    assert status["bytes"] < 50 * 4000
    victim.settle()
    waiting.configure()
    once()
    assert len(waiting.hook.deliveries) == 1


def state_of_engine(victim):
    return re.fullmatch(r"(\w+) (\d+) (\d+)\n",
                        (victim.run / "engine").read_text()).groups()


def test_the_engine_is_asked_in_every_run(victim, once):
    before_us = time.time() * 1_000_000
    once(onprem_engine_url=victim.instance.url + "/healthz")
    word, at_us, counts_s = state_of_engine(victim)
    assert word == "connected" and int(at_us) >= before_us
    # runs come a minute apart
    assert int(counts_s) > 2 * 60
    log = once(onprem_engine_url=f"http://127.0.0.1:{free_port()}/")
    assert "the On-Premises engine does not answer" in log
    assert state_of_engine(victim)[0] == "disconnected"
