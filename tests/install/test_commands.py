# SPDX-License-Identifier: MIT
"""What helps at the prompt: a help that fits a screen, manuals that are
formatted without a complaint, completion by bash."""
import os
import re
import shutil
import subprocess

import pytest

import harness

PROGRAMS = ("wutsd", "wuts-spool", "wutsctl")
COMPLETION = harness.SOURCE / "packaging/bash-completion/wutsctl"


def output(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout


def commands():
    """The words of every command of wutsctl, and its options."""
    for line in output(harness.BUILD / "wutsctl", "--commands").splitlines():
        words = line.split()
        options = [word for word in words if word.startswith("--")]
        yield words[:len(words) - len(options)], options


def assert_fits(text):
    # How long the prefix is, is whoever runs configure's choice.
    lines = re.sub(r"/[^\s()]+(/(?:etc|share)/wuts)", r"/usr/local\1",
                   text).splitlines()
    assert len(lines) <= 24, text
    assert all(len(line.expandtabs()) <= 80 for line in lines), text


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_help_of_a_program_fits_one_screen(name):
    assert_fits(output(harness.BUILD / name, "--help"))


def test_the_help_of_every_command_fits_one_screen_and_names_its_options():
    for words, options in commands():
        text = output(harness.BUILD / "wutsctl", *words, "--help")
        assert_fits(text)
        for option in options:
            assert option.partition("=")[0] in text, (words, text)


def test_the_manual_has_every_command_and_option():
    manual = (harness.SOURCE / "doc/wutsctl.8").read_text()
    for words, options in commands():
        start = f".It Cm {' '.join(words)}"
        rows = [line for line in manual.splitlines()
                if line == start or line.startswith(start + " ")]
        assert rows, words
        for option in options:
            name = option.partition("=")[0].replace("--", "Fl -")
            assert any(name in row for row in rows), (words, option)


@pytest.mark.skipif(shutil.which("mandoc") is None,
                    reason="no mandoc: install mandoc")
def test_every_manual_is_formatted_without_a_complaint():
    for path in sorted(harness.SOURCE.glob("doc/*.[58]")):
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", path],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout


def completed(line):
    """What bash offers for the last word of line, where "" begins a new
    one."""
    words = ["wutsctl"] + line
    script = f"""
        source {COMPLETION}
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _wutsctl
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    environment = dict(os.environ,
                       PATH=f"{harness.BUILD}:{os.environ['PATH']}")
    done = subprocess.run(["bash", "-c", script, "bash", *words],
                          capture_output=True, text=True, timeout=60,
                          env=environment)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return set(done.stdout.split())


def test_bash_completes_nouns_verbs_options_and_values(tmp_path):
    nouns = {words[0] for words, _ in commands()}
    assert completed([""]) == nouns
    assert completed(["do"]) == {"doctor"}
    assert completed(["queue", ""]) == {
        words[1] for words, _ in commands() if words[0] == "queue"}
    assert completed(["queue", "st"]) == {"status"}
    assert completed(["user", "create", "--r"]) == {"--role="}
    assert completed(["user", "create", "--role", "=", "m"]) == {"manager"}
    assert completed(["user", "create", "--role", "m"]) == {"manager"}
    assert completed(["queue", "list", "--state", "="]) == {
        "waiting", "retrying", "prepared", "dead"}
    assert completed(["-c", "x.conf", "migrate", "--"]) == {
        "--check", "--sql=", "--config=", "--help"}
    assert completed(["--v"]) == {"--version"}
    assert completed(["doctor", ""]) == set()
    (tmp_path / "one.conf").touch()
    assert completed(["-c", f"{tmp_path}/o"]) == {f"{tmp_path}/one.conf"}


def test_every_command_is_completed_with_all_its_options():
    for words, options in commands():
        assert completed([*words, "-"]) == {
            option.partition("=")[0] + ("=" if "=" in option else "")
            for option in options} | {"--config=", "--help"}
