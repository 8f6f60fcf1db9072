"""The documents agree with each other and with what there is."""

import re
from pathlib import Path

import pytest

from tests.documents import blocks
from tests.stack import ROOT

DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "web/vendor/README.md"]
TARGET = re.compile(r"(?:^    |`)make ([a-z][a-z0-9.-]*)", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)")


def test_the_japanese_readme_shows_what_the_english_one_shows() -> None:
    english, japanese = (blocks((ROOT / name).read_text()) for name in ("README.md", "README.ja.md"))
    assert len(japanese) > 10
    missing = [block for block in english if block not in japanese]
    assert [block for block in japanese if block not in english] == []
    # Those two programs are linked to.
    assert [next(line for line in block if "import" in line) for block in missing] == ["import os", "import sys"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_linked_to_is_there(document: Path) -> None:
    for target in LINK.findall(document.read_text()):
        assert (document.parent / target).exists(), target


def test_the_makefile_has_every_target_that_is_told_of() -> None:
    targets = set(re.findall(r"^([a-z0-9.-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    told = {name for path in DOCUMENTS for name in TARGET.findall(path.read_text())}
    assert {"run", "test", "check", "deploy"} <= told <= targets
