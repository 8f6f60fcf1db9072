"""The documents agree with each other and with the repository."""

import re
from pathlib import Path

import pytest

from tests.documents import DOCUMENTS, blocks, programs
from tests.stack import ROOT

TARGET = re.compile(r"(?:^|`)make ([a-z][a-z0-9.-]*)", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)]*))?\)")
MODULE = re.compile(r"`((?:[\w.]+/)+\w+\.(?:py|js|java))`")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
LAYER = ROOT / "layers/jobtrack/python/jobtrack"
IN_ANOTHER_LINE = {"push", "_api._async", "_api._sync"}
"""Packages whose contents, or whose parent, have a line in the architecture."""
RUN_BY_TESTS = {
    "tests/e2e/test_readme.py": {"follow.py", "loop.py", "nightly.py", "report.py", "three.py", "watch.py"},
    "tests/e2e/test_receive.py": {"receive.py", "receive_once.py"},
}


def test_the_japanese_readme_shows_the_blocks_of_the_english_one() -> None:
    english, japanese = (blocks(ROOT / name) for name in ("README.md", "README.ja.md"))
    assert len(english) > 10
    assert [block.commands for block in japanese] == [block.commands for block in english]


def test_every_printed_program_has_a_name_and_a_test() -> None:
    assert {block.name for block in programs()} == set().union(*RUN_BY_TESTS.values())
    for test, names in RUN_BY_TESTS.items():
        source = (ROOT / test).read_text()
        assert [name for name in names if f'"{name}"' not in source] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(document: Path) -> None:
    for target, anchor in LINK.findall(document.read_text()):
        path = document.parent / target if target else document
        assert path.exists(), target
        assert not anchor or anchor in _anchors(path), f"{target}#{anchor}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_that_a_document_names_exist(document: Path) -> None:
    """A path starts at the root of the repository, or at the layer."""
    for name in MODULE.findall(document.read_text()):
        assert (ROOT / name).exists() or (LAYER / name).exists(), name


def test_the_architecture_lists_every_package() -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    listed = set(re.findall(r"^\| `([\w.]+)` \|", text, re.MULTILINE))
    roots = (LAYER, ROOT / "client/jobtrack_client", ROOT / "local/jobtrack_local")
    folders = ((root, path.parent) for root in roots for path in root.rglob("*/__init__.py"))
    assert {".".join(folder.relative_to(root).parts) for root, folder in folders} - IN_ANOTHER_LINE <= listed


def _anchors(document: Path) -> set[str]:
    """Return the anchors that GitHub makes of a document's headings."""
    titles = HEADING.findall(document.read_text())
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_index_lists_every_document_and_decision() -> None:
    for folder in (ROOT / "docs", ROOT / "docs/decisions"):
        linked = {target for target, _ in LINK.findall((folder / "README.md").read_text())}
        assert {path.name for path in folder.glob("*.md")} - {"README.md"} <= linked


def test_the_makefile_has_every_target_that_documents_name() -> None:
    targets = set(re.findall(r"^([a-z0-9.-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {name for path in DOCUMENTS for name in TARGET.findall(path.read_text())}
    assert {"run", "test", "check", "deploy"} <= named <= targets
