"""What a Python program prints, as log lines of a job; it is printed as before."""

import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TextIO

from jobtrack_client._jobs.job import Job
from jobtrack_client._running.lines import Lines, level


class Prints:
    """Reports what the program writes to `sys.stdout` and `sys.stderr`, line by line.

    Left out is what is reported otherwise: log records that a handler of `logging` writes, and the bars of tqdm.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._paused = False
        # Each thread's, since `print` writes a line and its end separately.
        self._lines: defaultdict[tuple[str, int], Lines] = defaultdict(Lines)
        for name, stream in (("stdout", sys.stdout), ("stderr", sys.stderr)):
            if stream is not None:
                self._follow(name, stream)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Report nothing that is printed while the block runs."""
        self._paused = True
        try:
            yield
        finally:
            self._paused = False

    def end(self) -> None:
        """Report lines that have no end."""
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

        # The object stays, since programs ask it for its descriptor, its encoding and whether it is a terminal.
        stream.write = write  # type: ignore[method-assign]

    def _add(self, name: str, text: str) -> None:
        for line in self._lines[name, threading.get_ident()].add(text.encode("utf-8", "replace")):
            self._report(name, line)

    def _report(self, name: str, line: str) -> None:
        self._job.log(level(line), line, component=name)


def _reported_otherwise(frame: FrameType | None) -> bool:
    while frame is not None:
        module: str = frame.f_globals.get("__name__", "")
        # What tqdm itself writes with; `tqdm.write` is for the program's lines.
        if module.partition(".")[0] == "logging" or (module == "tqdm.std" and frame.f_code.co_name == "fp_write"):
            return True
        frame = frame.f_back
    return False
