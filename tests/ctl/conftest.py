# SPDX-License-Identifier: MIT
"""A private instance a session, and wutsctl against it."""
import json
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import harness  # noqa: E402

sys.dont_write_bytecode = True


class Operator:
    """wutsctl, as somebody at the machine runs it."""

    def __init__(self, instance):
        self.instance = instance
        self.expected = []	# parts of the error lines to come

    def run(self, *args, status=0, stdin=""):
        """The finished process, which ended with this status."""
        done = subprocess.run(
            [harness.BUILD / "wutsctl", "-c", self.instance.config,
             *map(str, args)], input=stdin, capture_output=True, text=True,
            timeout=120)
        assert done.returncode == status, (args, done.stdout, done.stderr)
        return done

    def json(self, *args, status=0, stdin=""):
        return json.loads(self.run(*args, "--json", status=status,
                                   stdin=stdin).stdout)

    def refused(self, *args, stdin=""):
        """What it said to standard error; nothing went to standard output."""
        done = self.run(*args, status=1, stdin=stdin)
        assert done.stdout == "", done.stdout
        assert done.stderr.startswith("wutsctl: "), done.stderr
        return done.stderr

    def sql(self, statement):
        """The rows of a query, as tuples of text."""
        done = subprocess.run(
            ["mariadb", "--no-defaults", "--batch", "--skip-column-names",
             "--socket", str(self.instance.run / "sockets/mariadb.sock"),
             "wuts"], input=statement, check=True, timeout=60,
            capture_output=True, text=True)
        return [tuple(line.split("\t")) for line in done.stdout.splitlines()]


@pytest.fixture(scope="session")
def wuts(request):
    instance = harness.Instance.start()
    yield instance
    instance.stop_and_check(request.session.testsfailed > 0)


@pytest.fixture(scope="session")
def operator(wuts):
    return Operator(wuts)


@pytest.fixture
def tenant(wuts):
    return wuts.tenant()


@pytest.fixture
def own(request):
    """An instance that this test may do anything to, and its operator."""
    operator = Operator(harness.Instance.start())
    failed = request.session.testsfailed
    yield operator
    operator.instance.stop_and_check(request.session.testsfailed > failed,
                                     operator.expected)


@pytest.fixture
def receiver():
    receiver = harness.Receiver()
    yield receiver
    receiver.close()
