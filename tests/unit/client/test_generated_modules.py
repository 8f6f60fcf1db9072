"""The generated modules of the client are up to date."""

from pathlib import Path

import pytest

from scripts.client.__main__ import generate

GENERATED = list(generate())


@pytest.mark.parametrize(("path", "text"), GENERATED, ids=[path.name for path, _ in GENERATED])
def test_the_module_is_up_to_date(path: Path, text: str) -> None:
    assert path.read_text() == text, "run make client"


def test_nothing_else_lies_there() -> None:
    folder = GENERATED[-1][0].parent
    assert {path for path, _ in GENERATED if path.parent == folder} == set(folder.glob("*.py"))
