"""Documents, docstrings, comments, help and errors are in plain English: they have none of these archaic words."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack import ROOT

WORDS = """
amiss, anew, betwixt, dearer, forthwith, henceforth, hereby, heretofore, hitherto, lest, mended, mends?, naught, nobody,
nought, one's own, reckon(?:s|ed)?, shall, thereby, therefrom, therein, thereof, thereupon, unto, whence, whereby,
wherein, whereupon, whilst, whither, whoever, whomever, (?<!there )(?:is|are) (?-i:none), comes? again, held to,
in vain, (?:in|for) so long, so many(?! that), stands? for, tells? of, told (?:apart|by|of), what became of
"""
"""Words and phrases that never occur in a good plain text about this project."""
ARCHAIC = re.compile(
    rf"\b(?i:{'|'.join(WORDS.strip().replace(chr(10), ' ').split(', '))})\b"
    r"|(?:^|[.;:] )Who \w+s (?!.*\?)"  # "Who wants more says it."; a question is fine
    r"|; answers ",  # functions return
)
PARAGRAPH = re.compile(r"(?:.+\n?)+")
CHECKED = """
    README.md CONTRIBUTING.md CHANGELOG.md docs web/vendor template.yaml samconfig.toml Makefile .ci/run
    bench client demo functions layers local scripts tests
"""
"""Files and folders. Every file of a folder that is a document or a Python module is checked."""


def files() -> Iterator[Path]:
    """Return the files that are checked."""
    for name in CHECKED.split():
        path = ROOT / name
        found = [path] if path.is_file() else sorted([*path.rglob("*.md"), *path.rglob("*.py")])
        yield from (file for file in found if "node_modules" not in file.parts)


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """Return the texts of a file with their lines: the paragraphs of a document, the strings and comments of a module.

    The strings of a test are data, except for its docstrings.
    """
    text = path.read_text()
    if path.suffix != ".py":
        for paragraph in PARAGRAPH.finditer(text):
            yield text.count("\n", 0, paragraph.start()) + 1, paragraph[0]
        return
    tree = ast.parse(text)
    for node in _docstrings(tree) if "tests" in path.relative_to(ROOT).parts else ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("# ")


def _docstrings(tree: ast.AST) -> Iterator[ast.AST]:
    return (node.value for node in ast.walk(tree) if isinstance(node, ast.Expr))


def archaic_words(text: str) -> list[str]:
    """Return the archaic words of a text, whatever its line breaks."""
    return [found[0] for found in ARCHAIC.finditer(" ".join(text.split()))]


@pytest.mark.parametrize("path", [*files()], ids=lambda path: str(path.relative_to(ROOT)))
def test_a_text_has_no_archaic_words(path: Path) -> None:
    found = [f"{path}:{line}: {word}" for line, text in prose(path) for word in archaic_words(text)]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "The newest so many; 0 are all.",
        "In so long.",
        "Who wants to say more says it.",
        "Read the job; answers its state.",
        "The id is none that this list gave.",
    ],
)
def test_archaic_words_are_found(text: str) -> None:
    assert archaic_words(text)
