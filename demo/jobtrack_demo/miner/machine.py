"""The resources of this machine that the job has and uses."""

import platform
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from jobtrack_client import Job
from jobtrack_client.types import Allocation, Sample

GIBIBYTE = 1024**3


def cores() -> int:
    """The number of processors that this process may use."""
    process = psutil.Process()
    if hasattr(process, "cpu_affinity"):  # not on macOS
        return len(process.cpu_affinity())
    return psutil.cpu_count() or 1


def resources() -> Allocation:
    """Return the job's share of this machine, for `jobStarted`."""
    memory = psutil.virtual_memory().total / GIBIBYTE
    return {"cpu_units": cores(), "memory_gb": round(memory, 1), "worker_node": platform.node()}


class Probe:
    """Measures this process (its disk traffic if the system reports it), and the machine's network since the start."""

    def __init__(self, records: Callable[[], int], out: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._records = records
        self._out = out
        self._clock = clock
        self._cores = cores()
        self._process = psutil.Process()
        self._process.cpu_percent()
        self._last = (clock(), records())
        self._network = _traffic()

    def measure(self) -> Sample:
        """Return the resource usage. Bytes of disk and network are totals; rates are since the last measurement."""
        return {
            "cpu_usage": round(self._process.cpu_percent() / self._cores, 1),
            "memory_bytes": self._process.memory_info().rss,
            "disk_used_bytes": sum(file.stat().st_size for file in self._out.glob("*")),
            "records_per_second": self._rate(),
            **self._disk(),
            **self._net(),
        }

    def _rate(self) -> float | None:
        (then, before), now = self._last, (self._clock(), self._records())
        self._last = now
        return round((now[1] - before) / (now[0] - then), 1) if now[0] > then else None

    def _disk(self) -> Sample:
        if not hasattr(self._process, "io_counters"):  # not on macOS
            return {}
        counters = self._process.io_counters()
        return {"disk_read_bytes": counters.read_bytes, "disk_write_bytes": counters.write_bytes}

    def _net(self) -> Sample:
        received, sent = _traffic()
        return {"network_in_bytes": received - self._network[0], "network_out_bytes": sent - self._network[1]}


def _traffic() -> tuple[int, int]:
    """Return the bytes that this machine received and sent, or 0 without a network."""
    interfaces = psutil.net_io_counters(pernic=True).values()
    return sum(each.bytes_recv for each in interfaces), sum(each.bytes_sent for each in interfaces)


class Sampler:
    """Takes a sample every `every` seconds during its `with` statement, and a last one at the end."""

    def __init__(self, job: Job, probe: Probe, every: float = 1.0) -> None:
        self._job = job
        self._probe = probe
        self._every = every
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)

    def __enter__(self) -> Self:
        """Start the thread."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop the thread, and take the last sample."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        going = True
        while going:
            going = not self._ended.wait(self._every)
            with suppress(OSError, psutil.Error):  # a measurement that fails now may succeed in a second
                self._job.sample(**self._probe.measure())
