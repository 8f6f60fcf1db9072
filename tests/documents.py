"""The documents, and the programs and commands that they print."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.stack import ROOT

DOCUMENTS = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *(ROOT / folder / "README.md" for folder in ("client", "functions/api/docs/viewer", "web/vendor")),
]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"(^|\s{2,})#.*$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block of a document."""

    language: str
    text: str

    @property
    def name(self) -> str | None:
        """The file name that a program has in its first line: `# three.py`."""
        first = self.text.partition("\n")[0]
        return first.removeprefix("# ") if first.startswith("# ") else None

    @property
    def commands(self) -> list[str]:
        """The lines without comments and empty lines."""
        return [line for line in COMMENT.sub("", self.text).splitlines() if line]


def blocks(document: Path) -> list[Block]:
    """Return the fenced blocks of a document, in their order."""
    return [Block(language, text) for language, text in BLOCK.findall(document.read_text())]


def programs() -> Iterator[Block]:
    """Return the Python programs of all documents."""
    return (block for path in DOCUMENTS for block in blocks(path) if block.language == "python")


def program(name: str) -> str:
    """Return the program that the documents print under a name; it is the same wherever it is printed."""
    (text,) = {block.text for block in programs() if block.name == name}
    return text
