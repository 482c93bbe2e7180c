# SPDX-License-Identifier: MIT
"""A worker ends (SIGKILL) at every step of replacing a picture, or the disk
refuses the step: whatever a user's picture is afterwards, its file is there
whole, and nothing is left behind."""
import contextlib
import os
import pathlib
import subprocess

import pytest
import requests

from harness import BUILD, done, wait_for

SHIM = BUILD / "tests/chaos/inject.so"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
GIF = b"GIF89a" + bytes(range(256)) * 40
TIMES = 7		# calls that a replacement makes, and some more

pytestmark = pytest.mark.skipif(not SHIM.exists(), reason=f"no {SHIM}")


class Album:
    def __init__(self, victim):
        self.victim = victim
        self.wuts = victim.instance
        self.dir = pathlib.Path(self.wuts.run) / "pictures"
        self.log = self.wuts.run / "picture.injected"
        self.tenant = self.wuts.tenant()
        key = done(self.tenant.admin.client.post("/api-keys", {
            "name": "pictures"}), 201)["key"]
        self.session = requests.Session()
        self.session.headers["Authorization"] = "Bearer " + key
        self.path = f"/wacht/users/{self.tenant.admin.id}"

    def put(self, data):
        """The status of a replacement."""
        return self.session.patch(self.wuts.url + self.path, timeout=30, files={
            "profile_image": ("blob", data, "image/png")}).status_code

    def url(self):
        answer = self.session.get(self.wuts.url + self.path + "/details",
                                  timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()["profile_picture_url"]

    def files(self):
        return {p for p in self.dir.rglob("*") if p.is_file()}

    def quickstart(self, *args):
        self.victim.quickstart(*args)

    @contextlib.contextmanager
    def wutsd(self, how, at):
        """A wutsd of our own in the place of the instance's."""
        self.log.unlink(missing_ok=True)
        env = dict(os.environ, LD_PRELOAD=str(SHIM), WUTS_INJECT=how,
                   WUTS_INJECT_AT=str(at), WUTS_INJECT_PATHS="1",
                   WUTS_INJECT_DIR=str(self.dir),
                   WUTS_INJECT_LOG=str(self.log),
                   ASAN_OPTIONS="verify_asan_link_order=0:detect_leaks=0")
        process = subprocess.Popen(
            [BUILD / "wutsd", "-c", self.wuts.config], env=env,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for("wutsd", self.victim.is_ready)
            yield
        finally:
            process.terminate()
            process.wait(30)


def test_a_picture_is_whole_whatever_ends_its_replacement(victim):
    album = Album(victim)
    assert album.put(PNG) == 200
    album.quickstart("stop", "wutsd")
    current, hits = PNG, set()
    for at, how in [(n, "kill") for n in range(1, TIMES)] + \
            [(1, "ENOSPC"), (2, "EIO"), (3, "EIO")]:
        new = GIF if current == PNG else PNG
        with album.wutsd(how, at):
            status = album.put(new)
            if not album.log.exists():
                assert status == 200 and how == "kill"
                current = new
                continue
            hits.add(album.log.read_text())
            assert status in ((500, 502, 503) if how == "kill"
                              else (200, 500))
            wait_for("wutsd", album.victim.is_ready)
            answer = requests.get(album.url(), timeout=30)
        assert answer.status_code == 200
        assert answer.content in ((current, new) if how == "kill" else
                                  (new,) if status == 200 else (current,))
        current = answer.content
    assert {"pwrite", "fsync", "rename", "unlink"} <= hits
    for file in album.files():
        os.utime(file, (1, 1))
    album.quickstart("start", "wutsd")
    album.quickstart("stop", "wuts-spool")
    album.quickstart("start", "wuts-spool")
    wait_for("the sweep", lambda: len(album.files()) == 1)
    wait_for("wutsd", victim.is_ready)
    assert requests.get(album.url(), timeout=30).status_code == 200
