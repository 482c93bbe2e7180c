# SPDX-License-Identifier: MIT
"""What the end-to-end tests stand on: a private instance of the whole system
(nginx, wutsd, wuts-spool, MariaDB, by quickstart), a client that checks the
conventions of every answer, a receiver of webhooks, and a verifier of their
signatures written from the public Standard Webhooks specification."""
import base64
import binascii
import dataclasses
import hashlib
import hmac
import http.client
import http.server
import itertools
import json
import os
import pathlib
import random
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import urllib.parse
import uuid

import requests
import requests.adapters
import requests.structures

SOURCE = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("WUTS_BUILD", SOURCE)).resolve()
PASSWORD = "s3nh4-f0rte"

# spec/wuts.md §8
ERROR_CODES = {
    400: {"VALIDATION_ERROR", "INVALID_JSON", "UNKNOWN_EVENT"},
    401: {"UNAUTHORIZED"},
    403: {"FORBIDDEN", "ROLE_TRANSITION_DENIED", "SELF_MODIFICATION"},
    404: {"NOT_FOUND", "USER_NOT_FOUND", "TENANT_NOT_FOUND",
          "DEVICE_NOT_FOUND", "WEBHOOK_NOT_FOUND", "DELIVERY_NOT_FOUND"},
    405: {"METHOD_NOT_ALLOWED"},
    409: {"TENANT_EXISTS", "EMAIL_EXISTS", "LAST_ADMIN",
          "IDEMPOTENCY_IN_FLIGHT"},
    412: {"PRECONDITION_FAILED"},
    413: {"PAYLOAD_TOO_LARGE"},
    415: {"UNSUPPORTED_MEDIA_TYPE"},
    422: {"IDEMPOTENCY_MISMATCH"},
    429: {"RATE_LIMITED"},
    500: {"INTERNAL_ERROR"},
    503: {"SERVICE_UNAVAILABLE", "DEVICE_NOT_READY", "QUEUE_FULL"},
}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def is_uuid(text):
    return isinstance(text, str) and bool(UUID.fullmatch(text))


def is_time(text):
    return isinstance(text, str) and bool(TIME.fullmatch(text))


def wait_for(what, condition, seconds=60):
    """The first true value of condition(); AssertionError past the deadline."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(0.01)


TAKEN = []		# keeps others of these tests off our ports


def free_port():
    """A port to listen on later. No connection has it meanwhile, as it is below
    those that the system gives away, and no other test, as a socket with its
    number in the name, which ends with this process, says whose it is."""
    while True:
        port = random.SystemRandom().randrange(10000, 32000)
        taken, probe = socket.socket(socket.AF_UNIX), socket.socket()
        try:
            taken.bind(f"\0wuts-test-port-{port}")
            probe.bind(("127.0.0.1", port))
        except OSError:
            taken.close()
            continue
        finally:
            probe.close()
        TAKEN.append(taken)
        return port


# --- the system -------------------------------------------------------------

class Instance:
    """A running system. Only one that start() made is stopped by stop()."""

    def __init__(self, settings, env=None, work=None):
        self.url = settings["WUTS_URL"]
        self.onprem_url = settings["WUTS_ONPREM_URL"]
        self.wacht_url = settings["WUTS_WACHT_URL"]
        self.run = pathlib.Path(settings["WUTS_RUN"])
        self.config = pathlib.Path(settings["WUTS_CONFIG"])
        self.master_token = pathlib.Path(
            settings["WUTS_MASTER_TOKEN_FILE"]).read_text().strip()
        self.engine_token = pathlib.Path(
            settings["WUTS_ENGINE_TOKEN_FILE"]).read_text().strip()
        self.engine_socket = settings["WUTS_ENGINE_SOCKET"]
        self.sockets = self.run / "sockets"
        self.env = env
        self.work = work

    @staticmethod
    def read_settings(path):
        lines = pathlib.Path(path).read_text().splitlines()
        return dict(re.fullmatch(r"(?:export )?(\w+)=(['\"]?)(.*)\2",
                                 line).group(1, 3)
                    for line in lines if line and not line.startswith("#"))

    @classmethod
    def running(cls, path):
        """The instance that a quickstart.env describes."""
        return cls(cls.read_settings(path))

    @classmethod
    def start(cls, shards=None, **settings):
        """A private instance below a directory of its own, with these lines
        in its configuration. What the database does in a second elsewhere may
        take longer here, where several suites run at once."""
        settings.setdefault("database_timeout", "15s")
        work = pathlib.Path(tempfile.mkdtemp(prefix="wuts-test-"))
        env = dict(os.environ, WUTS_RUN=str(work / "run"),
                   WUTS_PORT=str(free_port()),
                   WUTS_ONPREM_PORT=str(free_port()),
                   WUTS_WACHT_PORT=str(free_port()), WUTS_BUILD=str(BUILD),
                   WUTS_SPOOL_SHARDS=str(shards or ""))
        (work / "run").mkdir()
        (work / "run" / "local.conf").write_text("".join(
            f"{name} = {value}\n" for name, value in settings.items()))
        done = cls._quickstart("start", env)
        if done.returncode != 0:
            cls._quickstart("stop", env)
            raise RuntimeError(f"quickstart start ({work} is kept):\n"
                               + done.stdout)
        return cls(cls.read_settings(work / "run" / "quickstart.env"), env,
                   work)

    @staticmethod
    def _quickstart(command, env):
        return subprocess.run([SOURCE / "quickstart", command], env=env,
                              stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, timeout=300)

    def stop(self, keep=False):
        if self.env is None:
            return
        self._quickstart("stop", self.env)
        if not keep:
            shutil.rmtree(self.work, ignore_errors=True)

    def complaints(self):
        """What the programs logged besides information and warnings: errors,
        panics, reports of a sanitizer."""
        return [line for name in ("wutsd", "wuts-spool")
                for line in (self.run / "logs" / f"{name}.log").read_text(
                    errors="replace").splitlines()
                if line.split(" ", 3)[2:3] not in (["info"], ["warn"],
                                                   ["debug"])]

    def stop_and_check(self, failed, expected=()):
        """The end of a session: nothing may have been complained of, not even
        at exit, but what one of expected is in. Logs and data are kept where
        something failed."""
        if self.env is None:
            return
        self.stop(keep=True)
        complaints = [line for line in self.complaints()
                      if not any(text in line for text in expected)]
        if failed or complaints:
            print(f"\nlogs and data are kept below {self.work}")
        else:
            shutil.rmtree(self.work, ignore_errors=True)
        assert not complaints, "\n".join(complaints[:20])

    def ctl(self, *args):
        """wutsctl against this instance: the finished process."""
        return subprocess.run([BUILD / "wutsctl", "-c", self.config, *args],
                              capture_output=True, text=True, timeout=60)

    def sql(self, statement):
        """The rows, as tuples of text."""
        run = subprocess.run(
            ["mariadb", "--no-defaults", "--batch", "--skip-column-names",
             "--socket", str(self.run / "sockets/mariadb.sock"), "wuts"],
            input=statement, check=True, timeout=120, capture_output=True,
            text=True)
        return [tuple(line.split("\t")) for line in run.stdout.splitlines()]

    def metrics(self):
        response = self.master().get("/metrics")
        assert response.status_code == 200, response.text
        return Metrics(response.text)

    def settled(self):
        """The metrics, once every answer that has been sent is counted: a
        worker counts a moment later, and is busy until then. The answers to
        this method's own requests may be counted or not."""
        wait_for("idle workers", lambda: self.metrics()[
            'wuts_workers{state="busy"}'] == 1)
        return self.metrics()

    def client(self, token=None, **kwargs):
        return Client(self, token, **kwargs)

    def master(self):
        return Client(self, self.master_token)

    def engine(self):
        return Client(self, self.engine_token)

    def tenant(self, **members):
        return Tenant(self, **members)


ADDRESSES = itertools.count(random.SystemRandom().randrange(1 << 22))


def loopback_address():
    """A client address of its own, so that the failures that one test provokes
    never count against another."""
    number = next(ADDRESSES)
    return "127.%d.%d.%d" % (128 + (number >> 16) % 126, number >> 8 & 255,
                             number & 255)


IDLE = 50	# seconds; after 75 nginx ends a connection, perhaps just now


class SourceAddress(requests.adapters.HTTPAdapter):
    def __init__(self, address):
        self.address = address
        self.used = time.monotonic()
        super().__init__()

    def send(self, *args, **kwargs):
        if time.monotonic() - self.used > IDLE:
            self.poolmanager.clear()
        try:
            return super().send(*args, **kwargs)
        finally:
            self.used = time.monotonic()

    def init_poolmanager(self, *args, **kwargs):
        kwargs["source_address"] = (self.address, 0)
        super().init_poolmanager(*args, **kwargs)


class Client:
    """HTTP on behalf of one token. Every answer is held against the
    conventions of spec/wuts.md §1."""

    def __init__(self, instance, token=None, scheme="Bearer ", address=None):
        self.instance = instance
        self.token = token
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.mount("http://", SourceAddress(
            address or loopback_address()))
        if token is not None:
            self.session.headers["Authorization"] = scheme + token

    def request(self, method, path, body=None, **kwargs):
        """body: what becomes JSON; data=… and headers=… for anything else."""
        if body is not None:
            kwargs["json"] = body
        kwargs.setdefault("timeout", 30)
        kwargs.setdefault("allow_redirects", False)
        response = self.session.request(method, self.instance.url + path,
                                        **kwargs)
        check_conventions(response)
        return response

    def get(self, path, **kwargs):
        return self.request("GET", path, **kwargs)

    def post(self, path, body=None, **kwargs):
        return self.request("POST", path, body, **kwargs)

    def put(self, path, body=None, **kwargs):
        return self.request("PUT", path, body, **kwargs)

    def delete(self, path, **kwargs):
        return self.request("DELETE", path, **kwargs)


class RawResponse:
    """What check_envelope() and refused() want to know of an answer."""

    def __init__(self, response):
        self.status_code = response.status
        self.headers = requests.structures.CaseInsensitiveDict(
            response.getheaders())
        self.content = response.read()
        self.text = self.content.decode(errors="replace")

    def json(self):
        return json.loads(self.content)


def raw_request(instance, method, target, headers=()):
    """A request whose target and headers go out as they are."""
    host = urllib.parse.urlsplit(instance.url).netloc
    connection = http.client.HTTPConnection(
        host, timeout=30, source_address=(loopback_address(), 0))
    try:
        connection.putrequest(method, target)
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders()
        return RawResponse(connection.getresponse())
    finally:
        connection.close()


def is_metrics(response):
    return response.status_code == 200 and \
        urllib.parse.urlsplit(response.request.url).path == "/metrics"


class Metrics:
    """One scrape: the values of all series; every line is of a metric that
    was introduced before, and no series is told twice."""

    def __init__(self, text):
        self.types, self.values = {}, {}
        for line in text.splitlines():
            if line.startswith("# HELP "):
                name, help_text = line[7:].split(" ", 1)
                assert name not in self.types and help_text
            elif line.startswith("# TYPE "):
                name, kind = line[7:].split(" ")
                self.types[name] = kind
            else:
                series, value = line.rsplit(" ", 1)
                family = re.sub(r"_(bucket|sum|count)$", "",
                                series.split("{")[0])
                assert family == name or series.split("{")[0] == name
                assert series not in self.values
                self.values[series] = float(value)

    def __getitem__(self, series):
        return self.values.get(series, 0)

    def sum(self, pattern):
        return sum(value for series, value in self.values.items()
                   if re.fullmatch(pattern, series))

    def waiting(self):
        """Events that wait, also those that wuts-spool has not read yet."""
        return self["wuts_queue_waiting"] + \
            self["wuts_queue_appended_total"] - \
            self["wuts_queue_accepted_total"]

    def assert_identity(self):
        """Every accepted event is at one place."""
        assert self["wuts_queue_accepted_total"] == sum(
            self["wuts_queue_" + end] for end in (
                "delivered_total", "dead_total", "dropped_total",
                "damaged_total", "waiting"))
        assert self["wuts_queue_missing_events"] == 0


def check_conventions(response):
    headers = response.headers
    assert headers.get("X-Request-Id"), response.request.url
    if response.status_code == 204:
        assert response.content == b""
        return
    assert headers["Cache-Control"] == "no-store"
    if is_metrics(response):
        assert headers["Content-Type"] == \
            "text/plain; version=0.0.4; charset=utf-8"
        return
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    if response.request.method == "HEAD":
        assert response.content == b""
    elif response.status_code >= 400:
        check_envelope(response)
    elif urllib.parse.urlsplit(response.request.url).path != "/openapi.json":
        assert response.json()["success"] is True


def check_envelope(response):
    body = response.json()
    status = response.status_code
    assert set(body) in ({"success", "error", "error_code", "timestamp"},
                         {"success", "error", "error_code", "timestamp",
                          "validation"}), body
    assert body["success"] is False
    assert isinstance(body["error"], str) and body["error"] != ""
    assert body["error_code"] in ERROR_CODES.get(
        status, {"VALIDATION_ERROR"}), (status, body)
    assert is_time(body["timestamp"])
    for field in body.get("validation", []):
        assert set(field) == {"field", "message", "value"}, field
        assert all(isinstance(v, str) for v in field.values())
    if status == 401:
        assert response.headers["WWW-Authenticate"] == "Bearer"
    if status == 405:
        assert response.headers["Allow"]
    if status in (429, 503):
        assert int(response.headers["Retry-After"]) > 0


def refused(response, status, code):
    """Assert on a refusal; its body."""
    assert (response.status_code, response.json().get("error_code")) == \
        (status, code), response.text
    return response.json()


def invalid(response, *fields):
    """Assert on a refusal for exactly these fields; its body."""
    body = refused(response, 400, "VALIDATION_ERROR")
    assert sorted(f["field"] for f in body["validation"]) == \
        sorted(fields), body
    return body


def done(response, status=200):
    """Assert on success; its body."""
    assert response.status_code == status, response.text
    return response.json()


def unique(prefix):
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


# --- what tests work on -----------------------------------------------------

class Member:
    """A user and the client that acts for it."""

    def __init__(self, instance, user):
        self.instance = instance
        self.id = user["id"]
        self.email = user["email"]
        self.role = user["role"]
        self.token = user["token"]
        self.client = instance.client(self.token)

    def device(self, name="a phone"):
        """The id of a new device."""
        return done(self.client.post("/devices", {"name": name}),
                    201)["device"]["id"]


class Tenant:
    def __init__(self, instance, **members):
        self.instance = instance
        self.name = members.pop("tenant_name", unique("tenant"))
        answer = done(instance.master().post("/register", {
            "tenant_name": self.name, "email": "admin@example.com",
            "password": PASSWORD, **members}), 201)
        self.id = answer["tenant"]["id"]
        self.admin = Member(instance, answer["user"])

    def key(self, scope="full"):
        """A client with an API key of its own."""
        answer = done(self.admin.client.post("/api-keys", {
            "name": unique("key"), "scope": scope}), 201)
        return self.instance.client(answer["key"])

    def member(self, role="user", **members):
        answer = done(self.admin.client.post("/users", {
            "email": f"{unique(role)}@example.com", "password": PASSWORD,
            "role": role, **members}), 201)
        return Member(self.instance, answer["user"])


# --- the other end of a webhook ---------------------------------------------

@dataclasses.dataclass
class Delivery:
    headers: dict
    body: bytes
    at: float

    @property
    def id(self):
        return self.headers["webhook-id"]

    @property
    def message(self):
        return json.loads(self.body)

    @property
    def event(self):
        return self.message["event"]


class Hook:
    """One URL of a receiver: what came, and what to answer."""

    def __init__(self, receiver, path):
        self.receiver = receiver
        self.url = receiver.url + path
        self.deliveries = []
        self.first = []		# answers to the first delivery of each event
        self.answers = []	# consumed one a delivery
        self.answer = 200	# when there are no more; (status, headers[, body]) too,
				# or a function that returns either

    def wait_for(self, condition, seconds=60):
        """The first true value of condition(deliveries)."""
        end = time.monotonic() + seconds
        with self.receiver.arrived:
            while True:
                value = condition(self.deliveries)
                if value:
                    return value
                left = end - time.monotonic()
                assert left > 0, f"not within {seconds} s; came: " + \
                    repr([d.body for d in self.deliveries])
                self.receiver.arrived.wait(left)

    def wait(self, n=1, seconds=60):
        """The deliveries, once they are n or more."""
        self.wait_for(lambda seen: len(seen) >= n, seconds)
        return list(self.deliveries)

    def wait_event(self, event_id, seconds=60):
        """The first delivery of the event with this id."""
        return self.wait_for(lambda seen: next(
            (d for d in seen if d.id == event_id), None), seconds)


class Receiver:
    """A threaded HTTP server on loopback that records what is delivered."""

    def __init__(self):
        self.arrived = threading.Condition()
        self.hooks = {}
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                receiver._take(self)

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            # With the five that are usual, connections that are made at once
            # are dropped, and tried again a second later.
            request_queue_size = 1024

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever,
                                       kwargs={"poll_interval": 0.05})
        self.thread.start()

    def hook(self):
        path = "/" + unique("hook")
        hook = self.hooks[path] = Hook(self, path)
        return hook

    def _take(self, handler):
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        headers = {k.lower(): v for k, v in handler.headers.items()}
        with self.arrived:
            hook = self.hooks.get(handler.path)
            if hook is None:
                answer = 404
            elif hook.first and headers["webhook-id"] not in {
                    d.id for d in hook.deliveries}:
                answer = hook.first.pop(0)
            else:
                answer = hook.answers.pop(0) if hook.answers else hook.answer
            if hook is not None:
                hook.deliveries.append(Delivery(headers, body, time.time()))
                self.arrived.notify_all()
        if callable(answer):
            answer = answer()
        status, extra, text = (*answer, b"")[:3] if isinstance(
            answer, tuple) else (answer, {}, b"")
        handler.send_response(status)
        for name, value in extra.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


# --- Standard Webhooks ------------------------------------------------------

class SignatureError(Exception):
    pass


def signing_key(secret):
    """whsec_ and base64: the bytes; anything else is the key itself."""
    if secret.startswith("whsec_"):
        try:
            return base64.b64decode(secret[6:], validate=True)
        except binascii.Error:
            pass
    return secret.encode()


def verify_webhook(secret, headers, body, now=None, tolerance=300):
    """Standard Webhooks: the identifier, the timestamp within its tolerance,
    one valid v1 signature in the list. SignatureError otherwise."""
    try:
        msg_id = headers["webhook-id"]
        timestamp = headers["webhook-timestamp"]
        signatures = headers["webhook-signature"]
    except KeyError as missing:
        raise SignatureError(f"no header {missing}") from None
    if not re.fullmatch(r"\d+", timestamp):
        raise SignatureError(f"timestamp {timestamp!r}")
    if abs((time.time() if now is None else now) - int(timestamp)) > tolerance:
        raise SignatureError(f"timestamp {timestamp} is out of tolerance")
    signed = f"{msg_id}.{timestamp}.".encode() + body
    expected = hmac.new(signing_key(secret), signed, hashlib.sha256).digest()
    for item in signatures.split(" "):
        version, _, signature = item.partition(",")
        if version != "v1":
            continue
        try:
            given = base64.b64decode(signature, validate=True)
        except binascii.Error:
            continue
        if hmac.compare_digest(expected, given):
            return
    raise SignatureError("no signature matches")
