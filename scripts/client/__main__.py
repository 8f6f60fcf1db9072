"""Write the generated modules of the client: `make client`."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from scripts.client import models, sync

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "client/jobtrack_client"
OPENAPI = ROOT / "functions/api/docs/openapi.json"


def generate() -> Iterator[tuple[Path, str]]:
    """Yield the path and the formatted text of each generated module."""
    yield CLIENT / "models.py", _formatted(models.source(json.loads(OPENAPI.read_text())))
    for path in sorted((CLIENT / "_api/_async").glob("*.py")):
        yield CLIENT / "_api/_sync" / path.name, _formatted(sync.source(path.name, path.read_text()))


def _formatted(text: str) -> str:
    for command in (["check", "--fix-only", "--select", "I,SIM117", "--quiet"], ["format", "--quiet"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--stdin-filename", str(CLIENT / "generated.py"), "-"]
        text = subprocess.run(ruff, input=text, capture_output=True, text=True, check=True).stdout
    return text


if __name__ == "__main__":
    for path, text in generate():
        path.write_text(text)
