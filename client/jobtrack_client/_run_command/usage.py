"""Measures the resource use of a command and its child processes."""

import os
import sys
from contextlib import suppress
from time import monotonic

import psutil

from jobtrack_client.types import Sample


class Usage:
    """Samples a tree of processes."""

    def __init__(self, pid: int) -> None:
        self._root = psutil.Process(pid)
        self._cores = os.cpu_count() or 1
        self._totals: dict[tuple[int, float], tuple[float, int, int]] = {}
        self._last = (monotonic(), 0.0)

    def sample(self) -> Sample:
        """Return the resource use. `cpu_usage` is measured since the last sample, in percent of all cores.

        Processes that have ended count with their last known values.
        """
        memory = sum(map(self._look, self._tree()))
        seconds, read, written = (sum(total[at] for total in self._totals.values()) for at in range(3))
        now, (then, before) = monotonic(), self._last
        self._last = (now, seconds)
        cpu = 100 * (seconds - before) / max(now - then, 0.001) / self._cores
        usage: Sample = {"cpu_usage": round(cpu, 1), "memory_bytes": memory}
        return {**usage, "disk_read_bytes": int(read), "disk_write_bytes": int(written)}

    def _tree(self) -> list[psutil.Process]:
        with suppress(psutil.Error):
            return [self._root, *self._root.children(recursive=True)]
        return []

    def _look(self, process: psutil.Process) -> int:
        """Record the totals of a process, and return its memory in bytes."""
        with suppress(psutil.Error), process.oneshot():
            times, key = process.cpu_times(), (process.pid, process.create_time())
            self._totals[key] = (times.user + times.system, *_disk(process))
            return int(process.memory_info().rss)
        return 0


def _disk(process: psutil.Process) -> tuple[int, int]:
    """Return the bytes read and written; zeros if the system has no data."""
    if sys.platform != "darwin":
        with suppress(psutil.Error, AttributeError):
            counters = process.io_counters()
            return int(counters.read_bytes), int(counters.write_bytes)
    return 0, 0
