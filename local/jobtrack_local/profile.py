"""The profile by which the client finds the service that runs on this machine, without a variable.

Each `jobtrack serve` keeps a file of its own and holds a lock on it. So one that ends takes nothing from another, and
one that was killed is known to be gone: the kernel releases its lock.
"""

import fcntl
import logging
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import tomli_w

from jobtrack_client import profiles
from jobtrack_local import folders
from jobtrack_local.errors import LocalError

log = logging.getLogger(__name__)

TENANT = "1a2b3c4d-0000-4000-8000-000000000001"
PROJECT = "1a2b3c4d-0000-4000-8000-000000000002"
"""The tenant and project of a developer who names none; every GUID will do."""


@contextmanager
def kept(url: str, home: Path) -> Iterator[None]:
    """Keep a profile `local` while the service runs; clients use that of the newest service."""
    with ExitStack() as stack:
        try:
            stack.enter_context(_entry(url, home / profiles.SERVICES))
        except LocalError as error:
            log.warning("%s; clients do not find this service unless JOBTRACK_URL is %s", error, url)
        yield


@contextmanager
def _entry(url: str, folder: Path) -> Iterator[None]:
    folders.make(folder)
    _forget_dead(folder)
    with folders.telling(f"write to {folder}"):
        file, path = _written(_text(url), folder)
    with file:
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _written(text: str, folder: Path) -> tuple[IO[str], Path]:
    """Write a file in full and lock it, and only then give it a name that clients read."""
    path = folder / f"{time.time_ns():020d}-{os.getpid()}.toml"
    handle, draft = tempfile.mkstemp(dir=folder, prefix="draft-")  # mode 0600
    file = os.fdopen(handle, "w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(text)
        file.flush()
        os.rename(draft, path)
    except OSError:
        file.close()
        os.unlink(draft)
        raise
    return file, path


def _text(url: str) -> str:
    # It runs in the working directory of whoever asks, from which nothing may be imported.
    command = [sys.executable, "-P", "-m", "jobtrack_client.cli", "token", "--tenant", TENANT, "--project", PROJECT]
    profile = {"url": url, "tenant": TENANT, "project": PROJECT, "token_command": command}
    return "# Kept by `jobtrack serve` while it runs.\n" + tomli_w.dumps({"profiles": {profiles.LOCAL: profile}})


def _forget_dead(folder: Path) -> None:
    """Remove what services left that were killed."""
    for path in profiles.services(folder):
        if not profiles.alive(path):
            path.unlink(missing_ok=True)
