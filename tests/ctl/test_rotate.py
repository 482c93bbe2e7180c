# SPDX-License-Identifier: MIT
"""wutsctl key rotate beside traffic: no request fails, no event is lost or
wrongly signed, and wherever it is interrupted it goes on."""
import fcntl
import pathlib
import random
import subprocess
import threading

import requests

import harness
from harness import done, refused, verify_webhook, wait_for

SECRET = "whsec_" + "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"


class Load(threading.Thread):
    """Does something again and again; the first failure is kept."""

    def __init__(self, stop, what):
        super().__init__()
        self.stop, self.what = stop, what
        self.failure, self.rounds = None, 0

    def run(self):
        try:
            while not self.stop.is_set():
                self.what()
                self.rounds += 1
        except BaseException as failure:	# told in the test's thread
            self.failure = failure


class Traffic:
    """Everything that touches the installation key, in a loop each."""

    def __init__(self, instance, receiver):
        self.tenant = tenant = instance.tenant()
        self.hook = receiver.hook()
        self.device = tenant.admin.device()
        done(tenant.admin.client.post(
            f"/webhook?device_id={self.device}",
            {"webhook_url": self.hook.url, "enabled_events": ["*"],
             "secret": SECRET}), 201)
        self.engine = instance.engine()
        self.key = tenant.key()
        self.ids = []
        self.stop = threading.Event()
        self.rotating = tenant.member()
        self.loads = [Load(self.stop, what) for what in (
            self.look, self.look_with_key, self.create, self.rotate,
            self.report)]

    def look(self):
        assert len(done(self.tenant.admin.client.get(
            "/users?limit=5"))["users"]) >= 2

    def look_with_key(self):
        done(self.key.get("/users?limit=1"))

    def create(self):
        user = self.tenant.member()
        done(user.client.get(f"/users/{user.id}"))

    def rotate(self):
        user = self.rotating
        token = done(user.client.post(f"/users/{user.id}/token"))["token"]
        user.client = user.instance.client(token)

    def report(self):
        answer = done(self.engine.post(f"/devices/{self.device}/events", {
            "event": "message.received", "data": {}}), 202)
        self.ids += answer["ids"]

    def __enter__(self):
        for load in self.loads:
            load.start()
        wait_for("traffic", lambda: all(
            l.rounds or l.failure for l in self.loads), 60)
        return self

    def __exit__(self, *_):
        self.stop.set()
        for load in self.loads:
            load.join()

    def check_loads(self):
        for load in self.loads:
            if load.failure is not None:
                raise load.failure

    def check(self):
        """Whatever there is still works; all events came, signed."""
        self.check_loads()
        assert all(load.rounds > 3 for load in self.loads)
        wanted = set(self.ids)
        self.hook.wait_for(lambda seen: wanted <= {d.id for d in seen}, 60)
        for delivery in self.hook.deliveries:
            verify_webhook(SECRET, delivery.headers, delivery.body)


def key_file(operator):
    for line in operator.instance.config.read_text().splitlines():
        name, _, value = line.partition("=")
        if name.strip() == "installation_key_file":
            return pathlib.Path(value.strip())
    raise AssertionError("no installation_key_file")


def keys(operator):
    """The lines of the key file: full keys, and retired ones."""
    lines = key_file(operator).read_text().splitlines()
    return ([l for l in lines if not l.startswith("audit ")],
            [l for l in lines if l.startswith("audit ")])


def check_trails(operator):
    assert operator.json("audit", "verify")["ok"] is True


def make_authenticator(instance, house):
    answer = requests.post(
        f"{instance.url}/wacht/users/{house.admin.id}/authenticators",
        json={"secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}, timeout=30,
        headers={"Authorization": "Bearer " + house.admin.token})
    assert answer.status_code == 200, answer.text


def test_a_rotation_disturbs_nobody(own, receiver):
    old = keys(own)[0][0]
    mode = key_file(own).stat().st_mode
    house = own.instance.tenant()
    make_authenticator(own.instance, house)
    sealed = own.sql("SELECT HEX(secret_sealed) FROM user_authenticator")
    with Traffic(own.instance, receiver) as traffic:
        report = own.json("key", "rotate")
        for _ in range(50):
            if report["finished"]:
                break
            # The answers that are kept are nobody's here; the API key is
            # used all the time, so it changes over by itself.
            assert report["answers_left"] == 0
            report = own.json("key", "rotate")
        assert report["finished"] is True, report
        for load in traffic.loads:	# and afterwards
            rounds = load.rounds
            wait_for("more traffic", lambda: load.failure or
                     load.rounds > rounds + 3, 60)
    traffic.check()
    assert report["lost"] == 0
    assert own.sql("SELECT HEX(secret_sealed) FROM user_authenticator") \
        != sealed
    full, retired = keys(own)
    assert len(full) == 1 and full[0] != old and len(retired) == 1
    assert key_file(own).stat().st_mode == mode
    assert not key_file(own).with_name(
        key_file(own).name + ".rotation").exists()
    assert old not in key_file(own).read_text()
    check_trails(own)
    # A restart reads everything from the database, with the new key alone.
    for service in ("wutsd", "wuts-spool"):
        subprocess.run([harness.SOURCE / "quickstart", "stop", service],
                       env=own.instance.env, check=True, timeout=60,
                       stdout=subprocess.DEVNULL)
        subprocess.run([harness.SOURCE / "quickstart", "start", service],
                       env=own.instance.env, check=True, timeout=60,
                       stdout=subprocess.DEVNULL)
    traffic.look()
    traffic.look_with_key()
    traffic.report()
    traffic.check()


def test_a_rotation_that_is_killed_goes_on(own, receiver):
    """SIGKILL of wutsctl at random moments: every time everything works, and
    in the end one run finishes."""
    rng = random.Random(3)
    old = keys(own)[0][0]
    with Traffic(own.instance, receiver) as traffic:
        killed = 0
        for _ in range(12):
            process = subprocess.Popen(
                [harness.BUILD / "wutsctl", "-c", own.instance.config, "key",
                 "rotate"], stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL)
            try:
                process.wait(rng.uniform(0, 1.5))
            except subprocess.TimeoutExpired:
                process.kill()
                killed += 1
            process.wait()
            traffic.check_loads()
            # The child that asks the database may live a moment longer.
            wait_for("the lock", lambda: "under way" not in own.instance.ctl(
                "key", "rotate", "--finish", "--step").stderr)
        report = own.json("key", "rotate")
        if not report["finished"]:
            report = own.json("key", "rotate", "--finish")
        assert report["finished"] is True and killed > 0
    traffic.check()
    full, retired = keys(own)
    assert len(full) == 1 and full[0] != old and len(retired) >= 1
    check_trails(own)


def test_steps_stop_where_other_machines_can_follow(own):
    tenant = own.instance.tenant()
    old = keys(own)[0][0]
    assert own.json("key", "rotate", "--step")["new_key"] == "accepted"
    full, _ = keys(own)
    assert len(full) == 2 and full[0] == old
    new = full[1]
    assert own.json("key", "rotate", "--step")["new_key"] == "used"
    assert keys(own)[0] == [new, old]
    report = own.json("key", "rotate", "--step")
    assert report["finished"] is True and report["tokens"] >= 1
    assert keys(own)[0] == [new]
    done(tenant.admin.client.get("/users"))


def test_an_unused_api_key_keeps_the_old_key_until_told(own):
    tenant = own.instance.tenant()
    made = own.json("key", "create", tenant.name, "rarely used")
    report = own.json("key", "rotate")
    assert report["finished"] is False and report["api_keys_left"] == 1
    assert report["api_keys"][0]["id"] == made["api_key"]["id"]
    text = own.run("key", "rotate").stdout
    assert made["api_key"]["id"] in text and "--finish" in text
    # Used, it changes over.
    client = own.instance.client(made["key"])
    done(client.get("/users"))
    assert own.json("key", "rotate")["finished"] is True
    done(client.get("/users"))
    # Not used, it stops when the rotation is ended.
    report = own.json("key", "rotate")
    assert report["api_keys_left"] == 1
    assert own.json("key", "rotate", "--finish")["finished"] is True
    refused(own.instance.client(made["key"]).get("/users"), 401,
            "UNAUTHORIZED")
    # And it does not stand in the way of the next one.
    assert own.json("key", "rotate")["finished"] is True
    check_trails(own)


def test_a_stored_answer_keeps_the_old_key_and_is_given_again(own):
    tenant = own.instance.tenant()
    post = {"path": f"/users/{tenant.admin.id}/token",
            "headers": {"Idempotency-Key": "once"}}
    first = done(tenant.admin.client.post(**post))
    client = own.instance.client(first["token"])
    report = own.json("key", "rotate")
    assert report["finished"] is False and report["answers_left"] == 1
    done(client.get("/users"))
    own.sql("UPDATE idempotency SET created_at = created_at"
            " - INTERVAL 25 HOUR")
    assert own.json("key", "rotate")["finished"] is True


def test_nothing_is_begun_by_finish_and_two_at_once_are_one(own):
    assert "nothing to finish" in own.refused("key", "rotate", "--finish")
    assert len(keys(own)[0]) == 1
    note = key_file(own).with_name(key_file(own).name + ".rotation")
    with open(note, "w") as held:
        fcntl.lockf(held, fcntl.LOCK_EX)	# our process's, as another's
        assert "under way" in own.refused("key", "rotate")
        assert note.exists() and len(keys(own)[0]) == 1
    assert own.json("key", "rotate")["finished"] is True
    assert not note.exists()


def test_a_process_that_cannot_reload_stops_the_rotation(own):
    """Its settings do not hold any more: it keeps the old ones, and is told
    of; nothing is written with a key that it cannot read."""
    tenant = own.instance.tenant()
    config = own.instance.config
    good = config.read_text()
    short = good + "\ndrain_timeout = 1s\nrequest_timeout = 1s\n"
    other = config.with_name("other.conf")
    other.write_text(short)
    config.write_text(good + "\nworkers = many\n")
    own.expected.append("workers: must be a whole number")
    try:
        ended = subprocess.run(
            [harness.BUILD / "wutsctl", "-c", other, "key", "rotate"],
            capture_output=True, text=True, timeout=60)
        assert ended.returncode == 1
        assert "has not taken up the key file" in ended.stderr
    finally:
        config.write_text(good)
    assert len(keys(own)[0]) == 2
    done(tenant.admin.client.get("/users"))
    assert own.json("key", "rotate")["finished"] is True
    done(tenant.admin.client.get("/users"))
