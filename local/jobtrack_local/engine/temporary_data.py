"""Temporary folders for the data of services that keep nothing.

A service holds a lock on its folder while it runs. The kernel releases the lock of a service that was killed, and the
next start removes its folder. systemd's clean-up of old files also skips a locked folder:
https://systemd.io/TEMPORARY_DIRECTORIES/
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jobtrack_local import folders

PREFIX = "jobtrack-memory-"
DRAFT = "jobtrack-draft-"
"""The prefix of a folder that is not locked yet."""


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Provide a folder, for this user only, that is removed after the block.

    Raises:
        LocalError: the folder cannot be created.
    """
    root = Path(tempfile.gettempdir())
    _remove_abandoned(root)
    with folders.describe_errors(f"write to {root}"):
        folder, descriptor = _create_locked()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _create_locked() -> tuple[Path, int]:
    """Lock a folder, then rename it: other services see its name only when it is locked."""
    draft = Path(tempfile.mkdtemp(prefix=DRAFT))  # mode 0700
    descriptor = os.open(draft, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return draft.rename(draft.with_name(PREFIX + draft.name.removeprefix(DRAFT))), descriptor


def _remove_abandoned(root: Path) -> None:
    """Remove the folders of this user's services that were killed."""
    for folder in root.glob(f"{PREFIX}*"):
        if _abandoned(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _abandoned(folder: Path) -> bool:
    """Return whether a service of this user was killed and left the folder."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY)
    except OSError:  # the folder was just removed, or belongs to another user
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.fstat(descriptor).st_uid == os.geteuid()
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
