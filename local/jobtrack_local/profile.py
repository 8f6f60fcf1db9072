"""The profile `local`, by which the client finds the service on this machine without any settings.

Each `jobtrack serve` writes a file of its own and holds a lock on it while it runs. Services do not share files, so the
end of a service does not affect another one. The kernel releases the lock of a service that was killed.
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
"""The default tenant and project of a developer. Any GUIDs would do."""


@contextmanager
def publish(url: str, home: Path) -> Iterator[None]:
    """Publish the URL as the profile `local` within the block. Clients use the profile of the newest service."""
    with ExitStack() as stack:
        try:
            stack.enter_context(_profile_file(url, home / profiles.SERVICES))
        except LocalError as error:
            log.warning("%s; clients find this service only with JOBTRACK_URL=%s", error, url)
        yield


@contextmanager
def _profile_file(url: str, folder: Path) -> Iterator[None]:
    folders.create_folder(folder)
    _remove_stale(folder)
    with folders.describe_errors(f"write to {folder}"):
        file, path = _write_locked(_profile_text(url), folder)
    with file:
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _write_locked(text: str, folder: Path) -> tuple[IO[str], Path]:
    """Write and lock a file, then rename it: clients read it only when it is complete and locked."""
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


def _profile_text(url: str) -> str:
    # -P: the command runs in the client's working directory, and must not import modules from there.
    command = [sys.executable, "-P", "-m", "jobtrack_client.cli", "token", "--tenant", TENANT, "--project", PROJECT]
    profile = {"url": url, "tenant": TENANT, "project": PROJECT, "token_command": command}
    return "# Written by `jobtrack serve`, which removes it when it ends.\n" + tomli_w.dumps(
        {"profiles": {profiles.LOCAL: profile}}
    )


def _remove_stale(folder: Path) -> None:
    """Remove the files of services that were killed."""
    for path in profiles.services(folder):
        if not profiles.alive(path):
            path.unlink(missing_ok=True)
