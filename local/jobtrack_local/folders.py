"""The folders in which the local service keeps its files."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from jobtrack_local.errors import LocalError


def cache_folder() -> Path:
    """Return the folder for downloads, which can be deleted at any time."""
    return platformdirs.user_cache_path("jobtrack")


@contextmanager
def describe_errors(action: str) -> Iterator[None]:
    """Turn an OSError into a LocalError: `cannot <action>: <reason>`."""
    try:
        yield
    except OSError as error:
        raise LocalError(f"cannot {action}: {error.strerror or error}") from error


def create_folder(folder: Path) -> Path:
    """Create the folder with access for this user only, and check that it is writable. Return it."""
    with describe_errors(f"write to {folder}"):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        tempfile.TemporaryFile(dir=folder).close()
    return folder
