# SPDX-License-Identifier: MIT
"""An nginx made of the templates as they are shipped, with servers of the
On-Premises dialect, and an engine behind it that records what it gets."""
import base64
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile

import pytest

import engine as simulation
from harness import (RawResponse, SOURCE, free_port, loopback_address,
                     wait_for)

# --- nginx, made of the templates -------------------------------------------

class Server:
    """One server block. Keeps a connection, as clients do."""

    def __init__(self, port):
        self.port = port
        self.address = loopback_address()
        self.connection = None

    def elsewhere(self):
        """For a client whose failures shall not count against the others."""
        return Server(self.port)

    def request(self, method, target, token=None, body=None, headers=(),
                scheme="Bearer "):
        """Target, headers and body go out as they are; a body of pieces goes
        out in chunks."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection(
                "127.0.0.1", self.port, timeout=30,
                source_address=(self.address, 0))
        connection = self.connection
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        if token is not None:
            connection.putheader("Authorization", scheme + token)
        is_whole = isinstance(body, bytes)
        if is_whole:
            connection.putheader("Content-Length", str(len(body)))
        elif body is not None:
            connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders(body, encode_chunked=not is_whole)
        response = connection.getresponse()
        answer = RawResponse(response)
        answer.all_headers = response.getheaders()
        if response.will_close:
            self.close()
        return answer

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def raw(self, data):
        """The answer to these bytes."""
        with socket.create_connection(("127.0.0.1", self.port), 30,
                                      (self.address, 0)) as s:
            s.sendall(data)
            response = http.client.HTTPResponse(s)
            response.begin()
            answer = RawResponse(response)
            answer.all_headers = response.getheaders()
            return answer


class Front:
    """own, other: servers of the dialect's own, for two tenants; shared: the
    WUTS site with /v1/ in it; bare: without an engine; stray: of a tenant that
    does not exist; orphan: without wutsd; any: for the tenant that
    X-Test-Tenant names. The engine has a second to answer other."""

    def __init__(self, work, wuts, tenants, engine_path):
        self.work = work
        self.socket = wuts.sockets / "wutsd.sock"
        (work / "logs").mkdir()
        self.place("templates", "wuts", engine_path)
        self.place("hasty", "wuts", engine_path, "1s")
        self.place("lonely", "wuts_gone", engine_path)
        names = ("own", "other", "shared", "bare", "stray", "orphan", "any")
        for name in names:
            setattr(self, name, Server(free_port()))
        (work / "nginx.conf").write_text(self.config(tenants))
        env = dict(os.environ, TZ="UTC",
                   PATH=os.environ["PATH"] + ":/usr/sbin")
        command = ["nginx", "-p", str(work), "-c", str(work / "nginx.conf")]
        tested = subprocess.run(command + ["-t"], env=env, text=True,
                                capture_output=True, timeout=30)
        assert tested.returncode == 0, tested.stderr
        self.process = subprocess.Popen(command, env=env,
                                        stderr=subprocess.DEVNULL)
        wait_for("nginx", lambda: all(
            self.answers(getattr(self, name)) for name in names))

    def place(self, name, upstream, engine_path, patience="30s"):
        """The templates, filled in as an operator does."""
        to = self.work / name
        to.mkdir()
        for template in (SOURCE / "nginx").glob("wuts*.conf*"):
            text = template.read_text()
            for old, new in (
                    ("/usr/share/wuts/nginx", str(to)),
                    ("@ENGINE_URL@", f'"http://unix:{engine_path}"'),
                    ("@ENGINE_TOKEN_FILE@", str(self.work / "token.conf")),
                    ("unix:@SOCKET@", f'"unix:{self.socket}"'),
                    ("include wuts-onprem-engine.con[f]",
                     f"include {to}/wuts-onprem-engine.conf.in"),
                    ("fastcgi_pass wuts;", f"fastcgi_pass {upstream};"),
                    ("proxy_read_timeout 30s",
                     f"proxy_read_timeout {patience}")):
                text = text.replace(old, new)
            (to / template.name).write_text(text)
        (self.work / "token.conf").write_text(
            'proxy_set_header Authorization "Bearer engines-own-token";\n')

    def site(self, template, server, tenant="", where="templates"):
        text = (self.work / where / template).read_text()
        return text.replace("@LISTEN@", f"127.0.0.1:{server.port}") \
            .replace("@SERVER_NAME@", "localhost") \
            .replace("@TENANT@", tenant)

    def config(self, tenants):
        shared = self.site("wuts.conf.in", self.shared).replace(
            "	location / {", f"""
	set $wuts_onprem_tenant "{tenants[0].name}";
	include {self.work}/templates/wuts-onprem-v1.conf;
	location / {{""", 1)
        bare = re.sub(r"\tinclude \S*wuts-onprem-engine.*", "", self.site(
            "wuts-onprem.conf.in", self.bare, tenants[0].name))
        temp = "".join(f"\t{kind}_temp_path {self.work}/{kind};\n" for kind in
                       ("client_body", "fastcgi", "proxy", "scgi", "uwsgi"))
        user = "user root;" if os.geteuid() == 0 else ""
        return f"""
{user}
daemon off;
worker_processes 1;
pid {self.work}/pid;
error_log {self.work}/logs/error.log;
events {{ worker_connections 256; }}
http {{
	access_log off;
	keepalive_requests 100000;
	keepalive_timeout 1h;
	large_client_header_buffers 4 8k;
{temp}
	upstream wuts_gone {{ server unix:{self.work}/nobody.sock; }}
	{shared}
	include templates/wuts-onprem-http.conf;
	{self.site("wuts-onprem.conf.in", self.own, tenants[0].name)}
	{self.site("wuts-onprem.conf.in", self.other, tenants[1].id, "hasty")}
	{bare}
	{self.site("wuts-onprem.conf.in", self.stray, "nobody")}
	{self.site("wuts-onprem.conf.in", self.any, "$http_x_test_tenant")}
	{self.site("wuts-onprem.conf.in", self.orphan, "", "lonely")}
}}
"""

    @staticmethod
    def answers(server):
        try:
            socket.create_connection(("127.0.0.1", server.port), 1).close()
        except OSError:
            return False
        return True

    def stop(self):
        for server in vars(self).values():
            if isinstance(server, Server):
                server.close()
        self.process.terminate()
        self.process.wait(60)


PASSWORDS = {"admin": "New-Secret:1", "jdoe01": "Other#Secret2"}


@pytest.fixture(scope="module")
def houses(wuts):
    """Two tenants that speak the dialect. front logs their accounts in."""
    houses = [wuts.tenant(), wuts.tenant()]
    for house in houses:
        enabled = wuts.ctl("onprem", "enable", house.name)
        assert enabled.returncode == 0, enabled.stderr
    return houses


def log_in(server, username, password, body=b""):
    """A token, of the original's shape and by its rules."""
    basic = base64.b64encode(f"{username}:{password}".encode()).decode()
    answer = server.request("POST", "/v1/users/login", basic, body,
                            scheme="Basic ")
    assert answer.status_code == 200, answer.text
    return answer.json()["users"][0]["token"]


def make_accounts(house, server):
    """tokens: of admin, past its first log-in, and of an account of no
    rights."""
    admin = log_in(server, "admin", "secret", json.dumps(
        {"new_password": PASSWORDS["admin"]}).encode())
    made = server.request("POST", "/v1/users", admin, json.dumps(
        {"username": "jdoe01", "password": PASSWORDS["jdoe01"]}).encode())
    assert made.status_code == 201, made.text
    house.tokens = {"admin": admin, "any": log_in(
        server, "jdoe01", PASSWORDS["jdoe01"])}


@pytest.fixture(scope="module")
def engine(tmp_path_factory, wuts):
    path = pathlib.Path(tempfile.mkdtemp(prefix="wuts-e-"))
    running = simulation.Engine(path / "engine", wuts.url, "engines-own-token")
    yield running
    running.close()
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def front(tmp_path_factory, wuts, houses, engine):
    front = Front(tmp_path_factory.mktemp("front"), wuts, houses, engine.path)
    make_accounts(houses[0], front.own)
    make_accounts(houses[1], front.other)
    yield front
    front.stop()


NEW_PASSWORD = "Changed-1"


class Site:
    """A tenant's server, as the clients of one address see it."""

    def __init__(self, front, tenant):
        self.tenant = tenant
        self.server = front.any.elsewhere()
        self.token = None	# used where none is given

    def call(self, method, path, body=..., data=None, token=..., headers=(),
             scheme="Bearer "):
        """body: what becomes JSON; data: bytes as they are."""
        if body is not ...:
            data = json.dumps(body).encode()
        return self.server.request(
            method, "/v1" + path, self.token if token is ... else token,
            data, [("X-Test-Tenant", self.tenant.id), *headers], scheme)

    def login(self, username, password, body=..., **kwargs):
        return self.call("POST", "/users/login", body, scheme="Basic ",
                         token=base64.b64encode(
                             f"{username}:{password}".encode()).decode(),
                         **kwargs)

    def session(self, username, password, body=...):
        """The token of a log-in that works."""
        return session_of(self.login(username, password, body))["token"]

    def first_login(self):
        self.token = self.session("admin", "secret",
                                  {"new_password": NEW_PASSWORD})
        return self

    def user(self, username="jdoe01", password="Passw0rd!"):
        """A new account's token."""
        done(self.call("POST", "/users", {
            "username": username, "password": password}), 201)
        return self.session(username, password)

    def elsewhere(self):
        """The same from another address."""
        other = Site.__new__(Site)
        other.__dict__ = dict(self.__dict__, server=self.server.elsewhere())
        return other


def enabled_tenant(wuts):
    tenant = wuts.tenant()
    enabled = wuts.ctl("onprem", "enable", tenant.id)
    assert enabled.returncode == 0, enabled.stderr
    return tenant


@pytest.fixture
def fresh(wuts, front):
    """A tenant whose `admin` has never logged in."""
    return Site(front, enabled_tenant(wuts))


@pytest.fixture(scope="module")
def site(wuts, front):
    """A tenant that the tests of a module share, with the admin's token."""
    return Site(front, enabled_tenant(wuts)).first_login()


# --- what an answer of the dialect's looks like -----------------------------

def refused(answer, status, code, details=None, asks="Bearer"):
    """The envelope of spec/onprem.md §1.4, and nothing else."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert set(body) == {"errors", "meta"}, body
    (error,) = body["errors"]
    assert set(error) == {"code", "title", "details"}
    assert error["code"] == code, body
    assert error["title"] and error["details"]
    assert details is None or error["details"] == details
    assert set(body["meta"]) == {"api_status", "version"}
    assert body["meta"]["api_status"] == "stable"
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-cache, private"
    names = [name.lower() for name, _ in answer.all_headers]
    assert len(names) == len(set(names)), names
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])
    assert not [name for name in names if name.startswith("x-wuts")]
    if status == 401:
        assert answer.headers["WWW-Authenticate"] == asks
    return body


def done(answer, status=200):
    """What an answer holds besides meta."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    meta = body.pop("meta")
    assert meta == {"api_status": "stable", "version": meta["version"]}
    assert meta["version"].startswith("v") and "errors" not in body
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-cache, private"
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])
    return body


def session_of(answer):
    (user,) = done(answer)["users"]
    assert set(user) == {"token", "expires_after"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00:00",
                        user["expires_after"])
    return user
