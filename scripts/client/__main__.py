"""Write the modules of the client that are made of others: `python -m scripts.client`."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from scripts.client import models, waiting

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "client/jobtrack_client"
DESCRIPTION = ROOT / "functions/api/docs/openapi.json"


def made() -> Iterator[tuple[Path, str]]:
    """Each module that is made, with its text as ruff formats it."""
    yield CLIENT / "models.py", _formatted(models.source(json.loads(DESCRIPTION.read_text())))
    for path in sorted((CLIENT / "_api/_async").glob("*.py")):
        yield CLIENT / "_api/_sync" / path.name, _formatted(waiting.source(path.name, path.read_text()))


def _formatted(text: str) -> str:
    for command in (["check", "--fix-only", "--select", "I,SIM117", "--quiet"], ["format", "--quiet"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--stdin-filename", str(CLIENT / "made.py"), "-"]
        text = subprocess.run(ruff, input=text, capture_output=True, text=True, check=True).stdout
    return text


if __name__ == "__main__":
    for path, text in made():
        path.write_text(text)
