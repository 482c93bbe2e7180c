# SPDX-License-Identifier: MIT
"""Users' pictures: what is taken, where it is kept, and how nginx serves it."""
import os
import pathlib
import struct
import subprocess

import pytest
import requests

from harness import SOURCE, unique, wait_for
from wacht_user import Wacht, key_of

PICTURES = {
    "image/jpeg": b"\xff\xd8\xff\xe0\0\x10JFIF\0 and so on",
    "image/png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\r\n--x\r\n",
    "image/gif": b"GIF89a\1\0\1\0\0\0\0;",
    "image/webp": b"RIFF" + struct.pack("<I", 20) + b"WEBPVP8 ",
    "image/x-icon": b"\0\0\1\0\1\0\x10\x10\0\0\1\0\x20\0",
}
PNG = PICTURES["image/png"]


class World:
    def __init__(self, wuts):
        self.wuts = wuts
        self.tenant = wuts.tenant()
        self.call = Wacht(wuts, key_of(self.tenant))
        self.dir = pathlib.Path(wuts.run) / "pictures"

    def form(self, method, path, **fields):
        """A field that is a tuple is a file: bytes and type."""
        files = {n: ("blob", *v) if isinstance(v, tuple) else (None, v)
                 for n, v in fields.items()}
        return self.call(method, path, files=files)

    def create(self, **fields):
        response = self.form("POST", "/users", **{
            "first_name": "Ada", "last_name": "L", "password": "aB3$efgh",
            "email_address": unique("ada") + "@example.com", **fields})
        assert response.status_code == 200, response.text
        return response.json()

    def file_of(self, url):
        prefix = self.wuts.url + "/pictures/"
        assert url.startswith(prefix)
        return self.dir / url[len(prefix):]

    def files(self):
        return {p for p in self.dir.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def world(wuts):
    return World(wuts)


@pytest.mark.parametrize("kind", PICTURES)
@pytest.mark.parametrize("declared", ["as it is", "application/octet-stream"])
def test_a_picture_is_served_as_what_its_bytes_are(world, kind, declared):
    declared = kind if declared == "as it is" else declared
    user = world.create(profile_image=(PICTURES[kind], declared))
    url = user["profile_picture_url"]
    answer = requests.get(url, timeout=30)
    assert answer.status_code == 200 and answer.content == PICTURES[kind]
    assert answer.headers["Content-Type"] == kind
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "immutable" in answer.headers["Cache-Control"]
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    details = world.call.ok("GET", f"/users/{user['id']}/details")
    assert details["profile_picture_url"] == url
    assert requests.head(url, timeout=30).status_code == 200
    assert requests.post(url, timeout=30).status_code == 403
    assert requests.delete(url, timeout=30).status_code == 403
    assert world.file_of(url).exists()


def test_nothing_is_served_but_pictures(world):
    url = world.create(profile_image=(PNG, "image/png"))[
        "profile_picture_url"]
    file = world.file_of(url)
    beside = file.with_name(file.name + ".new-1")
    beside.write_bytes(PNG)
    base = world.wuts.url + "/pictures/"
    for path in ("", file.parent.name, file.parent.name + "/",
                 f"{file.parent.name}/{beside.name}",
                 f"{file.parent.name}/../{file.parent.name}/{beside.name}",
                 "..%2fwuts.conf", "../wuts.conf"):
        answer = requests.get(base + path, timeout=30)
        assert answer.status_code in (400, 401, 404), path
        assert PNG not in answer.content
    beside.unlink()


def test_replaced_removed_and_deleted_pictures_are_gone(world):
    user = world.create(profile_image=(PNG, "image/png"))
    first = user["profile_picture_url"]
    path = f"/users/{user['id']}"
    second = world.form("PATCH", path, profile_image=(
        PICTURES["image/gif"], "image/gif")).json()["profile_picture_url"]
    assert second != first and not world.file_of(first).exists()
    assert requests.get(first, timeout=30).status_code == 404
    again = world.form("PATCH", path, profile_image=(
        PICTURES["image/gif"], "image/gif")).json()["profile_picture_url"]
    assert again != second and not world.file_of(second).exists()
    answer = world.form("PATCH", path, remove_profile_image="true",
                        profile_image=(PNG, "image/png"))
    assert answer.json()["profile_picture_url"] == ""
    assert not world.file_of(again).exists()
    assert world.form("PATCH", path, remove_profile_image="true").json()[
        "profile_picture_url"] == ""
    last = world.form("PATCH", path, profile_image=(
        PNG, "image/png")).json()["profile_picture_url"]
    assert world.call.ok("DELETE", path) == {}
    assert not world.file_of(last).exists()


def test_a_user_deleted_by_another_dialect_takes_its_picture_along(world):
    user = world.create(profile_image=(PNG, "image/png"))
    answer = world.tenant.admin.client.delete("/users/" + user["id"])
    assert answer.status_code == 200
    assert not world.file_of(user["profile_picture_url"]).exists()


def test_an_empty_picture_is_none(world):
    user = world.create(profile_image=(b"", "image/png"))
    assert user["profile_picture_url"] == ""
    user = world.create(profile_image=(PNG, "image/png"))
    answer = world.form("PATCH", f"/users/{user['id']}",
                        profile_image=(b"", "application/octet-stream"))
    assert answer.json()["profile_picture_url"] == \
        user["profile_picture_url"]


LIES = {
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
    "svg as png": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/png"),
    "html as jpeg": (b"<html><script>alert(1)</script>", "image/jpeg"),
    "png as tiff": (PNG, "image/tiff"),
    "zip": (b"PK\3\4", "application/zip"),
    "text": (b"hello", "text/plain"),
    "another riff": (b"RIFF\0\0\0\0WAVEfmt ", "image/webp"),
    "a cursor": (b"\0\0\2\0\1\0", "image/x-icon"),
    "half a png": (b"\x89PNG", "image/png"),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_is_no_picture_is_refused_and_not_kept(world, lie):
    before = world.files()
    email = unique("lie") + "@example.com"
    answer = world.form("POST", "/users", first_name="A", last_name="B",
                        email_address=email, password="aB3$efgh",
                        profile_image=LIES[lie])
    assert answer.status_code == 400
    assert [f["field"] for f in answer.json()["details"]["fields"]] == \
        ["profile_image"]
    assert world.files() == before
    assert world.call.ok("GET", "/users?search=" + email)["total"] == 0
    user = world.create()
    answer = world.form("PATCH", f"/users/{user['id']}", first_name="New",
                        profile_image=LIES[lie])
    assert answer.status_code == 400
    details = world.call.ok("GET", f"/users/{user['id']}/details")
    assert details["first_name"] == "Ada"
    assert details["profile_picture_url"] == ""
    assert world.files() == before


def test_five_mebibytes_are_taken_and_no_more(world):
    user = world.create()
    path = f"/users/{user['id']}"
    most = PNG + bytes(5 * 2**20 - len(PNG))
    url = world.form("PATCH", path, profile_image=(
        most, "image/png")).json()["profile_picture_url"]
    assert world.file_of(url).read_bytes() == most
    before = world.files()
    for size in (1, 2**20 // 2, 2 * 2**20):
        answer = world.form("PATCH", path, profile_image=(
            most + bytes(size), "image/png"))
        assert answer.status_code == 413, size
    assert world.files() == before


def test_a_refused_change_keeps_no_file(world):
    """The file is written before the conflict is found."""
    taken = unique("taken")
    world.create(username=taken[:20])
    before = world.files()
    answer = world.form("POST", "/users", first_name="A", last_name="B",
                        email_address=unique("x") + "@example.com",
                        password="aB3$efgh", username=taken[:20].upper(),
                        profile_image=(PNG, "image/png"))
    assert answer.status_code == 409
    assert world.files() == before


def test_files_that_nobody_has_are_swept(world):
    """At the spooler's start, and every minute after."""
    kept = world.file_of(world.create(
        profile_image=(PNG, "image/png"))["profile_picture_url"])
    young = kept.with_name("0" * 32 + ".png")
    orphan = kept.with_name(kept.name[:2] + "1" * 30 + ".png")
    half = kept.with_name(kept.name + ".new-77")
    for file in (young, orphan, half):
        file.write_bytes(PNG)
    for file in (kept, orphan, half):
        os.utime(file, (1, 1))
    for command in ("stop", "start"):
        subprocess.run([SOURCE / "quickstart", command, "wuts-spool"],
                       env=world.wuts.env, check=True, timeout=60,
                       stdout=subprocess.DEVNULL)
    wait_for("the sweep", lambda: not orphan.exists() and not half.exists())
    assert kept.exists() and young.exists()
    young.unlink()
