"""The documents, as the tests ask about them."""

import re

COMMENT = re.compile(r"(^|\s{2,})#.*$")
INDENT = "    "


def blocks(text: str) -> list[list[str]]:
    """What is indented: lines of commands, programs or settings, without remarks at their ends."""
    found: list[list[str]] = []
    inside = False
    for line in text.splitlines():
        if line.startswith(INDENT):
            if not inside:
                found.append([])
            found[-1].append(COMMENT.sub("", line[len(INDENT) :]))
        inside = line.startswith(INDENT) or (inside and not line)
    return found
