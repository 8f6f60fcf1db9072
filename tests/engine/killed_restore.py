"""A program that restores a backup again and again, and ends each restore, as if killed, before its nth use of a file.

Python reports each open, rename and deletion to audit hooks: https://docs.python.org/3/library/audit_events.html
"""

import os
import shutil
import sys
from itertools import count
from pathlib import Path

from jobtrack_local.engine.sqlite import backups

EVENTS = {"open", "os.remove", "os.rename", "sqlite3.connect"}
KILLED, FAILED = 1, 2


def main(backup: str, old: str, results: str) -> None:
    """Restore the backup to copies of a folder, with one kill in each, until a restore is complete."""
    for last in count():
        folder = shutil.copytree(old, Path(results, f"{last:02}"))
        child = os.fork()
        if not child:
            _restore(Path(backup), folder, last)
        if (code := os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])) != KILLED:
            sys.exit(code)


def _restore(backup: Path, folder: Path, last: int) -> None:
    numbers = count()

    def kill(event: str, arguments: tuple[object, ...]) -> None:
        if event in EVENTS and str(folder) in str(arguments[0]) and next(numbers) == last:
            os._exit(KILLED)

    sys.addaudithook(kill)
    try:
        backups.restore(backup, folder)
        os._exit(0)
    finally:
        os._exit(FAILED)


if __name__ == "__main__":
    main(*sys.argv[1:])
