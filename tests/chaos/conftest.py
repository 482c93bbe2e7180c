# SPDX-License-Identifier: MIT
"""A private instance that may be hurt, and the hands to hurt it."""
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import harness  # noqa: E402

sys.dont_write_bytecode = True


class Victim:
    """A running instance, its processes and its database's own view."""

    def __init__(self, **settings):
        self.instance = harness.Instance.start(database_timeout="1s",
                                               **settings)
        self.run = self.instance.run

    def pid(self, service):
        """The process that quickstart started; None while there is none."""
        try:
            return int((self.run / "pids" / service).read_text())
        except (OSError, ValueError):
            return None

    def workers(self):
        master = self.pid("wutsd")
        try:
            return [int(p) for p in pathlib.Path(
                f"/proc/{master}/task/{master}/children").read_text().split()]
        except OSError:
            return []

    def kill(self, name, how=signal.SIGKILL):
        """SIGKILL one of a kind, or all "workers" at once; the pid of one,
        None when there was none."""
        pids = self.workers() if name.startswith("worker") else \
            [self.pid(name)]
        pids = [pid for pid in pids if pid]
        if name != "workers" and pids:
            pids = [random.choice(pids)]
        for pid in list(pids):
            try:
                os.kill(pid, how)
            except ProcessLookupError:
                pids.remove(pid)
        return pids[0] if pids else None

    def quickstart(self, *args):
        subprocess.run([harness.SOURCE / "quickstart", *args],
                       env=self.instance.env, check=True, timeout=60,
                       stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

    def sql(self, statement):
        """The rows of a query, as tuples of text."""
        done = subprocess.run(
            ["mariadb", "--no-defaults", "--batch", "--skip-column-names",
             "--socket", str(self.run / "sockets/mariadb.sock"), "wuts"],
            input=statement, check=True, timeout=60, capture_output=True,
            text=True)
        return [tuple(line.split("\t")) for line in done.stdout.splitlines()]

    def is_ready(self):
        try:
            return self.instance.client().get("/readyz").status_code == 200
        except harness.requests.RequestException:
            return False

    def settle(self, seconds=60):
        """Until nothing was refused for longer than a worker waits before it
        tries a lost database again, which each does for itself. When it was
        refused last, by time.monotonic()."""
        refused = time.monotonic()

        def is_quiet():
            nonlocal refused
            if not self.is_ready():
                refused = time.monotonic()
            return time.monotonic() - refused > 1.1

        harness.wait_for("an end of refusals", is_quiet, seconds)
        return refused


def lend(request, victim):
    try:
        yield victim
    finally:
        failed = request.session.testsfailed > 0
        victim.instance.stop(keep=failed)
        if failed:
            print(f"\nlogs and data are kept below {victim.instance.work}")


@pytest.fixture(scope="session")
def victim(request):
    yield from lend(request, Victim())


@pytest.fixture(scope="session")
def hasty(request):
    """Takes over the request of a process that is gone after four seconds."""
    yield from lend(request, Victim(request_timeout="4s", workers="2"))


@pytest.fixture
def receiver():
    receiver = harness.Receiver()
    # A spooler that is killed resets its connections.
    receiver.server.handle_error = lambda *_: None
    yield receiver
    receiver.close()
