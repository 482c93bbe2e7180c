# SPDX-License-Identifier: MIT
"""doc/shared-hosting.md: without root and services, below Apache's mod_fcgid
and below spawn-fcgi, with wuts-spool from cron, and with a database user who
may have five connections and not one more."""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import document  # noqa: E402
import harness  # noqa: E402
from harness import done, verify_webhook, wait_for  # noqa: E402

PATH = os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin"
MODULES = pathlib.Path("/usr/lib/apache2/modules")
CONNECTIONS = 5


def sql(wuts, statement):
    return subprocess.run(
        ["mariadb", "--no-defaults", "--batch", "--skip-column-names",
         "--socket", str(wuts.sockets / "mariadb.sock"), "wuts"],
        input=statement, check=True, timeout=60, capture_output=True,
        text=True).stdout.strip()


class Home:
    """A home directory on that host, with ~/wuts as the document has it. The
    secrets and the database are those of the running instance."""

    def __init__(self, wuts, path):
        self.wuts, self.path = wuts, path
        self.root = path / "wuts"
        for name in ("sbin", "bin", "etc/wuts", "var/run/wuts",
                     "var/lib/wuts/queue", "var/log/wuts"):
            (self.root / name).mkdir(parents=True)
        for name in ("sbin/wutsd", "sbin/wuts-spool", "bin/wutsctl"):
            (self.root / name).symlink_to(
                harness.BUILD / pathlib.Path(name).name)
        self.config = self.root / "etc/wuts/wuts.conf"
        self.log = self.root / "var/log/wuts/wuts.log"
        self.env = dict(os.environ, HOME=str(path), PATH=PATH,
                        WUTS_CONFIG=str(self.config))
        sql(wuts, "CREATE USER IF NOT EXISTS few@localhost IDENTIFIED BY"
            f" 'few' WITH MAX_USER_CONNECTIONS {CONNECTIONS};"
            "GRANT ALL ON wuts.* TO few@localhost")
        password = self.root / "etc/wuts/database.password"
        password.write_text("few\n")
        password.chmod(0o600)
        ours = {
            "database_password_file": password, "database_user": "few",
            "log_file": self.log, "run_dir": self.root / "var/run/wuts",
            "queue_dir": self.root / "var/lib/wuts/queue",
            "socket": self.root / "var/run/wuts/wutsd.sock",
            "nginx_config": ""}
        # The settings that the document recommends.
        for line in document.block("shared-hosting.md", "## The programs",
                                   "database_host").splitlines():
            name, value = line.split(" = ")
            if not name.startswith(("database_host", "database_name",
                                    "database_user", "database_pass",
                                    "log_file")):
                ours[name] = value
        assert ours["database_connections"] == str(CONNECTIONS)
        theirs = [line for line in wuts.config.read_text().splitlines()
                  if line.split(" =")[0] not in ours]
        self.config.write_text("\n".join(
            theirs + [f"{name} = {value}" for name, value in ours.items()])
            + "\n")

    def run(self, command):
        return subprocess.run(["sh", "-e", "-c", command], env=self.env,
                              cwd=self.path, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60)

    def pids(self):
        """Of every wutsd that has this configuration."""
        found = []
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if process.joinpath("exe").resolve().name == "wutsd" and \
                        str(self.config).encode() in \
                        process.joinpath("environ").read_bytes() + \
                        process.joinpath("cmdline").read_bytes():
                    found.append(int(process.name))
            except (OSError, RuntimeError):
                continue
        return found

    def children(self, pid):
        return pathlib.Path(
            f"/proc/{pid}/task/{pid}/children").read_text().split()

    def end_workers(self):
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        wait_for("the end of wutsd", lambda: not self.pids())


@pytest.fixture
def home(wuts):
    # A socket's path has 107 bytes: not below pytest's own directory.
    path = pathlib.Path(tempfile.mkdtemp(prefix="wuts-home-"))
    home = Home(wuts, path)
    yield home
    home.end_workers()
    complaints = [line for line in home.log.read_text().splitlines()
                  if " error " in line] if home.log.exists() else []
    shutil.rmtree(path)
    assert not complaints, complaints


def elsewhere(wuts, url):
    """The same secrets, reached at another URL."""
    settings = harness.Instance.read_settings(wuts.run / "quickstart.env")
    return harness.Instance(dict(settings, WUTS_URL=url))


def wait_for_site(site):
    def answers():
        try:
            return site.client().session.get(
                site.url + "/readyz", timeout=30).status_code == 200
        except OSError:
            return False
    wait_for("the site", answers)


def tell_the_story(home, site, receiver):
    """A tenant, a webhook, and an event that cron delivers."""
    hook = receiver.hook()
    tenant = site.tenant()
    device = tenant.admin.device()
    secret = done(tenant.admin.client.post(
        f"/webhook?device_id={device}",
        {"webhook_url": hook.url, "enabled_events": ["*"]}),
        201)["webhook"]["secret"]
    event = done(site.engine().post(f"/devices/{device}/events", {
        "event": "message.received", "data": {"text": "Hello"}}),
        202)["ids"][0]
    line = document.block("shared-hosting.md", "## Delivery from cron", "*")
    spooler = home.run(line.removeprefix("* * * * * "))
    assert spooler.returncode == 0, spooler.stderr
    delivery = next(d for d in hook.deliveries if d.id == event)
    verify_webhook(secret, delivery.headers, delivery.body)
    return tenant


def ask_all_at_once(tenant, threads=12, rounds=8):
    """Requests that need the database, more than it has connections for."""
    failures = []

    def ask():
        client = tenant.admin.client.instance.client(tenant.admin.token)
        try:
            for _ in range(rounds):
                done(client.get("/users?limit=5"))
                done(client.post("/devices", {"name": "phone"}), 201)
        except BaseException as failure:	# told in the test's thread
            failures.append(failure)

    running = [threading.Thread(target=ask) for _ in range(threads)]
    for thread in running:
        thread.start()
    return running, failures


def connections(wuts):
    return int(sql(wuts, "SELECT COUNT(*) FROM information_schema.processlist"
                   " WHERE user = 'few'"))


# --- nginx and spawn-fcgi ---

@pytest.fixture
def nginx(home, wuts):
    """The host's nginx, with our site, on a port of its own."""
    port = harness.free_port()
    work = home.path / "nginx"
    work.mkdir()
    (work / "nginx.conf").write_text(f"""\
{"user root;" if os.geteuid() == 0 else ""}
daemon off;
pid {work}/pid;
error_log {work}/error.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {work}/body;
    fastcgi_temp_path {work}/fastcgi;
    proxy_temp_path {work}/proxy;
    scgi_temp_path {work}/scgi;
    uwsgi_temp_path {work}/uwsgi;
    include {work}/site.conf;
}}
""")
    site = (wuts.run / "nginx/site.conf").read_text()
    site = re.sub(r"listen 127\.0\.0\.1:\d+;", f"listen 127.0.0.1:{port};",
                  site, count=1)
    socket = home.root / "var/run/wuts/wutsd.sock"
    (work / "site.conf").write_text(
        site.replace(str(wuts.sockets / "wutsd.sock"), str(socket)))
    server = subprocess.Popen(
        ["nginx", "-p", work, "-c", work / "nginx.conf"], env=home.env,
        stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield elsewhere(wuts, f"http://127.0.0.1:{port}")
    server.send_signal(signal.SIGQUIT)
    server.wait(30)


@pytest.mark.skipif(shutil.which("spawn-fcgi", path=PATH) is None,
                    reason="no spawn-fcgi: install spawn-fcgi")
def test_spawn_fcgi_cron_and_five_connections(home, nginx, wuts, receiver):
    started = home.run(document.block(
        "shared-hosting.md", "## Under nginx, with spawn-fcgi",
        "spawn-fcgi"))
    assert started.returncode == 0, started.stderr
    wait_for_site(nginx)
    tenant = tell_the_story(home, nginx, receiver)
    running, failures = ask_all_at_once(tenant)
    (master,) = [pid for pid in home.pids() if home.children(pid)]
    while any(thread.is_alive() for thread in running):
        os.kill(master, signal.SIGHUP)
        home.run("$HOME/wuts/sbin/wuts-spool --once")
    for thread in running:
        thread.join()
    assert not failures, failures[0]
    doctor = home.run("$HOME/wuts/bin/wutsctl doctor").stdout
    assert f"ok    database connections: up to 5 of the {CONNECTIONS}" in \
        doctor, doctor


def test_idle_workers_let_their_connections_go(home, nginx, wuts):
    home.config.write_text(re.sub("database_idle_timeout = .*",
                                  "database_idle_timeout = 200ms",
                                  home.config.read_text()))
    server = subprocess.Popen([home.root / "sbin/wutsd"], env=home.env,
                              stdin=subprocess.DEVNULL)
    wait_for_site(nginx)
    nginx.tenant()
    wait_for("no connection", lambda: connections(wuts) == 0)
    nginx.tenant()		# and they come back without a word
    server.terminate()
    assert server.wait(30) == 0


# --- Apache and mod_fcgid ---

needs_apache = pytest.mark.skipif(
    shutil.which("apache2", path=PATH) is None or
    not (MODULES / "mod_fcgid.so").exists(),
    reason="no mod_fcgid: install libapache2-mod-fcgid")


@pytest.fixture
def apache(home, wuts):
    """The host's Apache. Its document root has the two files."""
    port = harness.free_port()
    work, public = home.path / "apache", home.path / "public_html"
    work.mkdir()
    public.mkdir()
    placed = home.root / "share/wuts/shared-hosting"
    placed.mkdir(parents=True)
    for name in ("htaccess", "wuts.fcgi"):
        shutil.copy(harness.BUILD / "placed" / name, placed / name)
    script = placed / "wuts.fcgi"
    script.write_text(re.sub(
        r"^exec .*$", f"exec {home.root}/sbin/wutsd -c {home.config}",
        script.read_text(), flags=re.M))
    copied = home.run(document.block(
        "shared-hosting.md", "## Under Apache with mod_fcgid", "cp").split(
        "\n\n")[0])
    assert copied.returncode == 0, copied.stderr
    modules = "\n".join(
        f"LoadModule {name}_module {MODULES}/mod_{name}.so"
        for name in ("mpm_event", "authz_core", "mime", "rewrite", "fcgid"))
    # Apache refuses to be root. Somebody else with root's files, then.
    other = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
    (work / "httpd.conf").write_text(f"""\
ServerRoot {work}
ServerName localhost
Listen 127.0.0.1:{port}
PidFile {work}/pid
ErrorLog {work}/error.log
DefaultRuntimeDir {work}
{modules}
TypesConfig /dev/null
FcgidIPCDir {work}/sockets
FcgidProcessTableFile {work}/table
FcgidMaxProcessesPerClass {CONNECTIONS - 3}
DocumentRoot {public}
<Directory {public}>
    AllowOverride All
    Require all granted
</Directory>
""")
    server = subprocess.Popen(
        [*(other if os.geteuid() == 0 else []), "apache2", "-D", "FOREGROUND", "-d", work, "-f",
         work / "httpd.conf"], env=dict(home.env, WUTS_CONFIG=""),
        stdin=subprocess.DEVNULL)
    yield elsewhere(wuts, f"http://127.0.0.1:{port}")
    server.terminate()
    server.wait(30)
    print((work / "error.log").read_text())	# shown when the test failed


@needs_apache
def test_mod_fcgid_cron_and_five_connections(home, apache, wuts, receiver):
    wait_for_site(apache)
    harness.refused(apache.client().get("/users"), 401, "UNAUTHORIZED")
    harness.refused(apache.client().get("/nowhere"), 404, "NOT_FOUND")
    tenant = tell_the_story(home, apache, receiver)
    running, failures = ask_all_at_once(tenant, threads=6, rounds=4)
    while any(thread.is_alive() for thread in running):
        home.run("$HOME/wuts/sbin/wuts-spool --once")
    for thread in running:
        thread.join()
    assert not failures, failures[0]
    assert len(home.pids()) <= CONNECTIONS - 3


def test_workers_on_their_own_count_each_other(home):
    """As mod_fcgid starts them: each with a socket on descriptor 0."""
    import socket
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(home.path / "fcgi.sock"))
        listening.listen()
        workers = [subprocess.Popen([home.root / "sbin/wutsd"],
                                    env=home.env, stdin=listening)
                   for _ in range(CONNECTIONS - 3)]
        wait_for("the workers", lambda: home.log.exists() and
                 home.log.read_text().count("serving alone") == 2)
        spare = subprocess.run([home.root / "sbin/wutsd"], env=home.env,
                               stdin=listening, timeout=60)
        assert spare.returncode == 1
        text = home.log.read_text()
        assert "room for 2 workers, and they are there" in text
        workers[0].terminate()
        assert workers[0].wait(30) == 0
        workers.append(subprocess.Popen([home.root / "sbin/wutsd"],
                                        env=home.env, stdin=listening))
        wait_for("its successor", lambda:
                 home.log.read_text().count("serving alone") == 3)
        home.end_workers()
        for worker in workers:
            worker.wait(30)
    home.log.write_text("".join(
        line + "\n" for line in home.log.read_text().splitlines()
        if "and they are there" not in line))
