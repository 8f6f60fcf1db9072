"""Locks a data folder for one `jobtrack serve`, and for its engine until the engine has written everything."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from jobtrack_local import folders
from jobtrack_local.errors import LocalError

ENGINE_SECONDS = 60
"""How long to wait for the engine of a killed service to finish writing its state."""

REMEDY = "use --data DIR or --memory, and --port"
SERVE_LOCK, ENGINE_LOCK = "serve.lock", "engine.lock"


@dataclass(frozen=True)
class DataLock:
    """A locked data folder, and the descriptor of the lock that its engines inherit."""

    folder: Path
    engine_lock: int

    def subfolder(self, name: str) -> Path:
        """Return a folder in the data folder; create it if it does not exist."""
        return folders.create_folder(self.folder / name)

    @property
    def empty(self) -> bool:
        """Whether the folder contains only its locks."""
        return {path.name for path in self.folder.iterdir()} <= {SERVE_LOCK, ENGINE_LOCK}


@contextmanager
def lock_data(folder: Path, patience: float = ENGINE_SECONDS) -> Iterator[DataLock]:
    """Lock a data folder. Wait at most `patience` seconds for an engine that still writes to it.

    Raises:
        LocalError: the folder cannot be written, is open to other users, or is in use by another service or engine.
    """
    folder = folders.create_private_folder(folder.absolute())
    with (
        _locked(folder / SERVE_LOCK, 0, f"{folder} is in use by another jobtrack serve; {REMEDY}"),
        _locked(folder / ENGINE_LOCK, patience, f"{folder} is in use by an engine that was left running") as lock,
    ):
        yield DataLock(folder, lock)


@contextmanager
def _locked(path: Path, patience: float, error_message: str) -> Iterator[int]:
    with folders.describe_errors(f"write {path}"):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(descriptor, time.monotonic() + patience, error_message)
        yield descriptor
    finally:
        os.close(descriptor)


def _lock(descriptor: int, deadline: float, error_message: str) -> None:
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                raise LocalError(error_message) from error
        time.sleep(0.05)
