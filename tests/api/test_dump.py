# SPDX-License-Identifier: MIT
"""Who steals the database, the queue or the logs has no token, no API key, no
password, no webhook's secret and no value of its headers: not as it is, not
encoded, not as a plain hash that could be looked up or guessed."""
import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import uuid

import pytest

from harness import done, is_uuid, unique

PASSWORD = "Only-this-test's pässword " + uuid.uuid4().hex


def base64_forms(data):
    """What stands in a base64 text wherever in it data begins: without the
    characters that its neighbours have a part in."""
    for skip in range(3):
        text = base64.b64encode(b"\0" * skip + data)
        start = -(-skip * 4 // 3)
        inner = text[start:len(text.rstrip(b"=")) - 1]
        yield inner
        yield inner.replace(b"+", b"-").replace(b"/", b"_")


def forms(secret):
    """Everything that would give the secret away."""
    raws = {secret}
    if secret.startswith(b"whsec_"):
        raws |= {secret[6:], base64.b64decode(secret[6:])}
    if is_uuid(secret.decode()):
        raws |= {uuid.UUID(secret.decode()).bytes, secret.replace(b"-", b"")}
    if re.fullmatch(b"[0-9a-f]{64}", secret):
        raws.add(bytes.fromhex(secret.decode()))
    for raw in set(raws):
        raws |= {getattr(hashlib, name)(raw).digest()
                 for name in ("md5", "sha1", "sha256", "sha512")}
    for raw in raws:
        yield raw.lower()
        yield raw.hex().encode()
        for form in base64_forms(raw):
            yield form.lower()


class Hay:
    """Bytes to look for secrets in, whatever the case."""

    def __init__(self, **parts):
        self.names = list(parts)
        # In hex, so that it is text with a line a part: one grep finds a
        # thousand forms in no more time than one.
        self.text = b"\n".join(data.rstrip(b"\0").lower().hex().encode()
                               for data in parts.values())

    def find(self, **secrets):
        """Which secrets are found where."""
        whose = {form.hex(): name for name, secret in secrets.items()
                 for form in forms(secret.encode())}
        with tempfile.NamedTemporaryFile("w") as patterns:
            patterns.write("\n".join(whose))
            patterns.flush()
            run = subprocess.run(
                ["grep", "-noF", "-f", patterns.name], input=self.text,
                stdout=subprocess.PIPE, env={**os.environ, "LC_ALL": "C"},
                timeout=300)
        assert run.returncode in (0, 1)
        found = {}
        for line in run.stdout.decode().splitlines():
            number, form = line.split(":")
            found.setdefault(whose[form], set()).add(
                self.names[int(number) - 1])
        return found


def sql(instance, statement):
    """The rows, as tuples of text."""
    run = subprocess.run(
        ["mariadb", "--no-defaults", "--batch", "--skip-column-names",
         "--socket", str(instance.run / "sockets/mariadb.sock"), "wuts"],
        input=statement, check=True, timeout=120, capture_output=True,
        text=True)
    return [tuple(line.split("\t")) for line in run.stdout.splitlines()]


def dump(instance):
    """Every value of every column of every table, a line each."""
    columns = sql(instance, "SELECT table_name, column_name FROM"
                  " information_schema.columns WHERE table_schema = 'wuts'")
    assert {"users", "api_key", "webhook", "audit", "idempotency"} <= \
        {table for table, _ in columns}
    rows = sql(instance, ";\n".join(
        f"SELECT '{table}.{column}', HEX(CAST(`{column}` AS BINARY))"
        f" FROM `{table}` WHERE `{column}` IS NOT NULL"
        for table, column in columns))
    values = {}
    for name, value in rows:
        values.setdefault(name, []).append(bytes.fromhex(value))
    parts = {name: b"\n".join(found) for name, found in values.items()}
    program = shutil.which("mariadb-dump") or shutil.which("mysqldump")
    if program:
        parts["dump"] = subprocess.run(
            [program, "--no-defaults", "--socket",
             str(instance.run / "sockets/mariadb.sock"), "wuts"], check=True,
            timeout=120, capture_output=True).stdout
    return parts


def files(instance, *folders):
    parts = {}
    for folder in folders:
        for path in (instance.run / folder).rglob("*"):
            try:
                if path.is_file():
                    parts[str(path)] = path.read_bytes()
            except FileNotFoundError:
                pass	# the queue lives on meanwhile
    return parts


class Loot:
    """A tenant that has used everything there is a secret in."""

    def __init__(self, wuts, hook):
        self.secrets = {"password": PASSWORD, "master": wuts.master_token,
                        "engine": wuts.engine_token,
                        "installation key": (
                            wuts.run / "secrets/installation.key"
                        ).read_text().strip()}
        self.tenant = tenant = wuts.tenant(password=PASSWORD)
        self.secrets["admin's token"] = tenant.admin.token
        self.client = client = tenant.admin.client
        self.create_users()
        for scope in "full", "read":
            self.secrets[scope + " key"] = done(client.post(
                "/api-keys", {"name": scope, "scope": scope}), 201)["key"]
        device = tenant.admin.device()
        self.hook = hook
        for scope in "scope=tenant", "device_id=" + device:
            self.configure(scope)

    def create_users(self):
        member = self.tenant.member(password=PASSWORD)
        self.secrets["first token"] = member.token
        path = f"/users/{member.id}/token"
        self.secrets["second token"] = done(self.client.post(path))["token"]
        asked = {"Idempotency-Key": unique("dump")}
        self.secrets["third token"] = done(self.client.post(
            path, headers=asked))["token"]
        # What is kept of the request must not make a password easy to guess.
        body = json.dumps({"email": "kept@example.com", "password": PASSWORD,
                           "role": "user"}).encode()
        answer = self.client.post("/users", data=body, headers={
            "Idempotency-Key": unique("dump"),
            "Content-Type": "application/json"})
        self.secrets["kept user's token"] = done(answer, 201)["user"]["token"]
        self.secrets["request"] = body.decode()
        self.secrets["answer"] = answer.text

    def configure(self, scope):
        value = "Bearer " + unique("receiver's token")
        self.secrets["header, " + scope] = value
        settings = {"webhook_url": self.hook.url, "enabled_events": ["*"],
                    "headers": {"Authorization": value}}
        path = "/webhook?" + scope
        self.secrets["given secret, " + scope] = given = unique("our secret")
        assert self.client.post(path, {**settings, "secret": given}).ok
        done(self.client.delete(path))
        made = done(self.client.post(path, settings), 201)["webhook"]
        self.secrets["made secret, " + scope] = made["secret"]


@pytest.fixture(scope="module")
def loot(wuts, receiver):
    loot = Loot(wuts, receiver.hook())
    loot.tenant.member(password=PASSWORD)
    delivery = loot.hook.wait()[0]	# the spooler has read its settings
    assert delivery.headers["authorization"] == \
        loot.secrets["header, scope=tenant"]
    return loot


def test_the_search_finds_what_there_is():
    secret = str(uuid.uuid4())
    data = secret.encode()
    for hidden in (data, data.upper(), uuid.UUID(secret).bytes,
                   hashlib.sha256(data).hexdigest().encode(),
                   base64.b64encode(b"xy" + data + b"z"),
                   base64.urlsafe_b64encode(hashlib.sha1(data).digest()),
                   data.hex().encode()):
        for front in b"", b"a", b"ab":
            hay = Hay(x=b"", y=front + b"-" + hidden + b"-")
            assert hay.find(it=secret) == {"it": {"y"}}
    assert not Hay(x=b"something else").find(it=secret)


def test_the_database_holds_no_secret(wuts, loot):
    hay = Hay(**dump(wuts))
    found = hay.find(id=loot.tenant.admin.id, name=loot.tenant.name)
    assert "users.id" in found["id"] and "tenant.name" in found["name"]
    assert not hay.find(**loot.secrets)


def test_logs_and_queue_hold_no_secret(wuts, loot):
    hay = Hay(**files(wuts, "logs", "queue"))
    assert len(hay.find(id=loot.tenant.admin.id)["id"]) > 1
    assert not hay.find(**loot.secrets)
