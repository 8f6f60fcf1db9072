"""What is made of the description, and of the awaiting half, is as it would be made now."""

from pathlib import Path

import pytest

from scripts.client.__main__ import made

MADE = list(made())


@pytest.mark.parametrize(("path", "text"), MADE, ids=[path.name for path, _ in MADE])
def test_it_is_as_make_client_makes_it(path: Path, text: str) -> None:
    assert path.read_text() == text, "run make client"


def test_nothing_else_lies_there() -> None:
    folder = MADE[-1][0].parent
    assert {path for path, _ in MADE if path.parent == folder} == set(folder.glob("*.py"))
