# SPDX-License-Identifier: MIT
"""The rules of spec/wuts.md §2 and §3 as a test may expect them: who asks
what of whom, and the status and error_code of the answer. Written from the
specification's tables and sentences, in their order."""
import dataclasses

ROLES = ("admin", "manager", "user")
OK = (200, None)
UNAUTHORIZED = (401, "UNAUTHORIZED")
FORBIDDEN = (403, "FORBIDDEN")
SELF = (403, "SELF_MODIFICATION")
TRANSITION = (403, "ROLE_TRANSITION_DENIED")
UNKNOWN = (404, "USER_NOT_FOUND")
LAST_ADMIN = (409, "LAST_ADMIN")

# caller: target: what it may do
MANAGE = {
    "admin": {"user": "view active role delete",
              "manager": "view active role delete",
              "admin": "view active role delete"},
    "manager": {"user": "view active role", "manager": "view", "admin": ""},
    "user": {"user": "", "manager": "", "admin": ""},
}
# actor: from->to
TRANSITIONS = {
    "admin": "user->manager user->admin manager->admin manager->user "
             "admin->manager admin->user",
    "manager": "user->manager",
    "user": "",
}


@dataclasses.dataclass(frozen=True)
class Ask:
    """One request on a user: an endpoint and what the body wants."""
    what: str			# get, put, promote, delete, rotate
    role: str = None
    active: bool = None

    def __str__(self):
        return " ".join([self.what] + [
            f"{name}={value}" for name, value in (
                ("role", self.role), ("active", self.active))
            if value is not None])

    def request(self, user_id):
        """Method, path and body."""
        path = f"/users/{user_id}"
        if self.what == "get":
            return "GET", path, None
        if self.what == "delete":
            return "DELETE", path, None
        if self.what == "rotate":
            return "POST", path + "/token", None
        if self.what == "promote":
            return "POST", path + "/promote", {"new_role": self.role}
        return "PUT", path, {
            name: value for name, value in (("role", self.role),
                                            ("active", self.active))
            if value is not None}

    def after(self, role, active):
        """The role and flag of a user of whom this was asked with success."""
        return (self.role or role,
                active if self.active is None else self.active)


ASKS = ([Ask("get"), Ask("delete"), Ask("rotate")]
        + [Ask("promote", role) for role in ROLES]
        + [Ask("put", role) for role in ROLES]
        + [Ask("put", None, active) for active in (True, False)]
        + [Ask("put", role, active) for role in ROLES
           for active in (True, False)])


@dataclasses.dataclass
class Caller:
    kind: str			# none, master, engine, user, key
    tenant: object = None
    user_id: str = None
    role: str = None		# a key's is admin
    active: bool = True
    reads_only: bool = False


@dataclasses.dataclass
class Target:
    tenant: object
    user_id: str
    role: str
    active: bool
    others: int = 1		# active admins of its tenant besides it


def answer(caller, target, ask, transitions=TRANSITIONS):
    """target None: there is no such user anywhere."""
    if caller.kind == "none" or not caller.active:
        return UNAUTHORIZED
    if caller.kind == "engine":
        return FORBIDDEN
    if caller.reads_only and ask.what != "get":
        return FORBIDDEN
    if target is None:
        return UNKNOWN
    if caller.kind == "master":
        return OK
    if caller.tenant != target.tenant:
        return UNKNOWN
    is_self = caller.kind == "user" and caller.user_id == target.user_id
    if ask.what == "rotate":
        return OK if is_self or caller.role == "admin" else FORBIDDEN
    if is_self:
        return OK if ask.what == "get" else SELF
    return _managed(caller, target, ask, transitions)


def _managed(caller, target, ask, transitions):
    needed = {"view"}
    if ask.what == "delete":
        needed.add("delete")
    if ask.active is not None:
        needed.add("active")
    if ask.role is not None:
        needed.add("role")
    if not needed <= set(MANAGE[caller.role][target.role].split()):
        return FORBIDDEN
    role, active = ask.after(target.role, target.active)
    if role != target.role and f"{target.role}->{role}" not in \
            transitions[caller.role].split():
        return TRANSITION
    was_admin = target.role == "admin" and target.active
    is_admin = role == "admin" and active and ask.what != "delete"
    if was_admin and not is_admin and target.others == 0:
        return LAST_ADMIN
    return OK
