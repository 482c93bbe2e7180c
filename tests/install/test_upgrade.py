# SPDX-License-Identifier: MIT
"""Migrations from every version there ever was: what stood in the tables is
there afterwards, this release reads it, and programs of the old version that
still run can go on writing, before, while and after it is migrated.

rows/NNNN.sql holds what a program of schema version NNNN writes more than the
one before. A migration needs one beside it."""
import json
import pathlib
import subprocess
import threading

import pytest

import harness

ROWS = pathlib.Path(__file__).resolve().parent / "rows"
MIGRATIONS = sorted((harness.SOURCE / "sql").glob("[0-9]*.sql"))
VERSIONS = [int(path.name[:4]) for path in MIGRATIONS]


class Database:
    """A database of its own on the instance's server, and wutsctl for it."""

    def __init__(self, wuts, name, path):
        self.wuts, self.name = wuts, name
        self.sql(f"CREATE DATABASE {name} CHARACTER SET utf8mb4", None)
        self.sql(f"GRANT ALL ON {name}.* TO wuts@localhost", None)
        self.config = path / "wuts.conf"
        text = wuts.config.read_text()
        assert "\ndatabase_name = wuts\n" in text
        self.config.write_text(text.replace(
            "\ndatabase_name = wuts\n", f"\ndatabase_name = {name}\n"))

    def sql(self, statements, name=""):
        done = subprocess.run(
            ["mariadb", "--no-defaults", "--batch", "--skip-column-names",
             "--socket", self.wuts.sockets / "mariadb.sock",
             *([] if name is None else [name or self.name])],
            input=statements, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, (statements, done.stderr)
        return done.stdout.splitlines()

    def ctl(self, *args):
        return subprocess.run(
            [harness.BUILD / "wutsctl", "-c", self.config, *args],
            capture_output=True, text=True, timeout=120)

    def migrate(self, directory):
        return self.ctl("migrate", "--sql", directory)

    def write(self, version, n, user="NULL NULL NULL"):
        """As a program of that version; user: what real_users() gave."""
        tenant, id, sealed = user.split()
        self.sql(f"SET @n = {n}, @t = {tenant}, @u = {id},"
                 f" @sealed = {sealed};\n" + "".join(
            (ROWS / f"{v:04}.sql").read_text()
            for v in VERSIONS if v <= version))

    def rows(self, columns):
        """All rows, by table; columns: table to names."""
        return {table: sorted(self.sql(
            "SELECT " + ", ".join(f"HEX({name})" for name in names)
            + f" FROM {table}")) for table, names in columns.items()}

    def columns(self):
        found = {}
        for line in self.sql(
                "SELECT table_name, column_name FROM"
                " information_schema.columns WHERE table_schema = DATABASE()"
                " AND table_name <> 'schema_migration'"
                " ORDER BY table_name, ordinal_position"):
            table, column = line.split("\t")
            found.setdefault(table, []).append(column)
        return found


@pytest.fixture
def database(wuts, tmp_path, request):
    name = "up_" + harness.unique("x")[2:]
    database = Database(wuts, name, tmp_path)
    yield database
    database.sql(f"DROP DATABASE {name}", None)


@pytest.fixture(scope="module")
def real_users(wuts):
    """Tenant, id and sealed token of as many as are needed."""
    ids = [wuts.tenant().admin.id for _ in range(2 * len(VERSIONS) + 3)]
    here = subprocess.run(
        ["mariadb", "--no-defaults", "--batch", "--skip-column-names",
         "--socket", wuts.sockets / "mariadb.sock", "wuts"], text=True,
        input="".join(
            "SELECT CONCAT_WS(' ', CONCAT('0x', HEX(tenant_id)), CONCAT('0x',"
            " HEX(id)), CONCAT('0x', HEX(token_sealed))) FROM users WHERE"
            f" id = 0x{id.replace('-', '')};" for id in ids),
        check=True, capture_output=True, timeout=60)
    return here.stdout.splitlines()


def release(version, path):
    """The migrations that a release of that version brought."""
    directory = path / f"sql-{version}"
    directory.mkdir()
    for migration in MIGRATIONS[:version]:
        (directory / migration.name).symlink_to(migration)
    return directory


def test_versions_have_no_gap_and_are_those_of_the_program(database):
    assert VERSIONS == list(range(1, len(VERSIONS) + 1))
    assert [int(path.name[:4]) for path in sorted(ROWS.glob("*.sql"))] == \
        VERSIONS, "a migration needs rows of its version beside this file"
    done = database.migrate(harness.SOURCE / "sql")
    assert done.returncode == 0, done.stderr
    assert f"this release works with {VERSIONS[-1]}\n" in \
        database.ctl("migrate", "--check").stdout


def assert_read(database, n):
    """By this release: the tenant's user, and its trail goes on."""
    name = f"Tenant {n}"
    listed = json.loads(database.ctl("user", "list", name, "--json").stdout)
    assert [(user["email"], user["role"]) for user in listed["users"]] == \
        [("Ana@acme.example", "admin")]
    made = database.ctl("key", "create", name, "another")
    assert made.returncode == 0, made.stderr
    verified = database.ctl("audit", "verify", name)
    assert verified.returncode == 0, verified.stdout


def test_what_any_version_wrote_this_release_has(database, real_users,
                                                 tmp_path):
    left = []		# a version's columns, and their rows as it left them
    for version in VERSIONS:
        database.migrate(release(version, tmp_path))
        database.write(version, version, real_users.pop())
        columns = database.columns()
        left.append((columns, database.rows(columns)))
    for columns, rows in left:
        now = database.rows(columns)
        for table in columns:
            assert rows[table] and set(rows[table]) <= set(now[table]), table
    # Programs of all the old versions, not restarted yet.
    for version in VERSIONS:
        database.write(version, 100 + version, real_users.pop())
    listed = json.loads(database.ctl("tenant", "list", "--json").stdout)
    assert {tenant["name"] for tenant in listed["tenants"]} == \
        {f"Tenant {base + version}" for base in (0, 100)
         for version in VERSIONS}
    for n in (1, VERSIONS[-1], 101, 100 + VERSIONS[-1]):
        assert_read(database, n)


EMAIL = "ana@acme.example"
SEARCHED = {1: f"{EMAIL} {EMAIL}", 8: f"ana8 {EMAIL} {EMAIL}",
            11: f"ana sousa ana11 {EMAIL} {EMAIL} +4915112345678 15112345678"}


def searched(database):
    return dict(line.split("\t") for line in database.sql(
        "SELECT tenant.name, text FROM user_search JOIN tenant ON"
        " tenant.id = tenant_id"))


def test_what_old_programs_leave_out_the_next_migration_writes(database,
                                                              real_users):
    """Their users are found, have their address, and are counted."""
    assert database.migrate(harness.SOURCE / "sql").returncode == 0
    for version in SEARCHED:
        database.write(version, version, real_users.pop())
    database.sql("INSERT INTO user_count SELECT id, 7 FROM tenant"
                 " WHERE name = 'Tenant 8'")
    assert not searched(database)
    done = database.migrate(harness.SOURCE / "sql")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"kept     schema, version {VERSIONS[-1]}",
        "completed 3 users that an older release wrote",
        "counted  the users of 1 tenants"]
    assert searched(database) == {
        f"Tenant {version}": text for version, text in SEARCHED.items()}
    assert database.sql("SELECT n FROM user_count") == ["1"]
    for version in SEARCHED:
        ran = database.ctl("export", f"Tenant {version}")
        assert ran.returncode == 0, ran.stderr
        [user] = map(json.loads, ran.stdout.splitlines())
        assert [(e["email"], e["is_primary"]) for e in user["emails"]] == \
            [("Ana@acme.example", True)]
    before = database.rows(database.columns())
    # An old program changes one of them.
    database.sql("UPDATE users SET username = 'Eve', username_key = 'eve'"
                 " WHERE username = 'Ana8'")
    done = database.migrate(harness.SOURCE / "sql")
    assert "completed 1 users" in done.stdout
    assert searched(database)["Tenant 8"] == f"eve {EMAIL} {EMAIL}"
    after = database.rows(database.columns())
    assert {table for table in before if before[table] != after[table]} == \
        {"users", "user_search"}
    done = database.migrate(harness.SOURCE / "sql")
    assert done.stdout == f"kept     schema, version {VERSIONS[-1]}\n"


def test_old_programs_write_and_read_while_it_is_migrated(database, tmp_path):
    database.migrate(release(1, tmp_path))
    stop, failures, written = threading.Event(), [], [0]

    def serve():
        try:
            while not stop.is_set():
                database.write(1, written[0] + 1)
                written[0] += 1
                assert database.sql("SELECT COUNT(*) FROM users")
        except BaseException as failure:	# told in the test's thread
            failures.append(failure)

    server = threading.Thread(target=serve)
    server.start()
    harness.wait_for("the old program", lambda: written[0] > 3 or failures)
    done = database.migrate(harness.SOURCE / "sql")
    after = written[0]
    harness.wait_for("more", lambda: written[0] > after + 3 or failures)
    stop.set()
    server.join()
    assert not failures, failures[0]
    assert done.returncode == 0, done.stderr
    assert database.sql("SELECT COUNT(*) FROM tenant") == [str(written[0])]
    assert database.migrate(harness.SOURCE / "sql").returncode == 0
    for table in "user_search", "user_email":
        assert database.sql(f"SELECT COUNT(*) FROM {table}") == \
            [str(written[0])]
