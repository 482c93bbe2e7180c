# SPDX-License-Identifier: MIT
"""What all that hurting left in the logs. Runs last: the file names are in
order."""


def lines(victim, program):
    return (victim.run / "logs" / f"{program}.log").read_text().splitlines()


def test_no_error_is_logged_but_that_workers_were_killed(victim):
    for program in "wutsd", "wuts-spool":
        for line in lines(victim, program):
            level = line.split(" ", 3)[2:3]
            assert level in (["info"], ["warn"]) or \
                line.endswith("died: signal 9"), line
