# SPDX-License-Identifier: MIT
"""A kept connection whose two halves, asking and answering, are apart: so one
thread can have several requests on their way at once."""
import http.client
import json
import time
import urllib.parse

from harness import IDLE, loopback_address


class Wire:
    def __init__(self, instance):
        host = urllib.parse.urlsplit(instance.url).netloc
        self.connection = http.client.HTTPConnection(host, timeout=30)
        self.headers = None
        self.used = time.monotonic()
        self._move()

    def _move(self):
        """To another client address, whose failures are not counted yet."""
        self.connection.close()
        self.connection.source_address = (loopback_address(), 0)

    def ask(self, token, method, path, body=None, **headers):
        """headers: If_Match for If-Match."""
        headers = {name.replace("_", "-"): value
                   for name, value in headers.items()}
        headers["Authorization"] = "Bearer " + token
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body)
        if time.monotonic() - self.used > IDLE:
            self.connection.close()
        self.connection.request(method, path, body, headers)

    def answer(self):
        """Status and body; the headers are kept."""
        response = self.connection.getresponse()
        self.headers = response.headers
        body = json.loads(response.read())
        self.used = time.monotonic()
        assert body["success"] == (response.status < 400), body
        if response.status == 401:
            self._move()
        return response.status, body

    def call(self, *args, **headers):
        self.ask(*args, **headers)
        return self.answer()

    def close(self):
        self.connection.close()
