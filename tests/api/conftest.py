# SPDX-License-Identifier: MIT
"""One instance a session: a private one, or the running one that WUTS_TEST_ENV
(the path of its quickstart.env) names."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import harness  # noqa: E402

sys.dont_write_bytecode = True


@pytest.fixture(scope="session")
def wuts(request):
    running = os.environ.get("WUTS_TEST_ENV")
    if running:
        yield harness.Instance.running(running)
        return
    instance = harness.Instance.start()
    yield instance
    instance.stop_and_check(request.session.testsfailed > 0)


@pytest.fixture
def tenant(wuts):
    return wuts.tenant()


@pytest.fixture(scope="session")
def receiver():
    receiver = harness.Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def hook(receiver):
    return receiver.hook()


def install_packages(folder):
    """Fetch what tests/node names; why that cannot be, or None."""
    for tool in "node", "npm":
        if shutil.which(tool) is None:
            return f"no {tool} here"
    for path in (harness.SOURCE / "tests" / "node").iterdir():
        shutil.copy(path, folder)
    try:
        run = subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock",
             "--ignore-scripts"], cwd=folder, capture_output=True, text=True,
            timeout=120)
    except subprocess.TimeoutExpired:
        return "npm cannot fetch the packages: it takes too long"
    if run.returncode != 0:
        return "npm cannot fetch the packages: " + \
            " ".join(run.stderr.split())[-200:]
    return None


@pytest.fixture(scope="session")
def node():
    """node(script, *args, text): its standard output, in a folder with the
    packages of tests/node. They are fetched once; where they cannot be, the
    test is skipped and says so."""
    with tempfile.TemporaryDirectory(prefix="wuts-test-") as folder:
        why = install_packages(folder)
        if why is not None:
            pytest.skip(why)

        def run(script, *args, text=""):
            done = subprocess.run(["node", script, *map(str, args)],
                                  cwd=folder, input=text, text=True,
                                  capture_output=True, timeout=120)
            assert done.returncode == 0, done.stderr
            return done.stdout

        yield run
