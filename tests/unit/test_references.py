"""The references that `make docs` generates are up to date."""

from scripts.reference.__main__ import generated


def test_the_references_are_those_that_make_docs_writes() -> None:
    stale = [path.name for path, text in generated() if path.read_text() != text]
    assert stale == [], "run `make docs`"
