"""Reports a Python program's prints as log lines of a job."""

import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TextIO

from jobtrack_client._jobs.job import Job
from jobtrack_client._run_command.lines import Lines, level


class Prints:
    """Reports the program's output to `sys.stdout` and `sys.stderr`, line by line. It is still printed.

    Log records that a handler of `logging` prints, and bars of tqdm, are left out, because other code reports them.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._paused = False
        # One for each thread, because `print` writes a line and its line break separately.
        self._lines: defaultdict[tuple[str, int], Lines] = defaultdict(Lines)
        for name, stream in (("stdout", sys.stdout), ("stderr", sys.stderr)):
            if stream is not None:
                self._follow(name, stream)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Report nothing that is printed in this block."""
        self._paused = True
        try:
            yield
        finally:
            self._paused = False

    def end(self) -> None:
        """Report incomplete lines."""
        for (name, _), lines in list(self._lines.items()):
            for line in lines.end():
                self._report(name, line)

    def _follow(self, name: str, stream: TextIO) -> None:
        original = stream.write

        def write(text: str, /) -> int:
            written = original(text)
            if not self._paused and not _reported_otherwise(sys._getframe().f_back):
                self._add(name, text)
            return written

        # The stream object stays, because programs use its descriptor and its encoding.
        stream.write = write  # type: ignore[method-assign]

    def _add(self, name: str, text: str) -> None:
        for line in self._lines[name, threading.get_ident()].add(text.encode("utf-8", "replace")):
            self._report(name, line)

    def _report(self, name: str, line: str) -> None:
        self._job.log(level(line), line, component=name)


def _reported_otherwise(frame: FrameType | None) -> bool:
    while frame is not None:
        module: str = frame.f_globals.get("__name__", "")
        # tqdm draws bars with `fp_write`. `tqdm.write` is for the program's own lines.
        if module.partition(".")[0] == "logging" or (module == "tqdm.std" and frame.f_code.co_name == "fp_write"):
            return True
        frame = frame.f_back
    return False
