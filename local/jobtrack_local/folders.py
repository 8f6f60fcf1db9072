"""Where the local service keeps what outlives it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from jobtrack_local.errors import LocalError


def cache() -> Path:
    """Folder for what can be fetched again."""
    return platformdirs.user_cache_path("jobtrack")


@contextmanager
def telling(action: str) -> Iterator[None]:
    """Turn the operating system's refusal into a LocalError: `cannot <action>: <why>`."""
    try:
        yield
    except OSError as error:
        raise LocalError(f"cannot {action}: {error.strerror or error}") from error


def make(folder: Path) -> Path:
    """Create the folder, for this user alone, and see that it can be written."""
    with telling(f"write to {folder}"):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        tempfile.TemporaryFile(dir=folder).close()
    return folder
