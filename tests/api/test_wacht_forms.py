# SPDX-License-Identifier: MIT
"""Hostile multipart through nginx: always the right 4xx, nothing stored."""
import http.client
import random
import socket
import urllib.parse

import pytest

from harness import RawResponse, unique
from test_wacht_pictures import PNG, World
from wacht_user import check

B = "----formdata-undici-012345678901"
TYPE = f"multipart/form-data; boundary={B}"


@pytest.fixture(scope="module")
def world(wuts):
    return World(wuts)


def text(name, value):
    return (f'--{B}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
            f"{value}\r\n")


def file(data, kind="image/png"):
    return (f'--{B}\r\nContent-Disposition: form-data; name="profile_image";'
            f' filename="blob"\r\nContent-Type: {kind}\r\n\r\n').encode() + \
        data + b"\r\n"


END = f"--{B}--\r\n"


def person(email):
    return (text("first_name", "Ada") + text("last_name", "L") +
            text("email_address", email) + text("password", "aB3$efgh"))


def post(world, body, kind=TYPE):
    if isinstance(body, str):
        body = body.encode()
    headers = {} if kind is None else {"Content-Type": kind}
    return world.call("POST", "/users", data=body, headers=headers)


def count(world):
    return world.call.ok("GET", "/users?limit=0")["total"]


def email():
    return unique("form") + "@example.com"


def test_the_form_that_the_others_are_made_of_is_good(world):
    before = count(world)
    answer = post(world, person(email()).encode() + file(PNG) + END.encode())
    assert answer.status_code == 200, answer.text
    assert count(world) == before + 1


def bodies():
    """name: (body, Content-Type, status)"""
    whole = person(email()) + END
    part = text("first_name", "Ada")
    long = "x" * 9000
    yield "no media type", whole, None, 415
    yield "another media type", whole, "application/json", 415
    yield "another multipart", whole, f"multipart/mixed; boundary={B}", 415
    yield "no boundary", whole, "multipart/form-data", 400
    yield "an empty boundary", whole, "multipart/form-data; boundary=", 400
    yield "two boundaries", whole, TYPE + "; boundary=x", 400
    yield "a boundary of 71", whole, \
        "multipart/form-data; boundary=" + "b" * 71, 400
    yield "a boundary in other letters", whole, \
        "multipart/form-data; boundary=" + B.upper(), 400
    yield "an empty body", "", TYPE, 400
    yield "not a form at all", '{"first_name":"Ada"}', TYPE, 400
    yield "no end", person(email()), TYPE, 400
    yield "cut in the headers", whole[:60], TYPE, 400
    yield "cut in the last boundary", whole[:-6], TYPE, 400
    yield "lines of another world", whole.replace("\r\n", "\n"), TYPE, 400
    yield "a preamble", "hello\r\n" + whole, TYPE, 400
    yield "65 parts", part * 65 + whole, TYPE, 400
    yield "10000 parts", part * 10000 + whole, TYPE, 400
    yield "10000 empty parts", f"--{B}\r\n\r\n\r\n" * 10000 + whole, TYPE, 400
    yield "huge headers", whole.replace(
        "\r\n\r\n", f"\r\nX: {long}\r\n\r\n", 1), TYPE, 400
    yield "headers without an end", f"--{B}\r\n" + "X: y\r\n" * 50000, TYPE, \
        400
    yield "a header that is none", whole.replace(
        "\r\n\r\n", "\r\nnonsense\r\n\r\n", 1), TYPE, 400
    yield "no name", whole.replace('; name="first_name"', "", 1), TYPE, 400
    yield "an empty name", whole.replace("first_name", "", 1), TYPE, 400
    yield "a name without an end", whole.replace(
        'first_name"', "first_name", 1), TYPE, 400
    yield "two names", whole.replace(
        '"first_name"', '"first_name"; name="x"', 1), TYPE, 400
    yield "a NUL in a name", whole.replace(
        "first_name", "first\0name", 1), TYPE, 400
    yield "a NUL in a value", whole.replace("Ada", "A\0a", 1), TYPE, 400
    yield "no UTF-8", whole.encode().replace(b"Ada", b"A\xff"), TYPE, 400
    yield "no UTF-8 in a field that nobody reads", \
        text("other", "Ada").encode().replace(b"Ada", b"\xc3(") + \
        whole.encode(), TYPE, 400
    yield "a text of 16 KiB and one", \
        text("other", "x" * 16385) + whole, TYPE, 400
    yield "base64", whole.replace(
        "\r\n\r\n", "\r\nContent-Transfer-Encoding: base64\r\n\r\n", 1), \
        TYPE, 400
    yield "a nested form", whole.replace(
        "\r\n\r\n", "\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n"
        "--y\r\n\r\n", 1).replace("Ada", "Ada\r\n--" + B), TYPE, 400
    yield "more than 6 MiB", person(email()).encode() + \
        file(PNG + bytes(6 * 2**20)) + END.encode(), TYPE, 413
    yield "more than 6 MiB that nobody reads", \
        f'--{B}\r\nContent-Disposition: form-data; name="x"; filename="f"' \
        "\r\n\r\n" + "x" * (6 * 2**20) + "\r\n" + whole, TYPE, 413


BODIES = {name: row for name, *row in bodies()}


@pytest.mark.parametrize("name", BODIES)
def test_a_hostile_form_is_refused_and_leaves_nothing(world, name):
    body, kind, status = BODIES[name]
    users, files = count(world), world.files()
    answer = post(world, body, kind)
    assert answer.status_code == status, answer.text
    assert count(world) == users and world.files() == files


def test_distorted_forms_are_answered_whole(world):
    """Whatever they have become, nobody falls over: 200 only for what is
    still a form of a user, else 4xx; and the files are those of the users."""
    rng = random.Random(6)
    good = person(email()).encode() + file(PNG) + END.encode()
    pieces = [b"\r\n", b"--", B.encode(), b"\0", b"\xff", b'"', b";", b":",
              b"\r", b"\n", b"--" + B.encode() + b"--"]
    files = world.files()
    for _ in range(150):
        body = bytearray(good.replace(b"form-", b"%d-" % rng.randrange(
            10**9), 1) if rng.random() < 0.1 else good)
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(body))
            body[at:at + rng.choice((0, 1, 5, 40))] = rng.choice(pieces)
        answer = post(world, bytes(body))
        assert answer.status_code in (200, 400, 409), answer.text
        if answer.status_code == 200:
            world.call.ok("DELETE", "/users/" + answer.json()["id"])
    assert world.files() == files


@pytest.mark.parametrize("announced,status", [(-1, 400), (-500, 400)])
def test_a_body_shorter_than_its_form(world, announced, status):
    """nginx hands on what was announced: the form is then cut off."""
    body = (person(email()) + END).encode()
    users = count(world)
    answer = raw(world, body, len(body) - 2 + announced, body)
    assert answer.status_code == status
    assert count(world) == users


def raw(world, body, announced, sent):
    host = urllib.parse.urlsplit(world.wuts.url)
    with socket.create_connection((host.hostname, host.port)) as s:
        s.settimeout(20)
        s.sendall(
            f"POST /wacht/users HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            f"Authorization: {world.call.session.headers['Authorization']}"
            f"\r\nContent-Type: {TYPE}\r\nContent-Length: {announced}\r\n\r\n"
            .encode() + sent[:announced])
        response = http.client.HTTPResponse(s)
        response.begin()
        return RawResponse(response)


def test_chunks_make_a_form_as_well(world):
    body = (person(email()) + END).encode()
    answer = world.call("POST", "/users", headers={"Content-Type": TYPE},
                        data=iter([body[i:i + 7]
                                   for i in range(0, len(body), 7)]))
    check(answer)
    assert answer.status_code == 200
