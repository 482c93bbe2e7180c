# SPDX-License-Identifier: MIT
"""The ways of putting WUTS behind an nginx, each made of the templates as
doc/nginx.md says: below a path of another site, behind a proxy, with rate
limits, with TLS; and the On-Premises dialect as doc/onprem.md says."""
import os
import socket
import subprocess

import pytest
import requests

import document
from front import make_certificate
from harness import (SOURCE, Tenant, check_envelope, done, free_port, refused,
                     unique, wait_for)

NGINX = """{user}
daemon off;
worker_processes 1;
pid {work}/pid;
error_log {work}/error.log;
events {{ worker_connections 256; }}
http {{
	access_log off;
	large_client_header_buffers 4 8k;
{temp}
	include {work}/*.http;
}}
"""


def template(name, **values):
    text = (SOURCE / "nginx" / name).read_text()
    for placeholder, value in values.items():
        text = text.replace(f"@{placeholder}@", str(value))
    return text


class Site:
    """One nginx. files: what stands beside its nginx.conf; those named *.http
    are inside http { }."""

    def __init__(self, work, *ports, **files):
        port = ports[0]
        self.url = f"http://127.0.0.1:{port}"
        for name, text in files.items():
            (work / name.replace("__", "-").replace("_", ".")).write_text(text)
        temp = "".join(f"\t{kind}_temp_path {work}/{kind};\n" for kind in
                       ("client_body", "fastcgi", "proxy", "scgi", "uwsgi"))
        (work / "nginx.conf").write_text(NGINX.format(
            user="user root;" if os.geteuid() == 0 else "", work=work,
            temp=temp))
        command = ["nginx", "-p", str(work), "-c", str(work / "nginx.conf")]
        env = dict(os.environ, TZ="UTC",
                   PATH=os.environ["PATH"] + ":/usr/sbin")
        tested = subprocess.run(command + ["-t"], env=env, text=True,
                                capture_output=True, timeout=30)
        assert tested.returncode == 0, tested.stderr
        self.process = subprocess.Popen(command, env=env,
                                        stderr=subprocess.DEVNULL)
        wait_for("nginx", lambda: all(map(self.listens, ports)))

    @staticmethod
    def listens(port):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            return False
        return True

    def stop(self):
        self.process.terminate()
        self.process.wait(60)


@pytest.fixture
def start(tmp_path):
    """Start a site; files as Site takes them."""
    sites = []

    def start(*ports, **files):
        sites.append(Site(tmp_path, *ports, **files))
        return sites[-1]

    yield start
    for site in sites:
        site.stop()


def main_site(wuts, port):
    return template("wuts.conf.in", LISTEN=f"127.0.0.1:{port}",
                    SERVER_NAME="localhost",
                    SOCKET=wuts.sockets / "wutsd.sock")


def ask(site, path, token=None, method="GET", **kwargs):
    headers = kwargs.pop("headers", {})
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    return requests.request(method, site.url + path, headers=headers,
                            timeout=30, **kwargs)


# --- below a path -----------------------------------------------------------

@pytest.fixture
def below(wuts, start):
    port = free_port()
    server = f"""
server {{
	listen 127.0.0.1:{port};
	error_page 404 /own-404;
	location / {{ return 200 "my own site"; }}
	location = /own-404 {{ return 200 "my own 404"; }}
	{template("wuts-subpath.conf.in", PATH="/whatsapp")}
}}
"""
    return start(port, wuts_http=main_site(wuts, free_port()),
                 zz1_http=template("wuts-subpath-http.conf.in",
                                   PATH="/whatsapp"),
                 zz2_http=server)


def test_wuts_stands_below_a_path_of_another_site(wuts, below):
    assert done(ask(below, "/whatsapp/healthz"))["status"] == "up"
    tenant = wuts.tenant()
    member = tenant.member()
    path = f"/whatsapp/users/{member.id}"
    assert done(ask(below, path, tenant.admin.token))["data"]["id"] == \
        member.id
    assert done(ask(below, "/whatsapp/users?limit=1", tenant.admin.token)
                )["next_cursor"]
    assert done(ask(below, path, tenant.admin.token, "PUT",
                    json={"role": "manager"}))["success"]
    for other in "/", "/whatsappe/healthz", "/healthz":
        assert ask(below, other).text == "my own site"


def test_errors_below_the_path_are_in_the_dialects_words(below):
    refused(ask(below, "/whatsapp/nothing"), 404, "NOT_FOUND")
    refused(ask(below, "/whatsapp/users"), 401, "UNAUTHORIZED")
    refused(ask(below, "/whatsapp/register", "x", "POST",
                data=b"x" * (10 << 20)), 413, "PAYLOAD_TOO_LARGE")


def test_without_wutsd_the_path_answers_503(wuts, start, tmp_path):
    port = free_port()
    gone = template("wuts.conf.in", LISTEN=f"127.0.0.1:{free_port()}",
                    SERVER_NAME="localhost", SOCKET=tmp_path / "gone")
    site = start(port, wuts_http=gone, zz1_http=template(
        "wuts-subpath-http.conf.in", PATH="/w"), zz2_http=f"""
server {{
	listen 127.0.0.1:{port};
	{template("wuts-subpath.conf.in", PATH="/w")}
}}
""")
    answer = ask(site, "/w/healthz")
    refused(answer, 503, "SERVICE_UNAVAILABLE")
    check_envelope(answer)


# --- behind a proxy ---------------------------------------------------------

def addresses(wuts, site, forwarded, proxies_answer):
    """The address in the audit trail of a request that came with it."""
    tenant = Tenant(wuts)
    request = unique("real")
    done(ask(site, "/users", tenant.admin.token, "POST", headers={
        "X-Forwarded-For": forwarded, "X-Request-Id": request}, json={
        "email": "a@b.example", "password": "longenough"}), 201)
    (entry,) = [e for e in done(tenant.admin.client.get("/audit"))["entries"]
                if e["request_id"] == request]
    assert entry["address"] == proxies_answer


@pytest.mark.parametrize("proxies, expected", [
    ("127.0.0.0/8", "203.0.113.9"), ("192.0.2.1", "127.0.0.1")])
def test_a_proxys_word_counts_only_where_it_is_trusted(wuts, start, proxies,
                                                       expected):
    port = free_port()
    site = start(port, wuts_http=main_site(wuts, port), wuts__realip_conf=(
        template("wuts-realip.conf.in", PROXIES=proxies)))
    addresses(wuts, site, "203.0.113.9", expected)
    # the client's own claim is further left than the proxy's
    addresses(wuts, site, "198.51.100.1, 203.0.113.9", expected)


# --- rate limits ------------------------------------------------------------

def test_a_client_over_the_limit_is_refused_in_the_dialects_words(wuts,
                                                                  start):
    port = free_port()
    limits = template("wuts-limits-http.conf").replace("rate=50r/s",
                                                       "rate=1r/m")
    limited = limits.replace("127.0.0.1/32	0;", "")
    assert limited != limits
    site = start(port, a_http=limited, wuts_http=main_site(wuts, port),
                 wuts__limits_conf=template("wuts-limits.conf").replace(
                     "burst=100", "burst=2"))
    statuses = [ask(site, "/healthz").status_code for _ in range(3)]
    assert statuses == [200, 200, 200]
    for path in "/healthz", "/users", "/nothing":
        answer = ask(site, path)
        refused(answer, 429, "RATE_LIMITED")
        check_envelope(answer)
    answer = ask(site, "/v1/health")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == \
        (429, 1015)
    assert ask(site, "/wacht/users").json()["errors"][0]["code"] == 429


def test_who_is_exempt_from_the_limit_is_not_held_up(wuts, start):
    port = free_port()
    site = start(port, a_http=template("wuts-limits-http.conf").replace(
        "rate=50r/s", "rate=1r/m"), wuts_http=main_site(wuts, port),
        wuts__limits_conf=template("wuts-limits.conf").replace(
            "burst=100", "burst=1"))
    assert {ask(site, "/healthz").status_code for _ in range(8)} == {200}


def test_an_on_premises_client_over_the_limit_is_told_in_its_words(
        wuts, start, tmp_path):
    """Also where the engine would answer: it is never asked."""
    port = free_port()
    shared = main_site(wuts, port).replace(
        "	location / {", f"""
	set $wuts_onprem_tenant "";
	include {tmp_path}/share/wuts-onprem-v1.conf;
	location / {{""", 1)
    share(tmp_path)
    site = start(
        port, wuts_http=shared,
        a_http=template("wuts-limits-http.conf").replace("rate=50r/s",
                                                         "rate=1r/m")
        .replace("127.0.0.1/32	0;", "") + template(
            "wuts-onprem-http.conf"),
        wuts__limits_conf=template("wuts-limits.conf").replace(
            "burst=100", "burst=1"),
        wuts__onprem__engine_conf=(
            tmp_path / "share/wuts-onprem-engine.conf.in").read_text()
        .replace("@ENGINE_URL@", "http://127.0.0.1:1")
        .replace("include @ENGINE_TOKEN_FILE@;", ""))
    assert 429 not in [ask(site, "/v1/health").status_code for _ in range(2)]
    for method, path in (("GET", "/v1/health"), ("POST", "/v1/messages"),
                         ("POST", "/v1/media"), ("GET", "/v1/nothing")):
        answer = ask(site, path, method=method)
        assert answer.status_code == 429, answer.text
        assert answer.json()["errors"] == [{
            "code": 1015, "title": "Too many requests",
            "details": "too many requests"}], path


# --- doc/onprem.md, to the letter ---

def share(tmp_path):
    """What is installed as /usr/share/wuts/nginx."""
    to = tmp_path / "share"
    to.mkdir()
    for path in (SOURCE / "nginx").glob("wuts*"):
        (to / path.name).write_text(path.read_text().replace(
            "/usr/share/wuts/nginx", str(to)))


def test_the_document_leads_to_a_server_of_the_on_premises_dialect(
        wuts, start, tmp_path):
    share(tmp_path)
    tenant, port = wuts.tenant(), free_port()
    assert wuts.ctl("onprem", "enable", tenant.name).returncode == 0
    make_certificate(tmp_path, "authority")
    make_certificate(tmp_path, "wa", "authority")

    def follow(text):
        for old, new in (("nginx -t && nginx -s reload", ""),
                         ("/usr/share/wuts/nginx", f"{tmp_path}/share"),
                         ("/etc/nginx/conf.d/wuts-onprem.conf",
                          f"{tmp_path}/zz.http"),
                         ("/etc/nginx", str(tmp_path)),
                         ("/etc/ssl", str(tmp_path)),
                         ("9090", f"127.0.0.1:{port}"),
                         ("|acme|", f"|{tenant.name}|"),
                         ("http://127.0.0.1:8090", "http://127.0.0.1:1")):
            text = text.replace(old, new)
        return text

    for beginning in "sed -e 's|@LISTEN@", "sed -e 's|@ENGINE_URL@":
        subprocess.run(["sh", "-ec", follow(document.block(
            "onprem.md", "## nginx", beginning))], check=True, timeout=30)
    site = start(port, wuts_http=main_site(wuts, free_port()),
                 y_http=follow(document.block("onprem.md", "## nginx",
                                              "include ")),
                 wuts__realip_conf=template("wuts-realip.conf.in",
                                            PROXIES="127.0.0.0/8"))
    site.url = f"https://127.0.0.1:{port}"
    trusted = str(tmp_path / "authority.pem")
    answer = ask(site, "/v1/users/login", method="POST", verify=trusted,
                 headers={"X-Forwarded-For": "203.0.113.77"},
                 auth=("admin", "secret"), json={"new_password": "Passw0rd!"})
    assert answer.status_code == 200, answer.text
    token = answer.json()["users"][0]["token"]
    entry = done(tenant.admin.client.get("/audit"))["entries"][0]
    assert entry["address"] == "203.0.113.77"
    answer = ask(site, "/v1/messages", token, "POST", verify=trusted)
    assert answer.json()["errors"][0]["details"].startswith(
        "Connection timed out")


# --- TLS --------------------------------------------------------------------

def test_the_tls_example_serves(wuts, start, tmp_path):
    make_certificate(tmp_path, "authority")
    make_certificate(tmp_path, "good", "authority")
    port, tls_port = free_port(), free_port()
    site = start(port, tls_port, wuts_http=main_site(
        wuts, port), wuts__tls_conf=(template("wuts-tls.conf.in", TLS_LISTEN=f"127.0.0.1:{tls_port}",
                 CERTIFICATE=tmp_path / "good.pem",
                 KEY=tmp_path / "good.key")))
    site.url = f"https://127.0.0.1:{tls_port}"
    assert done(ask(site, "/healthz", verify=str(
        tmp_path / "authority.pem")))["status"] == "up"
    old = subprocess.run(
        ["curl", "-s", "-k", "--tlsv1.1", "--tls-max", "1.1",
         site.url + "/healthz"], capture_output=True, timeout=30)
    assert old.returncode == 35 and old.stdout == b""
