#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A simulated WhatsApp engine, and the phones at its other end. nginx relays to
it what WUTS has authorised; it reports what happens to WUTS, as a real engine
does. Only the standard library. Run by itself it serves until it is ended."""
import argparse
import http.client
import http.server
import json
import pathlib
import secrets
import signal
import socketserver
import sys
import threading
import urllib.parse


class Request:
    """One request as it reached the engine."""

    def __init__(self, handler, body):
        self.method = handler.command
        self.target = handler.path
        self.path = handler.path.partition("?")[0]
        self.headers = {name.lower(): value
                        for name, value in handler.headers.items()}
        self.names = [name.lower() for name in handler.headers.keys()]
        self.body = body

    @property
    def device(self):
        """The one truth about which device is meant."""
        return self.headers.get("x-wuts-device")

    def json(self):
        return json.loads(self.body) if self.body else {}


class Refusal(Exception):
    def __init__(self, status, error, code):
        super().__init__(error)
        self.status = status
        self.answer = {"success": False, "error": error, "error_code": code}


class Device:
    def __init__(self):
        self.codes = set()	# what a phone may scan or type in
        self.jid = None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def chunks(self):
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass

    def serve(self):
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = b"".join(self.chunks())
        else:
            body = self.rfile.read(
                int(self.headers.get("Content-Length") or 0))
        status, headers, text = self.server.engine.answer(Request(self, body))
        if status is None:	# break off without a word
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = serve

    def log_message(self, *args):
        pass


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Engine:
    """Listens on a unix socket; reports to url with the engine's token."""

    def __init__(self, path, url, token):
        self.url = urllib.parse.urlsplit(url)
        self.token = token
        self.devices = {}
        self.requests = []
        self.answers = []	# (status, headers, text), or a function that
				# returns them; used up one each
        self.lock = threading.Lock()
        self.path = pathlib.Path(path)
        self.path.unlink(missing_ok=True)
        self.server = Server(str(path), Handler)
        self.server.engine = self
        self.thread = threading.Thread(target=self.server.serve_forever,
                                       kwargs={"poll_interval": 0.05})
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        self.path.unlink()

    # --- towards WUTS ---

    def report(self, device, *events):
        """Pairs of event and data. They are WUTS's own when this returns."""
        body = json.dumps([{"event": event, "data": data}
                           for event, data in events])
        connection = http.client.HTTPConnection(self.url.netloc, timeout=30)
        try:
            connection.request("POST", f"/devices/{device}/events", body, {
                "Authorization": "Bearer " + self.token,
                "Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        if response.status != 202:
            raise Refusal(502, f"WUTS answered {response.status}: {text!r}",
                          "REPORT_FAILED")
        return json.loads(text)["ids"]

    # --- what is relayed ---

    def answer(self, request):
        # Every 15 s wuts-spool asks whether somebody is there.
        if request.target == "/" and request.headers.get(
                "user-agent", "").startswith("WUTS/"):
            return 200, [], b""
        with self.lock:
            self.requests.append(request)
            canned = self.answers.pop(0) if self.answers else None
        if canned is not None:
            return canned() if callable(canned) else canned
        status = 200
        try:
            if request.path.startswith("/v1/"):
                status, answer = self.onprem(request)
            else:
                answer = {"success": True, "data": self.act(request)}
        except Refusal as refusal:
            status, answer = refusal.status, refusal.answer
        return status, [("Content-Type", "application/json; charset=utf-8")], \
            json.dumps(answer).encode()

    def act(self, request):
        if request.path.startswith("/phone/"):
            return self.use_phone(request.path, request.json())
        if request.headers.get("authorization") != "Bearer " + self.token:
            raise Refusal(401, "this is not WUTS", "UNAUTHORIZED")
        if not request.device or not request.headers.get("x-wuts-tenant"):
            raise Refusal(400, "on whose behalf?", "VALIDATION_ERROR")
        known = {("POST", "/connect"): self.connect,
                 ("POST", "/disconnect"): self.disconnect,
                 ("POST", "/logout"): self.logout,
                 ("GET", "/qr"): self.show_code,
                 ("HEAD", "/qr"): self.show_code,
                 ("POST", "/paircode"): self.pair_by_phone}
        action = known.get((request.method, request.path))
        if action is None:
            raise Refusal(404, "no such path", "NOT_FOUND")
        with self.lock:
            device = self.devices.setdefault(request.device, Device())
        return action(request, device)

    def onprem(self, request):
        """What an On-Premises client sends, in its words."""
        meta = {"api_status": "stable", "version": "v2.45.1"}
        if request.headers.get("authorization") != "Bearer " + self.token:
            return 401, {"errors": [{
                "code": 1005, "title": "Access denied",
                "details": "this is not WUTS"}], "meta": meta}
        if (request.method, request.path) == ("POST", "/v1/messages"):
            return 201, {"messages": [{
                "id": "gBEG" + secrets.token_urlsafe(12)}], "meta": meta}
        if (request.method, request.path) == ("POST", "/v1/contacts"):
            return 200, {"contacts": [
                {"input": number, "status": "valid",
                 "wa_id": number.lstrip("+")}
                for number in request.json().get("contacts", [])], "meta": meta}
        return 200, {"meta": meta}

    def new_code(self, request, device):
        code = "2@" + secrets.token_urlsafe(96)
        device.codes.add(code)
        self.report(request.device, ("qr.generated", {"code": code}))
        return code

    def connect(self, request, device):
        if device.jid is None:
            self.new_code(request, device)
            return {"device_id": request.device, "status": "pairing"}
        self.report(request.device, ("device.connected", {"jid": device.jid}))
        return {"device_id": request.device, "status": "connected"}

    def disconnect(self, request, device):
        self.report(request.device, ("device.disconnected",
                                     {"reason": "asked"}))
        return {"device_id": request.device, "status": "disconnected"}

    def logout(self, request, device):
        device.jid = None
        self.report(request.device, ("device.logged_out", {}))
        return {"device_id": request.device, "status": "logged_out"}

    def show_code(self, request, device):
        if device.jid is not None:
            raise Refusal(409, "the device is paired", "ALREADY_PAIRED")
        return {"code": self.new_code(request, device)}

    def pair_by_phone(self, request, device):
        if not request.json().get("phone"):
            raise Refusal(400, "phone is required", "VALIDATION_ERROR")
        code = secrets.token_hex(2).upper() + "-" + secrets.token_hex(2).upper()
        device.codes.add(code)
        return {"code": code}

    # --- the phones ---

    def use_phone(self, path, told):
        if path == "/phone/scan":
            return {"device_id": self.scan(told["code"], told["phone"])}
        if path == "/phone/message":
            return {"ids": self.message(told["device_id"], told["from"],
                                        told["text"])}
        raise Refusal(404, "phones cannot do that", "NOT_FOUND")

    def scan(self, code, phone):
        """A phone scans or types in a code: its device is connected."""
        with self.lock:
            found = next(((name, device) for name, device in
                          self.devices.items() if code in device.codes), None)
        if found is None:
            raise Refusal(404, "no such code", "NOT_FOUND")
        name, device = found
        device.jid = f"{phone}@s.whatsapp.net"
        device.codes.clear()
        self.report(name, ("pair.success", {"jid": device.jid}),
                    ("device.connected", {"jid": device.jid}))
        return name

    def message(self, device, sender, text):
        return self.report(device, ("message.received",
                                    {"from": sender, "text": text}))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--socket", required=True)
    parser.add_argument("--url", required=True)
    parser.add_argument("--token-file", required=True)
    args = parser.parse_args()
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    engine = Engine(args.socket, args.url,
                    pathlib.Path(args.token_file).read_text().strip())
    signal.sigwait(signals)
    engine.close()


if __name__ == "__main__":
    main()
