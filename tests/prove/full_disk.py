"""A disk that is full, or that fails: a small file system, and a limit on the sizes of a process's files."""

import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

MEGABYTES = 24
PAGE = 4096
"""A page of the database; a frame of its log is larger."""


class SmallDisk:
    """A file system in memory, whose rest another program uses at times."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._other = folder / "other"

    def fill(self, service: psutil.Process) -> None:
        """Use all space that is left."""
        with self._other.open("ab", buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    continue
            except OSError:
                return

    def free(self, service: psutil.Process) -> None:
        """Return the space."""
        self._other.unlink()


class LimitedFiles:
    """Limits a process's files; SQLite sees the errors of a failing disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self, service: psutil.Process) -> None:
        """Let every write fail that is not at the start of a file."""
        service.rlimit(resource.RLIMIT_FSIZE, (PAGE, resource.RLIM_INFINITY))

    def free(self, service: psutil.Process) -> None:
        """Lift the limit."""
        service.rlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


Disk = SmallDisk | LimitedFiles


@contextmanager
def small_disk(folder: Path) -> Iterator[Disk]:
    """Provide a file system at the folder, or limited files for a user who may not mount one."""
    folder.mkdir()
    options = f"size={MEGABYTES}m,mode=700"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        yield LimitedFiles(folder)
        return
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def failing_disk(folder: Path) -> Iterator[Disk]:
    """Provide limited files in the folder."""
    folder.mkdir()
    yield LimitedFiles(folder)
