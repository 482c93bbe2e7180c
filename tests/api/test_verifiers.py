# SPDX-License-Identifier: MIT
"""What is delivered, before the eyes of two packages that receivers use to
check signatures, and byte by byte."""
import base64
import json
import re

import pytest

import harness
from harness import done
from test_delivery import Line

JSON = {"Content-Type": "application/json"}
# The event's own object, and the document around it, are levels too.
DEEP = 29


class Verifiers:
    def __init__(self, node):
        self.node = node

    def judge(self, cases):
        """Of each (secret, delivery, raw): what each package says."""
        lines = "".join(json.dumps({
            "secret": base64.b64encode(secret).decode(), "raw": raw,
            "headers": dict(delivery.headers),
            "body": base64.b64encode(delivery.body).decode()}) + "\n"
            for secret, delivery, raw in cases)
        said = self.node("verify.cjs", text=lines)
        answers = [json.loads(line) for line in said.splitlines()]
        assert len(answers) == len(cases)
        return answers

    def accept(self, cases):
        for case, answer in zip(cases, self.judge(cases)):
            assert answer == {"standardwebhooks": "ok", "svix": "ok"}, \
                (case[0], case[1].body[:300])


@pytest.fixture(scope="module")
def verifiers(node):
    return Verifiers(node)


def every_character():
    """Each of Unicode's but NUL, as itself where JSON allows that."""
    plain = [c for c in map(chr, [*range(0x20, 0xd800),
                                  *range(0xe000, 0x110000)])
             if c not in '"\\']
    escaped = ["\\u%04x" % n for n in range(1, 0x20)]
    return "".join(escaped + ['\\"', "\\\\"] + plain)


def every_escape():
    """Each of the first plane but NUL as \\uXXXX, and pairs beyond it."""
    return "".join(["\\u%04X" % n for n in [*range(1, 0xd800),
                                            *range(0xe000, 0x10000)]] +
                   ["\\ud8%02x\\udfff" % n for n in range(256)] +
                   ['\\b\\f\\n\\r\\t\\/\\"\\\\'])


# The text of "data", as it is sent.
BODIES = {
    "nothing": "{}",
    "nothing, at length": "{ \t\n}",
    "every character": '{"all":"%s"}' % every_character(),
    "every escape": '{"all":"%s"}' % every_escape(),
    "four bytes": '{"%s":"%s"}' % ("\U0001f600" * 50, "\U0010ffff" * 5000),
    "delete and C1": '{"a":"\x7f\x80\x9f\u2028\u2029\ufeff\ufffe\uffff"}',
    "white space within and without":
        '{ "a  b\\t" : " x  , ] } \\" : y " ,\r\n\t"c":[ 1 , 2 ,\n3 ] }',
    "numbers": '{"n":[0,-0,0.10,1.10,1e2,1E+2,-1.5e-7,12345678901234567,'
        '0.1000000000000000055511151231257827,9007199254740993]}',
    "deep objects": '{"a":' * DEEP + "{}" + "}" * DEEP,
    "deep lists": '{"a":' + "[" * DEEP + "]" * DEEP + "}",
    "many members": "{%s}" % ",".join('"k%d":%d' % (n, n)
                                      for n in range(20000)),
    "a signature's own signs": '{"a":"v1,x . v1,y","b.c":"whsec_"}',
    "1 MiB": '{"x":"%s"}' % ("0123456789abcdef" * 65536),
    "5 MiB": '{"x":"%s"}' % ('ab\\"\u00e9\u20ac\\\\' * 450000),
}


def compact(text):
    """Without what stands between tokens."""
    return re.sub(r'("(?:[^"\\]|\\.)*")|[ \t\r\n]+',
                  lambda found: found.group(1) or "", text)


def report(line, data):
    return done(line.engine.post(
        f"/devices/{line.device}/events", headers=JSON,
        data=f'{{"event":"message.received","data":{data}}}'.encode()),
        202)["ids"][0]


def test_every_body_arrives_as_it_was_sent_and_verifies(verifiers, wuts,
                                                        hook):
    line = Line(wuts, hook)
    # Some have to come again: with the same bytes.
    again = len(BODIES) // 2
    hook.answers = [200, 500] * again
    ids = {report(line, text): text for text in BODIES.values()}
    hook.wait_for(lambda seen: len(seen) >= len(BODIES) + again, 60)
    assert {d.id for d in hook.deliveries} == set(ids)
    for delivery in hook.deliveries:
        head = json.dumps({
            "id": delivery.id, "event": "message.received",
            "timestamp": delivery.message["timestamp"],
            "tenant_id": line.tenant.id, "device_id": line.device},
            separators=(",", ":"))
        text = f'{head[:-1]},"data":{compact(ids[delivery.id])}}}'
        assert delivery.body == text.encode()
    verifiers.accept([(line.secret.encode(), d, False)
                      for d in hook.deliveries])


def test_either_form_of_a_secret_is_what_the_packages_take_it_for(
        verifiers, wuts, receiver):
    key = base64.b64encode(bytes(range(1, 25))).decode()
    secrets = {
        "whsec_" + key: False, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw": False,
        "just-a-pass-phrase": True, "pässwörd €\U0001f600": True,
        "whsec_not base64!": True, key: True, "x" * 128: True}
    cases = []
    for secret, raw in secrets.items():
        hook = receiver.hook()
        line = Line(wuts, hook, secret=secret)
        delivery = hook.wait_event(report(line, '{"a":1}'))
        cases.append((secret.encode(), delivery, raw))
    verifiers.accept(cases)


def test_during_a_rotation_both_secrets_verify_and_then_the_older_does_not(
        verifiers, wuts, hook):
    line = Line(wuts, hook)
    secrets = [line.secret] + [done(line.member.client.post(
        "/webhook/secret"))["secret"] for _ in range(2)]
    delivery = hook.wait_event(report(line, '{"a":1}'))
    verifiers.accept([(secret.encode(), delivery, False)
                      for secret in secrets[1:]])
    (answer,) = verifiers.judge([(secrets[0].encode(), delivery, False)])
    assert set(answer.values()) == {"No matching signature found"}


def test_what_was_changed_on_the_way_does_not_verify(verifiers, wuts, hook):
    """The verifiers do look."""
    line = Line(wuts, hook)
    delivery = hook.wait_event(report(line, '{"a":1}'))
    changed = harness.Delivery(delivery.headers, delivery.body.replace(
        b'"a":1', b'"a":2'), delivery.at)
    (answer,) = verifiers.judge([(line.secret.encode(), changed, False)])
    assert set(answer.values()) == {"No matching signature found"}
