"""Documents, docstrings, comments, help and errors are in plain English: they have none of these archaic words."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack import ROOT

WORDS = (
    *("amiss", "anew", "betwixt", "dearer", "forthwith", "henceforth", "hereby", "heretofore", "hitherto", "lest"),
    *(
        "mends?",
        "mended",
        "naught",
        "nobody",
        "nought",
        "one's own",
        "reckon",
        "reckons",
        "reckoned",
        "shall",
        "thereby",
    ),
    *("therefrom", "therein", "thereof", "thereupon", "unto", "whence", "whereby", "wherein", "whereupon", "whilst"),
    *(
        "whither",
        "whoever",
        "whomever",
        "(?<!there )(?:is|are) none",
        "comes? again",
        "held to",
        "in vain",
        "(?:in|for) so long",
    ),
    *("so many", "stands? for", "tells? of", "told (?:apart|by|of)", "what became of"),
)
"""Words and phrases that never occur in a good plain text about this project."""
ARCHAIC = re.compile(
    rf"\b(?i:{'|'.join(WORDS)})\b"
    r"|(?:^|[.;:] )Who \w+s (?!.*\?)"  # "Who wants more says it."; a question is fine
    r"|(?:^|; )[Aa]nswers ",  # functions return
    re.MULTILINE,
)
CHECKED = (
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs", "client/README.md", "web/vendor"),
    *(
        "functions/api/docs/viewer",
        "bench",
        "demo",
        "scripts",
        "template.yaml",
        "samconfig.toml",
        "Makefile",
        ".ci/run",
    ),
)
"""Files and folders. Every file of a folder that is a document or a Python module is checked."""
LATER = (
    *("docs/cli.md", "docs/client.md", "docs/decisions/event-sources.md", "docs/decisions/guarded-post.md"),
    *("docs/decisions/subscriptions.md", "docs/decisions/websockets.md", "scripts/client/", "scripts/openapi/"),
)


def files() -> Iterator[Path]:
    """Return the files that are checked."""
    for name in CHECKED:
        path = ROOT / name
        found = [path] if path.is_file() else sorted([*path.rglob("*.md"), *path.rglob("*.py")])
        yield from (each for each in found if not str(each.relative_to(ROOT)).startswith(LATER))


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """Return the texts of a file with their lines: its strings and comments if it is a module, else all lines."""
    text = path.read_text()
    if path.suffix != ".py":
        yield from enumerate(text.splitlines(), 1)
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("# ")


@pytest.mark.parametrize("path", [*files()], ids=lambda path: str(path.relative_to(ROOT)))
def test_a_text_has_no_archaic_words(path: Path) -> None:
    found = [f"{path}:{line}: {word[0]}" for line, text in prose(path) for word in ARCHAIC.finditer(text)]
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
    assert ARCHAIC.search(text)
