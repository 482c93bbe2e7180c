# SPDX-License-Identifier: MIT
"""make install: everything is there, below one prefix, with modes that fit,
and speaks of the places of this installation."""
import re
import stat

import harness

PROGRAMS = {"wutsd", "wuts-spool", "wutsctl"}


def place(name):
    """A directory that configure has worked out."""
    makefile = (harness.BUILD / "Makefile").read_text()
    value = re.search(rf"^{name} = (.*)$", makefile, re.M).group(1)
    while "${" in value or "$(" in value:
        value = re.sub(r"\$[{(](\w+)[})]", lambda m: place(m.group(1)), value)
    return value


def test_programs_migrations_manuals_units_and_samples_are_installed(
        installed):
    files = installed.files()
    names = {path.name for path in files.values()}
    assert PROGRAMS <= names
    assert any(name.endswith("/bash-completion/completions/wutsctl")
               for name in files)
    for folder, pattern in (("sql", "*.sql"), ("nginx", "wuts*")):
        ours = {path.name for path in
                (harness.SOURCE / folder).glob(pattern)}
        assert ours and ours <= names
    assert {f"{name}.8" for name in PROGRAMS} | {
        "wuts-queue.5", "wuts.conf.5", "wuts.conf.sample", "wutsd.socket", "wutsd.service",
        "wuts-spool.service"} <= names
    assert {path.name for path in harness.SOURCE.glob("doc/*.md")} <= names


def test_everybody_may_read_it_and_only_the_owner_may_write(installed):
    for name, path in installed.files().items():
        mode = stat.S_IMODE(path.stat().st_mode)
        is_program = path.parent.name in ("bin", "sbin")
        wanted = 0o755 if is_program else 0o644
        assert mode == wanted, (name, oct(mode))


def test_nothing_outside_the_prefix_and_nothing_of_the_build(installed):
    prefix = place("prefix")
    for name, path in installed.files().items():
        assert name.startswith(prefix + "/"), name
        if path.parent.name not in ("bin", "sbin"):
            text = path.read_bytes()
            assert str(harness.BUILD).encode() not in text, name
            assert str(installed.destdir).encode() not in text, name


def test_documents_and_units_name_the_places_of_this_installation(installed):
    sysconfdir, sbindir = place("sysconfdir"), place("sbindir")
    run_dir = place("runstatedir") + "/wuts"
    service = installed.find("wutsd.service").read_text()
    assert f"ExecStart={sbindir}/wutsd -c {sysconfdir}/wuts/wuts.conf\n" in \
        service
    state = place("localstatedir")
    for unit in "wutsd.service", "wuts-spool.service":
        assert (f"\nReadWritePaths=-{run_dir} -{state}/lib/wuts"
                f" -{state}/log/wuts\n") in installed.find(unit).read_text()
    assert f"ListenStream={run_dir}/wutsd.sock\n" in \
        installed.find("wutsd.socket").read_text()
    sample = installed.find("wuts.conf.sample").read_text()
    assert f"\n#run_dir = {run_dir}\n" in sample
    assert f"\ninstallation_key_file = {sysconfdir}/wuts/" in sample
    assert f"{sysconfdir}/wuts/wuts.conf" in \
        installed.find("wuts.conf.5").read_text()


def test_uninstall_leaves_no_file_and_no_directory_of_ours(tmp_path,
                                                           installed):
    other = type(installed)(tmp_path / "root")
    assert other.files()
    other.make("uninstall")
    assert not other.files()
    for name in "pkgdatadir", "docdir":
        assert not (other.destdir / place(name)[1:]).exists()
