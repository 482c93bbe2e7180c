# SPDX-License-Identifier: MIT
"""doc/operations.md names no metric, command, option or setting that is not
there."""
import re
import subprocess

import harness

TEXT = (harness.SOURCE / "doc/operations.md").read_text()
PAGES = ("operations.md", "install.md", "backup.md", "shared-hosting.md")


def test_every_metric_of_the_page_is_one_of_the_programs(wuts):
    told = wuts.master().session.get(wuts.url + "/metrics", headers={
        "Authorization": f"Bearer {wuts.master_token}"}).text
    # With a $ it is a variable of nginx.
    named = set(re.findall(r"(?<!\$)\bwuts_[a-z_]+", TEXT))
    assert len(named) > 10
    missing = [name for name in named
               if not re.search(rf"^# TYPE {name} ", told, re.M)]
    assert not missing, missing


def test_every_command_of_the_pages_is_one_of_wutsctl():
    lines = subprocess.run(
        [harness.BUILD / "wutsctl", "--commands"], capture_output=True,
        text=True, check=True, timeout=60).stdout.splitlines()
    known = {}
    for line in lines:
        words = line.split()
        name = " ".join(w for w in words if not w.startswith("--"))
        known[name] = {w.split("=")[0] for w in words if w.startswith("--")}
    count = 0
    for page in PAGES:
        text = (harness.SOURCE / "doc" / page).read_text()
        text = re.sub(r"\s+", " ", text)
        for said in re.findall(r"wutsctl ((?:[a-z]+ ?){1,2}(?: ?--[a-z]+)?)",
                               text):
            words = [w for w in said.split() if not w.startswith("--")]
            name = next((n for n in (" ".join(words[:2]), words[0])
                         if n in known), None)
            if name is None and not any(n.startswith(words[0] + " ")
                                        for n in known):
                continue	# "wutsctl and nginx": a sentence
            assert name is not None, (page, said)
            for option in re.findall(r"--[a-z]+", said):
                assert option in known[name], (page, said)
            count += 1
    assert count > 20


def test_every_setting_of_the_page_is_there():
    sample = (harness.SOURCE / "doc/wuts.conf.sample").read_text()
    settings = set(re.findall(r"^#?([a-z_0-9]+) =", sample, re.M))
    named = {name for name in re.findall(r"`([a-z]+(?:_[a-z]+)+)`", TEXT)
             if not name.startswith("wuts_")}
    # A webhook's own and nginx's, not the installation's.
    assert named - settings <= {"retry_attempts", "log_format"}, \
        named - settings
