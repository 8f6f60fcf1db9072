"""The profile by which the client finds the service that runs on this machine, without a variable."""

import os
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import tomli_w

from jobtrack_client import profiles
from local import folders

TENANT = "1a2b3c4d-0000-4000-8000-000000000001"
PROJECT = "1a2b3c4d-0000-4000-8000-000000000002"
"""Whose jobs a developer's are who does not say; every GUID will do."""


@contextmanager
def kept(url: str, home: Path) -> Iterator[None]:
    """Keep the profile `local` while the service runs there; of several services the latest has it."""
    path = folders.make(home) / profiles.LOCAL_FILE
    _write(path, url)
    try:
        yield
    finally:
        if _address(path) == url:
            path.unlink(missing_ok=True)


def _write(path: Path, url: str) -> None:
    """All of it at once: somebody may be reading."""
    # It runs in the working directory of whoever asks, from which nothing may be imported.
    command = [sys.executable, "-P", "-m", "jobtrack_client.cli", "token", "--tenant", TENANT, "--project", PROJECT]
    profile = {"url": url, "tenant": TENANT, "project": PROJECT, "token_command": command}
    text = "# Kept by `jobtrack serve` while it runs.\n" + tomli_w.dumps({"profiles": {profiles.LOCAL: profile}})
    with folders.telling(f"write {path}"), tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as draft:
        draft.write(text)
    os.replace(draft.name, path)


def _address(path: Path) -> str | None:
    with suppress(OSError, ValueError, KeyError):
        return str(tomllib.loads(path.read_text("utf-8"))["profiles"][profiles.LOCAL]["url"])
    return None
