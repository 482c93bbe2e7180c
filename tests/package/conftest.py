# SPDX-License-Identifier: MIT
"""A machine that has never heard of WUTS, and the package to put on it."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import document  # noqa: E402

sys.dont_write_bytecode = True

BASE = ["ca-certificates", "curl", "dbus", "logrotate", "mariadb-server",
        "nginx", "procps", "systemd", "systemd-sysv"]


def wait_for(what, condition, seconds=300):
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(0.05)
    return value


def call(*command, **kwargs):
    return subprocess.run(command, check=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=1200, **kwargs)


class Machine:
    """A root, booted: its systemd, its users, no network."""

    def __init__(self, root):
        self.root = root
        self.log = open(root.parent / "console", "w")
        self.nspawn = subprocess.Popen(
            ["systemd-nspawn", "--quiet", "--boot", "--register=no",
             "--keep-unit", "--private-network", "--console=pipe",
             "-D", root], stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=self.log, start_new_session=True)

    def boot(self):
        wait_for("the boot", self.is_booted)

    def is_booted(self):
        # Asked anew each time: the first child is for a moment one of
        # systemd-nspawn's own, which makes the machine and ends.
        self.pid = self.find_init()
        return self.pid and self.run(
            "systemctl is-system-running", check=False).stdout.strip() in (
            "running", "degraded")

    def find_init(self):
        assert self.nspawn.poll() is None, "systemd-nspawn ended"
        children = pathlib.Path(
            f"/proc/{self.nspawn.pid}/task/{self.nspawn.pid}/children")
        pids = children.read_text().split()
        return int(pids[0]) if pids else None

    def run(self, script, check=True):
        """Shell commands, as root. `sudo` in them changes nothing."""
        done = subprocess.run(
            ["nsenter", "-t", str(self.pid), "-m", "-u", "-i", "-n", "-p",
             "-C", "-r", "-w", "env", "-i",
             "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"
             ":/sbin:/bin", "HOME=/root", "DEBIAN_FRONTEND=noninteractive",
             "sh", "-e", "-c", 'sudo() { "$@"; }\n' + script],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=300)
        assert not check or done.returncode == 0, \
            f"{script}\n-> {done.returncode}\n{done.stdout}"
        return done

    def says(self, script):
        return self.run(script).stdout.strip()

    def close(self):
        # With its first process all others of the machine end, at once;
        # without that they would outlive systemd-nspawn.
        if self.nspawn.poll() is None:
            pid = self.find_init()
            if pid:
                os.kill(pid, signal.SIGKILL)
            else:
                self.nspawn.kill()
            self.nspawn.wait(60)
        self.log.close()


def make_root(root, cache):
    """A minimal Debian with a database and nginx, and nothing of ours."""
    if cache and cache.exists():
        root.mkdir()
        call("tar", "-xf", str(cache), "-C", str(root))
        return
    release = re.search(r"^VERSION_CODENAME=(\S+)", pathlib.Path(
        "/etc/os-release").read_text(), re.M).group(1)
    done = subprocess.run(["debootstrap", "--variant=minbase", release, root],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=1200)
    if done.returncode != 0:
        pytest.skip("debootstrap: no mirror can be reached: "
                    + done.stdout.strip().splitlines()[-1])
    in_root(root, "apt-get", "update")
    in_root(root, "apt-get", "install", "-y", "--no-install-recommends",
            *BASE)
    if cache:
        call("tar", "-cf", f"{cache}.new", "-C", str(root), ".")
        os.replace(f"{cache}.new", cache)


def in_root(root, *command):
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive", LC_ALL="C")
    call("chroot", str(root), *command, env=env, stdout=subprocess.DEVNULL,
         stderr=subprocess.DEVNULL)


@pytest.fixture(scope="session")
def work():
    # Not below pytest's own directory: nspawn wants its parents passable.
    path = pathlib.Path(tempfile.mkdtemp(prefix="wuts-package-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def package(work):
    """The .deb, as doc/install.md has it built."""
    line = document.block("install.md", "## Debian package",
                          "sudo apt-get update").splitlines()[-1]
    assert line == "packaging/build-deb ."
    with open(work / "build.log", "w") as log:
        done = subprocess.run([document.SOURCE / "packaging/build-deb", work],
                              stdin=subprocess.DEVNULL, stdout=log,
                              stderr=subprocess.STDOUT, timeout=1200)
    assert done.returncode == 0, (work / "build.log").read_text()[-3000:]
    found = list(work.glob("wuts_*.deb"))
    assert len(found) == 1
    return found[0]


@pytest.fixture(scope="session")
def machine(work, package):
    cache = os.environ.get("WUTS_PACKAGE_ROOT")
    root = work / "root"
    make_root(root, pathlib.Path(cache) if cache else None)
    depends = subprocess.run(["dpkg-deb", "-f", package, "Depends"],
                             capture_output=True, text=True, check=True)
    names = [part.split("|")[0].split("(")[0].strip()
             for part in depends.stdout.split(",")]
    in_root(root, "apt-get", "install", "-y", "--no-install-recommends",
            *names)
    machine = Machine(root)
    try:
        machine.boot()
        yield machine
    finally:
        machine.close()


@pytest.fixture(scope="session")
def repacked(work, package):
    """repacked(version): the same package, as if it were another one's."""
    def make(version):
        tree = work / f"deb-{version}"
        call("dpkg-deb", "-R", str(package), str(tree))
        control = tree / "DEBIAN/control"
        control.write_text(re.sub(r"^Version: .*$", f"Version: {version}",
                                  control.read_text(), flags=re.M))
        out = work / f"wuts-{version}.deb"
        call("dpkg-deb", "--root-owner-group", "-b", str(tree), str(out),
             stdout=subprocess.DEVNULL)
        return out
    return make
