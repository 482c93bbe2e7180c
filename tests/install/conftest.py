# SPDX-License-Identifier: MIT
"""One running instance a session, and one installation below a directory of
its own."""
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import harness  # noqa: E402

sys.dont_write_bytecode = True


@pytest.fixture(scope="session")
def wuts(request):
    instance = harness.Instance.start()
    yield instance
    instance.stop_and_check(request.session.testsfailed > 0)


@pytest.fixture
def receiver():
    receiver = harness.Receiver()
    yield receiver
    receiver.close()


class Installed:
    """What `make install` puts below DESTDIR."""

    def __init__(self, destdir):
        self.destdir = destdir
        self.make("install")

    def make(self, target):
        done = subprocess.run(
            ["make", "-s", "-C", harness.BUILD, target,
             f"DESTDIR={self.destdir}"], stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr

    def files(self):
        """By name below the root, as in /usr/sbin/wutsd."""
        return {"/" + str(path.relative_to(self.destdir)): path
                for path in self.destdir.rglob("*") if path.is_file()}

    def find(self, name):
        """The one file of that name."""
        found = [path for path in self.files().values() if path.name == name]
        assert len(found) == 1, (name, found)
        return found[0]


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    return Installed(tmp_path_factory.mktemp("root"))
