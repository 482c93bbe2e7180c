# SPDX-License-Identifier: MIT
"""doc/reference.md is held against the programs."""
import re
import subprocess

import harness

PAGE = (harness.SOURCE / "doc" / "reference.md").read_text()


def rows(text):
    """The cells of the table rows, without their heads."""
    found = [[cell.strip() for cell in line.strip("|").split(" | ")]
             for line in text.splitlines() if line.startswith("| ")]
    return [row for row in found if row[0] not in ("Access", "Method",
                                                   "Status")]


def test_every_route_is_listed_under_its_dialect():
    printed = subprocess.run([harness.BUILD / "wutsd", "--routes"], text=True,
                             capture_output=True, check=True).stdout
    routes = {}
    for line in printed.splitlines():
        method, path, access, dialect = line.split()
        routes.setdefault(dialect, []).append([method, f"`{path}`", access])
    heads = {"wuts": "The WUTS API", "ops": "Operations",
             "onprem": "The On-Premises API", "wacht": "The Wacht users API"}
    assert set(routes) == set(heads)
    for dialect, head in heads.items():
        section = re.search(rf"^## {head}.*?(?=^## )", PAGE,
                            re.MULTILINE | re.DOTALL)
        assert rows(section.group(0)) == routes[dialect], dialect


def test_every_error_code_is_listed_with_its_status():
    section = PAGE[PAGE.index("## Error codes of the WUTS API"):]
    listed = {(int(status), code.strip("`"))
              for status, code, _ in rows(section)}
    assert listed == {(status, code) for status, codes
                      in harness.ERROR_CODES.items() for code in codes}


def test_every_access_is_explained():
    section = PAGE[:PAGE.index("## ")]
    printed = subprocess.run([harness.BUILD / "wutsd", "--routes"], text=True,
                             capture_output=True, check=True).stdout
    assert {row[0] for row in rows(section)} == {
        line.split()[2] for line in printed.splitlines()}
