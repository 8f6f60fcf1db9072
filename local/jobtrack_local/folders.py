"""The folders in which the local service keeps its files."""

import os
import shlex
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from jobtrack_client import profiles
from jobtrack_local.errors import LocalError

START_BYTES = 1024 * 1024
"""More than a new data folder takes: the write-ahead log of the first start has 0.3 MB."""
OTHERS = 0o077
"""The bits of a mode that admit other users."""


def cache_folder() -> Path:
    """Return the folder for downloads, which can be deleted at any time."""
    return platformdirs.user_cache_path("jobtrack")


def data_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder that keeps the data by default: in JOBTRACK_HOME, or in the platform's folder for data."""
    if home := environ.get(profiles.HOME_VARIABLE):
        return Path(home) / "data"
    return platformdirs.user_data_path("jobtrack") / "data"  # on macOS, the folder above also has the profiles


@contextmanager
def describe_errors(action: str) -> Iterator[None]:
    """Turn an OSError into a LocalError: `cannot <action>: <reason>`."""
    try:
        yield
    except OSError as error:
        raise LocalError(f"cannot {action}: {error.strerror or error}") from error


def require_no_file(folder: Path) -> None:
    """Check that a path is a folder or does not exist.

    Raises:
        LocalError: it is something else.
    """
    if folder.exists() and not folder.is_dir():
        raise LocalError(f"{folder} is not a folder")


def create_folder(folder: Path) -> Path:
    """Create the folder with access for this user only, and check that it is writable. Return it."""
    require_no_file(folder)
    with describe_errors(f"write to {folder}"):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        tempfile.TemporaryFile(dir=folder).close()
    return folder


def create_private_folder(folder: Path) -> Path:
    """Create the folder, or make an empty one private, and check that its disk is not full. Return it.

    Raises:
        LocalError: the folder cannot be written, or other users can read its files.
    """
    create_folder(folder)
    with describe_errors(f"make {folder} private"):
        _make_private(folder)
    with describe_errors(f"write to {folder}"), tempfile.TemporaryFile(dir=folder) as probe:
        probe.write(bytes(START_BYTES))
    return folder


def _make_private(folder: Path) -> None:
    """Change the mode of an empty folder only, because a folder with files may be shared on purpose.

    PostgreSQL also refuses a data folder with another owner or mode:
    https://www.postgresql.org/docs/current/creating-cluster.html
    """
    status = folder.stat()
    if status.st_uid != os.geteuid():
        raise LocalError(f"{folder} belongs to another user; choose a folder of your own with --data")
    if not status.st_mode & OTHERS:
        return
    if any(folder.iterdir()):
        remedy = f"run chmod 700 {shlex.quote(str(folder))}, or choose another with --data"
        raise LocalError(f"{folder} is open to other users; {remedy}")
    folder.chmod(0o700)
