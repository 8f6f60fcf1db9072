"""Write the references that are made from the code: `make docs`."""

from collections.abc import Iterator
from pathlib import Path

from scripts.reference import client, command_line

DOCS = Path(__file__).parents[2] / "docs"


def generated() -> Iterator[tuple[Path, str]]:
    """Return each generated document with its text."""
    yield DOCS / "cli.md", command_line.render()
    yield DOCS / "client.md", client.render()


if __name__ == "__main__":
    for path, text in generated():
        path.write_text(text)
