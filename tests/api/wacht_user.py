# SPDX-License-Identifier: MIT
"""A user as the Wacht dialect sees it: a client that holds every answer
against spec/wacht.md §1, and rows that no call of this API makes."""
import re
import time
import uuid

import requests

from harness import SourceAddress, done, loopback_address

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


class Wacht:
    def __init__(self, instance, token):
        self.url = instance.url + "/wacht"
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.mount("http://", SourceAddress(loopback_address()))
        if token is not None:
            self.session.headers["Authorization"] = "Bearer " + token

    def __call__(self, method, path, body=None, **kwargs):
        if body is not None:
            kwargs["json"] = body
        response = self.session.request(method, self.url + path, timeout=30,
                                        **kwargs)
        check(response)
        return response

    def ok(self, method, path, body=None, **kwargs):
        response = self(method, path, body, **kwargs)
        assert response.status_code == 200, response.text
        return response.json()

    def refused(self, status, method, path, body=None, **kwargs):
        response = self(method, path, body, **kwargs)
        assert response.status_code == status, response.text
        return response.json()

    def list(self, path):
        answer = self.ok("GET", path)
        n = len(answer["data"])
        assert answer == {"data": answer["data"], "total": n, "limit": n,
                          "offset": 0, "has_more": False}
        return answer["data"]


def check(response):
    headers = response.headers
    assert headers["Content-Type"].startswith("application/json")
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    body = response.json()
    if response.status_code == 200:
        return
    assert response.status_code >= 400, response.text
    assert body["errors"] and all(
        set(e) == {"message", "code"} and e["code"] == response.status_code
        for e in body["errors"]), body
    assert body["message"] == ", ".join(e["message"] for e in body["errors"])


class User:
    """A user of a tenant, its path, and what only SQL can give it."""

    def __init__(self, tenant, member=None):
        self.tenant = tenant
        self.instance = tenant.instance
        self.member = member or tenant.member()
        self.id = self.member.id
        self.path = "/users/" + self.id

    def _insert(self, table, **columns):
        row = {"id": uuid.uuid4().hex, **columns}
        now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
        for name in ("created_at", "updated_at"):
            row.setdefault(name, now)
        binary = {"id", "tenant_id", "user_id", "email_id", "credential_id",
                  "public_key", "token_hash"}
        row.update(tenant_id=self.tenant.id.replace("-", ""),
                   user_id=self.id.replace("-", ""))
        values = ", ".join(
            "NULL" if v is None else
            f"X'{v}'" if k in binary else
            str(v) if isinstance(v, int) else f"'{v}'"
            for k, v in row.items())
        self.instance.sql(
            f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})")
        return str(uuid.UUID(row["id"]))

    def connection(self, **columns):
        return self._insert("user_connection", **{
            "provider": "github_oauth", "email": "me@example.org",
            **columns})

    def passkey(self, **columns):
        return self._insert("user_passkey", **{
            "name": "a key", "credential_id": "0102", "public_key": "0304",
            **columns})

    def session(self, expires_in=3600, **columns):
        def at(seconds):
            return time.strftime("%Y-%m-%d %H:%M:%S",
                                 time.gmtime(time.time() + seconds))
        return self._insert("session", **{
            "token_hash": uuid.uuid4().hex * 2, "address": "192.0.2.7",
            "user_agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0",
            "expires_at": at(expires_in), "last_active_at": at(0),
            **columns})


def key_of(tenant, scope="full"):
    return done(tenant.admin.client.post("/api-keys", {
        "name": "wacht", "scope": scope}), 201)["key"]
