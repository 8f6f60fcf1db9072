"""Print the requirements of the functions (the extra `service` of pyproject.toml), one per line."""

import tomllib
from pathlib import Path

PROJECT = Path(__file__).parent.parent / "pyproject.toml"

if __name__ == "__main__":
    print(*tomllib.loads(PROJECT.read_text())["project"]["optional-dependencies"]["service"], sep="\n")
