# SPDX-License-Identifier: MIT
"""Random sequences of operations on several tenants against a model that fits
on this page: every answer is the model's, and at the end so are the lists of
users, the audit trails and the events delivered. WUTS_SEED repeats a sequence
(it is printed when one fails), WUTS_PROPERTY_SECONDS says how long."""
import collections
import json
import os
import random
import time
import uuid

import pytest

import rules
from harness import PASSWORD, unique, wait_for
from rules import Caller, Target
from wire import Wire

SEED = int(os.environ.get("WUTS_SEED", time.time_ns() % 10**9))
SECONDS = float(os.environ.get("WUTS_PROPERTY_SECONDS", "15"))
TENANTS = 4
USERS = 10		# in a tenant, when it grows no more


class User:
    def __init__(self, tenant, user):
        self.tenant = tenant
        self.id = user["id"]
        self.email = user["email"]
        self.role = user["role"]
        self.active = user["active"]
        self.token = user["token"]

    def shown(self):
        return {"id": self.id, "tenant_id": self.tenant.id,
                "email": self.email, "role": self.role,
                "active": self.active, "token": self.token}


class Tenant:
    def __init__(self, body, hook):
        self.id = body["tenant"]["id"]
        self.name = body["tenant"]["name"]
        self.users = {}
        self.keys = []		# (id, text, scope)
        self.audit = []		# (action, actor, target, old, new, request)
        self.events = []	# (event, data)
        self.hook = hook
        self.deleted = False

    def other_admins(self, user):
        return sum(u.role == "admin" and u.active and u is not user
                   for u in self.users.values())


class Actor:
    """Who asks: a token, and what the model knows of whose it is."""

    def __init__(self, token, caller, audit, name, tenant=None, user=None):
        self.token, self.caller = token, caller
        self.audit, self.name = audit, name
        self.tenant, self.user = tenant, user

    @classmethod
    def nobody(cls, token):
        return cls(token, Caller("none"), None, None)

    @classmethod
    def master(cls, token):
        return cls(token, Caller("master"), ("super_admin", None, None),
                   "super_admin")

    @classmethod
    def member(cls, user):
        return cls(user.token, Caller("user", user.tenant, user.id, user.role,
                                      user.active),
                   ("user", user.id, user.role), user.id, user.tenant, user)

    @classmethod
    def key(cls, tenant, key):
        key_id, text, scope = key
        return cls(text, Caller("key", tenant, role="admin",
                                reads_only=scope == "read"),
                   ("api_key", None, None), "api_key:" + key_id, tenant)


class Run:
    """The system, the model, and the dice."""

    def __init__(self, wuts, receiver):
        self.wuts, self.receiver = wuts, receiver
        self.wire = Wire(wuts)
        self.dice = random.Random(SEED)
        self.master = Actor.master(wuts.master_token)
        self.tenants = []		# deleted ones, too
        self.dead_tokens, self.dead_ids = [str(uuid.uuid4())], []
        self.counts = collections.Counter()

    # --- asking ---

    def call(self, actor, method, path, body=None, **headers):
        """Status, error_code, body; now and then asked twice under one
        Idempotency-Key, with the same answer."""
        key = {}
        if method == "POST" and self.dice.random() < 0.1 and \
                not path.endswith(f"{actor.user and actor.user.id}/token"):
            key["Idempotency_Key"] = unique("key")
        args = actor.token, method, path, body
        status, answer = self.wire.call(*args, **headers, **key)
        self.request_id = self.wire.headers["X-Request-Id"]
        if key and status < 400:
            again = self.wire.call(*args, **headers, **key)
            assert again == (status, answer), (again, status, answer)
            self.counts["replayed"] += 1
        return status, answer.get("error_code"), answer

    def live(self):
        return [t for t in self.tenants if not t.deleted]

    def any_user(self, tenants=None):
        return self.dice.choice([u for t in tenants or self.live()
                                 for u in t.users.values()])

    def actor(self):
        chance = self.dice.random()
        if chance < 0.08:
            return self.master
        if chance < 0.12:
            return Actor.nobody(self.dice.choice(self.dead_tokens))
        tenant = self.dice.choice(self.live())
        if chance < 0.2 and tenant.keys:
            return Actor.key(tenant, self.dice.choice(tenant.keys))
        users = list(tenant.users.values())
        admins = [u for u in users if u.role == "admin" and u.active]
        if chance < 0.5 and admins:
            users = admins
        return Actor.member(self.dice.choice(users)) if users else self.master

    # --- what a success does to the model ---

    def note(self, tenant, actor, action, target, old, new, data=None):
        tenant.audit.append((action, actor.audit, target, old, new,
                             self.request_id))
        if data is not None:
            tenant.events.append((action, data))

    def register(self):
        hook = self.receiver.hook()
        status, _, body = self.call(self.master, "POST", "/register", {
            "tenant_name": unique("Casa"), "email": "admin@example.com",
            "password": PASSWORD})
        assert status == 201, body
        tenant = Tenant(body, hook)
        user = User(tenant, body["user"])
        self.tenants.append(tenant)
        self.note(tenant, self.master, "tenant.created", tenant.id, None,
                  {"tenant_id": tenant.id, "name": tenant.name})
        self.created(tenant, self.master, user)
        status, _, body = self.call(Actor.member(user), "POST",
                                    "/webhook?scope=tenant", {
                                        "webhook_url": hook.url,
                                        "enabled_events": ["*"]})
        assert status == 201, body
        self.note(tenant, Actor.member(user), "webhook.configured", tenant.id,
                  None, ...)
        tenant.events.clear()	# they are older than the webhook
        for scope in "full", "read":
            self.create_key(Actor.member(user), scope)

    def created(self, tenant, actor, user):
        tenant.users[user.id] = user
        data = {"user_id": user.id, "email": user.email, "role": user.role}
        self.note(tenant, actor, "user.created", user.id, None, data, data)

    def succeeded(self, ask, actor, user, answer):
        tenant, by = user.tenant, {"changed_by": actor.name}
        role, active = ask.after(user.role, user.active)
        if ask.what == "rotate":
            self.dead_tokens.append(user.token)
            user.token = answer["token"]
            self.note(tenant, actor, "user.token_rotated", user.id, None,
                      None, {"user_id": user.id, **by})
        elif ask.what == "delete":
            del tenant.users[user.id]
            self.dead_tokens.append(user.token)
            self.dead_ids.append(user.id)
            told = {"email": user.email, "role": user.role}
            self.note(tenant, actor, "user.deleted", user.id,
                      {**told, "active": user.active}, None,
                      {"user_id": user.id, **told, **by})
        if role != user.role:
            self.note(tenant, actor, "user.role_changed", user.id,
                      {"role": user.role}, {"role": role},
                      {"user_id": user.id, "old_role": user.role,
                       "new_role": role, **by})
        if active != user.active:
            self.note(tenant, actor, "user.updated", user.id,
                      {"active": user.active}, {"active": active},
                      {"user_id": user.id, "active": active, **by})
        user.role, user.active = role, active

    # --- operations ---

    def target(self, actor):
        """A user, or the id of none."""
        chance = self.dice.random()
        if chance < 0.03:
            return str(uuid.uuid4())
        if chance < 0.06 and self.dead_ids:
            return self.dice.choice(self.dead_ids)
        if chance < 0.12 and actor.user is not None:
            return actor.user
        if chance < 0.6 and actor.caller.kind == "key":
            admins = [u for u in actor.tenant.users.values()
                      if u.role == "admin" and u.active]
            if admins:
                return self.dice.choice(admins)
        if chance < 0.2 or actor.tenant is None or not actor.tenant.users:
            return self.any_user()
        return self.any_user([actor.tenant])

    def condition(self, user):
        """An If-Match now and then: whether it holds, and the header."""
        chance = self.dice.random()
        if chance > 0.15:
            return True, {}
        if chance > 0.08:
            return False, {"If_Match": '"of another day"'}
        self.wire.call(self.master.token, "GET", f"/users/{user.id}")
        return True, {"If_Match": self.wire.headers["ETag"]}

    def ask_user(self):
        actor = self.actor()
        user = self.target(actor)
        ask = self.dice.choice(rules.ASKS)
        if isinstance(user, str):
            expected = rules.answer(actor.caller, None, ask)
            assert self.call(actor, *ask.request(user))[:2] == expected
            return
        expected = rules.answer(actor.caller, Target(
            user.tenant, user.id, user.role, user.active,
            user.tenant.other_admins(user)), ask)
        holds, header = True, {}
        if ask.what in ("put", "promote", "delete"):
            holds, header = self.condition(user)
        if expected == rules.OK and not holds:
            expected = (412, "PRECONDITION_FAILED")
        status, code, answer = self.call(actor, *ask.request(user.id),
                                         **header)
        assert (status, code) == expected, (
            f"{ask} of {user.shown()} by {actor.caller}: {answer}; "
            f"expected {expected}")
        self.counts[f"{ask.what} {code or status}"] += 1
        if expected == rules.OK:
            self.succeeded(ask, actor, user, answer)
            if ask.what == "get":
                self.check_shown(answer["data"], user, token=False)

    @staticmethod
    def check_shown(shown, user, token=True):
        wanted = user.shown()
        if not token:
            wanted.pop("token")
        assert {name: shown[name] for name in wanted} == wanted
        assert token or "token" not in shown

    def admin_call(self, actor, method, path, body=None):
        """A route for admins: the answer, and its tenant when allowed."""
        tenant = actor.tenant
        if actor.caller.kind == "master":
            tenant = self.dice.choice(self.live())
            path += f"?tenant_id={tenant.id}"
        status, code, answer = self.call(actor, method, path, body)
        if actor.caller.kind == "none" or not actor.caller.active:
            assert status == 401, answer
        elif (actor.caller.kind != "master" and actor.caller.role != "admin") \
                or (actor.caller.reads_only and method != "GET"):
            assert (status, code) == rules.FORBIDDEN, answer
        else:
            return tenant, status, code, answer
        return None, status, code, answer

    def create(self):
        actor = self.actor()
        role = self.dice.choice(("admin", "manager", "user", "user"))
        tenants = [t for t in self.live() if len(t.users) < USERS]
        if actor.tenant is not None and actor.tenant not in tenants:
            return
        email = unique("u") + "@example.com"
        if self.dice.random() < 0.2:
            email = self.any_user().email.upper()
        tenant, status, code, answer = self.admin_call(
            actor, "POST", "/users",
            {"email": email, "password": PASSWORD, "role": role})
        if tenant is None:
            return
        if any(u.email.lower() == email.lower()
               for u in tenant.users.values()):
            assert (status, code) == (409, "EMAIL_EXISTS"), answer
            return
        assert status == 201 and answer["user"]["role"] == role, answer
        self.created(tenant, actor, User(tenant, answer["user"]))
        self.counts["create"] += 1

    def create_key(self, actor=None, scope=None):
        actor = actor or self.actor()
        if actor.tenant is not None and len(actor.tenant.keys) > 3:
            self.delete_key(actor)
            return
        scope = scope or self.dice.choice(["full", "read"])
        tenant, status, _, answer = self.admin_call(
            actor, "POST", "/api-keys", {"name": "model", "scope": scope})
        if tenant is None:
            return
        assert status == 201, answer
        tenant.keys.append((answer["api_key"]["id"], answer["key"], scope))
        self.note(tenant, actor, "api_key.created", answer["api_key"]["id"],
                  None, ...)

    def delete_key(self, actor):
        key = self.dice.choice(actor.tenant.keys)
        tenant, status, _, answer = self.admin_call(
            actor, "DELETE", f"/api-keys/{key[0]}")
        if tenant is None:
            return
        assert status == 200, answer
        tenant.keys.remove(key)
        self.dead_tokens.append(key[1])
        self.note(tenant, actor, "api_key.deleted", key[0], ..., None)

    def list_users(self):
        tenant, status, _, answer = self.admin_call(self.actor(), "GET",
                                                    "/users")
        if tenant is not None:
            assert status == 200, answer
            self.check_list(tenant, answer["users"])

    def check_list(self, tenant, shown):
        assert [u["id"] for u in shown] == list(tenant.users)
        for user in shown:
            self.check_shown(user, tenant.users[user["id"]])

    def replace_tenant(self):
        tenant = self.dice.choice(self.live())
        status, _, answer = self.call(self.master, "DELETE",
                                      f"/global/tenants/{tenant.id}")
        assert status == 200, answer
        assert answer["data"]["tenant_name"] == tenant.name
        tenant.deleted = True
        self.note(tenant, self.master, "tenant.deleted", tenant.id, ..., None)
        for user in tenant.users.values():
            self.dead_tokens.append(user.token)
            self.dead_ids.append(user.id)
        self.dead_tokens += [text for _, text, _ in tenant.keys]
        self.register()

    def step(self):
        operation = self.dice.choices(
            [self.ask_user, self.create, self.create_key, self.list_users,
             self.replace_tenant], [80, 15, 2, 4, 0.2])[0]
        operation()

    def missing(self):
        """What has not come up yet: a success of every endpoint, a refusal by
        every rule."""
        return [f"{what} 200" for what in (
            "get", "put", "promote", "delete", "rotate")
            if not self.counts[f"{what} 200"]] + [code for code in (
                "FORBIDDEN", "SELF_MODIFICATION", "ROLE_TRANSITION_DENIED",
                "USER_NOT_FOUND", "UNAUTHORIZED", "LAST_ADMIN",
                "PRECONDITION_FAILED")
                if not any(count.endswith(code) for count in self.counts)]

    # --- the end ---

    def check_audit(self, tenant):
        status, _, answer = self.call(self.master, "GET",
                                      f"/audit?tenant_id={tenant.id}")
        assert status == 200, answer
        entries = answer["entries"][::-1]
        assert [e["seq"] for e in entries] == \
            list(range(1, len(entries) + 1))
        for entry, wanted in zip(entries, tenant.audit):
            actor = entry["actor"]
            got = (entry["action"],
                   (actor["kind"], actor["user_id"], actor["role"]),
                   entry["target_id"], entry["old"], entry["new"],
                   entry["request_id"])
            assert all(w is ... or g == w
                       for g, w in zip(got, wanted)), (got, wanted)
        assert len(entries) == len(tenant.audit)

    @staticmethod
    def arrived(tenant):
        """The events by id; a repetition is the same."""
        events = {}
        for delivery in list(tenant.hook.deliveries):
            message = delivery.message
            assert message["id"] == delivery.id
            assert message["tenant_id"] == tenant.id
            assert events.setdefault(delivery.id, message) == message
        return [canonical(m["event"], m["data"]) for m in events.values()]

    def check_events(self, tenant):
        wanted = sorted(canonical(*event) for event in tenant.events)
        if tenant.deleted:	# what was still queued then is dropped
            got = collections.Counter(self.arrived(tenant))
            assert not got - collections.Counter(wanted)
            return
        wait_for(f"{len(wanted)} events",
                 lambda: len({d.id for d in list(tenant.hook.deliveries)})
                 >= len(wanted), 60)
        assert sorted(self.arrived(tenant)) == wanted

    def check_all(self):
        for tenant in self.tenants:
            status, _, answer = self.call(self.master, "GET",
                                          f"/users?tenant_id={tenant.id}")
            if tenant.deleted:
                assert status == 404, answer
            else:
                self.check_list(tenant, answer["users"])
            self.check_audit(tenant)
            self.check_events(tenant)


def canonical(event, data):
    return json.dumps([event, data], sort_keys=True)


@pytest.fixture
def run(wuts, receiver):
    run = Run(wuts, receiver)
    yield run
    run.wire.close()


def test_whatever_happens_the_model_agrees(run):
    print(f"WUTS_SEED={SEED}")
    for _ in range(TENANTS):
        run.register()
    end = time.monotonic() + SECONDS
    while time.monotonic() < end or run.missing():
        run.step()
        assert time.monotonic() < end + 180, run.missing()
    run.check_all()
    verified = run.wuts.ctl("audit", "verify")
    assert verified.returncode == 0, verified.stdout
    print(sum(run.counts.values()), dict(run.counts))
