# SPDX-License-Identifier: MIT
"""Receivers behind TLS: certificates, and an nginx that has them."""
import os
import shutil
import socket
import subprocess

from harness import free_port, wait_for


def openssl(directory, *args):
    subprocess.run(["openssl", *args], cwd=directory, check=True,
                   stdin=subprocess.DEVNULL, capture_output=True)


def make_certificate(directory, name, issuer=None, options=()):
    """name.key and name.pem for 127.0.0.1; an authority without issuer."""
    new = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
           "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key"]
    if issuer is None:
        openssl(directory, *new, "-x509", "-days", "2", *options,
                "-out", f"{name}.pem")
        return
    openssl(directory, *new, "-out", f"{name}.csr")
    (directory / "san").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl(directory, "x509", "-req", "-in", f"{name}.csr", "-days", "2",
            "-CA", f"{issuer}.pem", "-CAkey", f"{issuer}.key",
            "-CAcreateserial", "-extfile", "san", "-out", f"{name}.pem")


class Front:
    """An nginx that ends TLS before a receiver: one server with HTTP/2, one
    without, one with a certificate that nobody has reason to trust."""

    SERVERS = {"h2": ("http2", "good"), "h1": ("", "good"),
               "untrusted": ("", "bad")}

    def __init__(self, directory, receiver, servers=None):
        self.directory = directory
        self.servers = servers or self.SERVERS
        self.ports = {name: free_port() for name in self.servers}
        servers = "".join(f"""
    server {{
        listen 127.0.0.1:{self.ports[name]} ssl {how};
        ssl_certificate {directory}/{certificate}.pem;
        ssl_certificate_key {directory}/{certificate}.key;
        location / {{
            proxy_pass {receiver.url};
            proxy_set_header X-Front "$server_protocol $connection";
        }}
    }}""" for name, (how, certificate) in self.servers.items())
        user = "user root;" if os.getuid() == 0 else ""
        (directory / "nginx.conf").write_text(f"""
{user}
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/nginx.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_max_body_size 9m;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
{servers}
}}
""")
        self.process = subprocess.Popen(
            [shutil.which("nginx"), "-p", directory, "-c",
             directory / "nginx.conf"], stderr=subprocess.DEVNULL)
        wait_for("nginx", lambda: self.answers())

    def answers(self):
        for port in self.ports.values():
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) != 0:
                    return False
        return True

    def url(self, name, hook):
        path = hook.url.split("/", 3)[3]
        return f"https://127.0.0.1:{self.ports[name]}/{path}"

    def close(self):
        self.process.terminate()
        self.process.wait(60)
