"""A folder of data belongs to one `serve` at a time, and to its engines until they have written all."""

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
"""How long the engine of a service that was killed may go on writing its state."""


@dataclass(frozen=True)
class Claim:
    """A folder of data in use, and the lock that its engines inherit."""

    folder: Path
    engine_lock: int

    def subfolder(self, name: str) -> Path:
        """A folder within, made when missing."""
        return folders.make(self.folder / name)


@contextmanager
def claim(folder: Path, patience: float = ENGINE_SECONDS) -> Iterator[Claim]:
    """Take the folder; LocalError when it cannot be written another `serve` has it, or its engine for `patience` s."""
    folder = folders.make(folder.absolute())
    with (
        _locked(folder / "serve.lock", 0, f"{folder} is in use by another jobtrack serve"),
        _locked(folder / "engine.lock", patience, f"an engine that was left behind still uses {folder}") as lock,
    ):
        yield Claim(folder, lock)


@contextmanager
def _locked(path: Path, patience: float, complaint: str) -> Iterator[int]:
    with folders.telling(f"write {path}"):
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(handle, time.monotonic() + patience, complaint)
        yield handle
    finally:
        os.close(handle)


def _lock(handle: int, deadline: float, complaint: str) -> None:
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                raise LocalError(complaint) from error
        time.sleep(0.05)
