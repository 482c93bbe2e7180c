# SPDX-License-Identifier: MIT
"""One instance a session: a private one, or the running one that WUTS_TEST_ENV
(the path of its quickstart.env) names."""
import os
import pathlib
import sys

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
