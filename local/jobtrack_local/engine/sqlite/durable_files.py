"""Files that survive a power cut: their content and their names are on the disk when a function returns."""

import os
from contextlib import suppress
from pathlib import Path


def replace(path: Path, content: bytes) -> None:
    """Write a file of mode 0600, so that a power cut leaves the old content or the new one."""
    draft = path.with_name(path.name + ".draft")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Make a file's content durable."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folders(folder: Path) -> None:
    """Make a folder's entries durable, and its own entry in the folders above it, which may be new."""
    sync_folder(folder)
    for parent in folder.absolute().parents:
        with suppress(PermissionError):  # a folder that this user cannot read is older than this one
            sync_folder(parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: https://man7.org/linux/man-pages/man2/fsync.2.html"""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
