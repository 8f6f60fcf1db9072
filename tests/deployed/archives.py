"""The folders of template.yaml as zip files, as `sam build` makes them: each function's code, and the layer.

The layer of third-party packages stays empty: ministack runs functions with its own interpreter, which has them.
"""

import importlib.util
import io
import py_compile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from tests.stack import ROOT

DEPENDENCIES = "layers/dependencies"


def archive(folder: str) -> bytes:
    """Return the zip file of a `CodeUri` or `ContentUri`."""
    within = "python/" if folder.startswith("layers/") else ""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in _contents(folder):
            file.writestr(within + name, content)
    return memory.getvalue()


def _contents(folder: str) -> Iterator[tuple[str, bytes]]:
    if folder == DEPENDENCIES:
        yield "README", b"what ministack's interpreter has\n"
        return
    for path in sorted((ROOT / folder).rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            name = path.relative_to(ROOT / folder)
            yield str(name), path.read_bytes()
            if path.suffix == ".py":
                yield _compiled(path, name)


def _compiled(path: Path, name: Path) -> tuple[str, bytes]:
    """Return byte code that is valid for any modification time of the source, so that cold starts need not compile."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "compiled"
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
        py_compile.compile(str(path), str(made), str(name), doraise=True, invalidation_mode=mode)
        return str(name.parent / "__pycache__" / _cached(name)), made.read_bytes()


def _cached(name: Path) -> str:
    """Return the name of the byte code: `app.cpython-311.pyc` of `app.py`."""
    return Path(importlib.util.cache_from_source(name.name)).name
