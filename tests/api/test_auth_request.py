# SPDX-License-Identifier: MIT
"""GET /auth, by itself and as nginx's auth_request asks it: an nginx of its own
guards a server of its own with the snippet that is shipped."""
import http.server
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading
import uuid

import pytest
import requests

import harness
from harness import free_port, loopback_address, refused, wait_for


@pytest.fixture(scope="module")
def house(wuts):
    house = wuts.tenant()
    house.manager, house.user = house.member("manager"), house.member()
    house.device = house.user.device()
    return house


def identity(headers):
    """The headers that say who it is; the names of those that are there."""
    return {name[7:].lower(): value for name, value in headers.items()
            if name.lower().startswith("x-wuts-")}


# --- the endpoint ---

def test_it_says_who_asks(wuts, house):
    device = f"/auth?device_id={house.device}"
    for client, user, role in (
            (house.user.client, house.user.id, "user"),
            (house.manager.client, house.manager.id, "manager"),
            (house.admin.client, house.admin.id, "admin"),
            (house.key("read"), None, "admin")):
        who = {"tenant": house.id, "role": role}
        if user:
            who["user"] = user
        response = client.get("/auth")
        assert response.status_code == 204
        assert identity(response.headers) == who
        response = client.get(device)
        assert response.status_code == 204
        assert identity(response.headers) == {**who, "device": house.device}
        assert identity(client.get("/auth?device_id=").headers) == who
    assert identity(wuts.master().get("/auth").headers) == {
        "role": "super_admin"}
    assert identity(wuts.master().get(device).headers) == {
        "role": "super_admin", "tenant": house.id, "device": house.device}


def test_every_refusal_is_401_or_403(wuts, house):
    """nginx would make a 500 of anything else."""
    client = house.member().client
    refused(wuts.client().get("/auth"), 401, "UNAUTHORIZED")
    refused(wuts.client(str(uuid.uuid4())).get("/auth"), 401, "UNAUTHORIZED")
    refused(wuts.engine().get("/auth"), 403, "FORBIDDEN")
    for device in house.device, uuid.uuid4(), "x", "-":
        refused(client.get(f"/auth?device_id={device}"), 403, "FORBIDDEN")


def test_a_key_that_may_only_read_is_held_to_that(house):
    reader = house.key("read")
    for method in "GET", "HEAD", "OPTIONS":
        assert reader.get(f"/auth?method={method}").status_code == 204
    for method in "POST", "PUT", "DELETE", "PATCH", "get", "":
        refused(reader.get(f"/auth?method={method}"), 403, "FORBIDDEN")
        assert house.key().get(f"/auth?method={method}").status_code == 204


def test_guessing_ends_in_403(wuts):
    address = loopback_address()
    statuses = [wuts.client(str(uuid.uuid4()), address=address).get(
        "/auth").status_code for _ in range(22)]
    assert statuses == [401] * 20 + [403] * 2


# --- in nginx ---

SITE = """
daemon off;
worker_processes 1;
{user}
pid {dir}/nginx.pid;
error_log {dir}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {dir}/body;
    fastcgi_temp_path {dir}/fastcgi;
    proxy_temp_path {dir}/proxy;
    scgi_temp_path {dir}/scgi;
    uwsgi_temp_path {dir}/uwsgi;
    upstream wuts {{ server "unix:{socket}"; keepalive 4; }}
    map $http_x_request_id $wuts_request_id {{ default $request_id; }}
    server {{
        listen 127.0.0.1:{port};
        include {source}/nginx/wuts-auth.conf;
        location / {{
            auth_request /.wuts-auth;
            auth_request_set $wuts_tenant $upstream_http_x_wuts_tenant;
            auth_request_set $wuts_device $upstream_http_x_wuts_device;
            auth_request_set $wuts_user $upstream_http_x_wuts_user;
            proxy_set_header X-WUTS-Tenant $wuts_tenant;
            proxy_set_header X-WUTS-Device $wuts_device;
            proxy_set_header X-WUTS-User $wuts_user;
            proxy_set_header Authorization "";
            proxy_pass http://127.0.0.1:{guarded};
        }}
    }}
}}
"""


@pytest.fixture(scope="module")
def guarded():
    """A server that knows nothing of WUTS and repeats what it is told."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            self.send_response(200)
            for name, value in self.headers.items():
                self.send_header("Got-" + name, value)
            self.send_header("Got-Request", f"{self.command} {self.path}")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever,
                              kwargs={"poll_interval": 0.05})
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def site_answers(url, process):
    assert process.poll() is None, "nginx has ended"
    try:
        return requests.get(url, timeout=5) is not None
    except requests.ConnectionError:
        return False


@pytest.fixture(scope="module")
def site(wuts, guarded):
    nginx = shutil.which("nginx")
    built = subprocess.run([nginx, "-V"], capture_output=True, text=True)
    if "http_auth_request_module" not in built.stderr:
        pytest.skip("this nginx has no auth_request")
    with tempfile.TemporaryDirectory(prefix="wuts-test-") as dir:
        port = free_port()
        config = pathlib.Path(dir) / "nginx.conf"
        config.write_text(SITE.format(
            dir=dir, port=port, guarded=guarded, source=harness.SOURCE,
            socket=wuts.sockets / "wutsd.sock",
            user="user root;" if os.geteuid() == 0 else ""))
        process = subprocess.Popen([nginx, "-p", dir, "-c", config])
        url = f"http://127.0.0.1:{port}"
        try:
            wait_for("nginx", lambda: site_answers(url, process))
            yield url
        finally:
            process.terminate()
            process.wait(60)


def ask(site, client, method="GET", path="/", **kwargs):
    headers = {"Authorization": "Bearer " + client.token} \
        if client.token else {}
    headers.update(kwargs.pop("headers", {}))
    with requests.Session() as session:
        session.mount("http://", harness.SourceAddress(loopback_address()))
        return session.request(method, site + path, headers=headers,
                               timeout=30, **kwargs)


def test_who_has_a_token_gets_through(site, wuts, house):
    response = ask(site, house.user.client, "POST",
                   f"/a%20b?device_id={house.device}&x=1", data=b"as it was",
                   headers={"X-WUTS-Tenant": "forged", "X-WUTS-User": "me"})
    assert (response.status_code, response.content) == (200, b"as it was")
    got = {name[4:].lower(): value for name, value in
           response.headers.items() if name.lower().startswith("got-")}
    assert got["request"] == f"POST /a%20b?device_id={house.device}&x=1"
    assert (got["x-wuts-tenant"], got["x-wuts-device"],
            got["x-wuts-user"]) == (house.id, house.device, house.user.id)
    assert house.user.token not in str(got)


def test_who_has_none_does_not(site, wuts, house):
    assert ask(site, wuts.client()).status_code == 401
    assert ask(site, wuts.client(str(uuid.uuid4()))).status_code == 401
    assert ask(site, wuts.engine()).status_code == 403
    foreign = wuts.tenant().admin.client
    for device in house.device, "x", "%00", "%zz", "%26method=GET":
        assert ask(site, foreign,
                   path=f"/?device_id={device}").status_code == 403
    assert ask(site, foreign).status_code == 200


def test_a_reading_key_reads_and_no_more(site, house):
    reader = house.key("read")
    assert ask(site, reader).status_code == 200
    for path in "/", "/?method=GET":
        assert ask(site, reader, "POST", path).status_code == 403
