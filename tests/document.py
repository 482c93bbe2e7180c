# SPDX-License-Identifier: MIT
"""The commands in a document, so that tests follow it to the letter."""
import pathlib
import textwrap

SOURCE = pathlib.Path(__file__).resolve().parent.parent


def commands(name, heading):
    """The indented blocks below that heading of doc/NAME, as texts."""
    lines = (SOURCE / "doc" / name).read_text().splitlines()
    level = heading.split(" ")[0]
    start = lines.index(heading) + 1
    blocks, block = [], []
    for line in lines[start:] + ["end"]:
        if line.startswith("    ") or (block and not line):
            block.append(line)
            continue
        if block:
            blocks.append(textwrap.dedent("\n".join(block)).strip() + "\n")
            block = []
        if line.startswith("#") and line.split(" ")[0] <= level:
            break
    return blocks


def block(name, heading, beginning):
    """The one block that begins so."""
    found = [text for text in commands(name, heading)
             if text.startswith(beginning)]
    assert len(found) == 1, (name, heading, beginning, len(found))
    return found[0]
