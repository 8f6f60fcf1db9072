"""Runs a command: its lines are log lines, its end is the job's, what it uses the samples."""

import os
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, Protocol, cast

from jobtrack_client._api.settings import OUTPUT_VARIABLE, surrounding
from jobtrack_client._jobs.job import Job
from jobtrack_client._running.errors import LINE_CHARACTERS, LINES, Cause, cause, exception
from jobtrack_client._running.lines import Lines, level
from jobtrack_client._running.signals import passed_on, signal_name
from jobtrack_client._runtime.log import LOGGER
from jobtrack_client.events import Sample

READ_BYTES = 64 * 1024
DRAIN_SECONDS = 5.0
"""So long is read on after the command's end, where a process that it has left behind keeps its output open."""
TICK_SECONDS = 1.0
"""How often a progress bar is looked at, which may be silent for long."""
NOT_FOUND = 127
NOT_EXECUTABLE = 126


class Sampler(Protocol):
    """Tells what a process uses."""

    def sample(self) -> Sample:
        """Return the resource use."""


@dataclass(frozen=True)
class Ending:
    """How a command ended: its exit code (128 + N after signal N), why, by which signal, and whether it ever began."""

    code: int
    reason: str
    signal: str | None = None
    begun: bool = True

    def tell(self, job: Job, cause: Cause | None) -> None:
        """Report it as the job's."""
        if self.signal is not None:
            job.cancel(f"received {self.signal}; {self.reason}")
        elif self.code == 0:
            job.complete()
        elif cause is None:
            job.fail(self.reason, exitCode=self.code)
        else:
            kind = {"type": cause.type} if cause.type else {}
            job.fail(f"{self.reason}: {cause}", **kind, exitCode=self.code)


def run(
    job: Job,
    command: Sequence[str],
    sampler: Callable[[int], Sampler] | None,
    *,
    every: float = 5.0,
    streams: tuple[int, int] = (1, 2),
) -> Ending:
    """Run it to its end, as a job that is reported; its output goes on to the `streams` untouched and at once.

    `sampler` makes what is asked for a sample every so many seconds.
    """
    with job:
        try:
            process = _started(command, job)
        except OSError as error:
            code = NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
            ending = Ending(code, f"{command[0]} cannot be run: {error.strerror}", begun=False)
            ending.tell(job, None)
            return ending
        with passed_on(process) as signals:
            outputs = [_Output(job, *output) for output in _outputs(process, streams)]
            stop = threading.Event()
            _thread(partial(_tick, outputs, stop))
            if sampler is not None:
                _thread(partial(_sample, job, partial(sampler, process.pid), every, stop))
            status = process.wait()
            stop.set()
            for output in outputs:
                output.join(DRAIN_SECONDS)
        ending = _ending(status, signals.that_ended(status))
        stdout, stderr = (output.newest for output in outputs)
        ending.tell(job, cause(stderr) or exception(stdout))
        return ending


def _started(command: Sequence[str], job: Job) -> "subprocess.Popen[bytes]":
    # Python holds back what it writes to a pipe, unless it is told not to.
    ours = {**surrounding(job.job_id, job._reporter.settings), OUTPUT_VARIABLE: job.job_id}
    environment = {"PYTHONUNBUFFERED": "1", **os.environ, **ours}
    return subprocess.Popen(  # noqa: S603 - what the user wants to run
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0, env=environment
    )


def _outputs(process: "subprocess.Popen[bytes]", streams: tuple[int, int]) -> Iterator[tuple[str, BinaryIO, int]]:
    """What each is called, where it is read, and where it goes on to."""
    for name, pipe, stream in zip(("stdout", "stderr"), (process.stdout, process.stderr), streams, strict=True):
        if pipe is not None:
            yield name, cast(BinaryIO, pipe), stream


def _ending(status: int, by: str | None) -> Ending:
    if status >= 0:
        return Ending(status, f"exit code {status}", by)
    return Ending(128 - status, f"killed by {signal_name(-status)}", by)


def _sample(job: Job, sampler: Callable[[], Sampler], every: float, stop: threading.Event) -> None:
    try:
        usage = sampler()
        while not stop.wait(every):
            job.sample(**usage.sample())
    except Exception:  # the command has just ended, or the system tells nothing of it; it runs and is reported anyway
        LOGGER.debug("%s: what its command uses is not sampled", job.job_id, exc_info=True)


def _tick(outputs: "Sequence[_Output]", stop: threading.Event) -> None:
    while not stop.wait(TICK_SECONDS):
        for output in outputs:
            output.tick()


def _thread(target: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=target, daemon=True)
    thread.start()
    return thread


class _Output:
    """Passes on what one stream says, and reports it line by line."""

    def __init__(self, job: Job, name: str, pipe: BinaryIO, stream: int) -> None:
        self._job = job
        self._name = name
        self._pipe = pipe
        self._stream = stream
        self._lines = Lines()
        self._lock = threading.Lock()
        self.newest: deque[str] = deque(maxlen=LINES)
        """The last lines, shortened."""
        self._thread = _thread(self._read)

    def join(self, seconds: float) -> None:
        """Wait for its end."""
        self._thread.join(seconds)

    def tick(self) -> None:
        """Report a progress bar that is under way, now and then."""
        with self._lock:
            self._report(self._lines.tick())

    def _read(self) -> None:
        while data := self._pipe.read(READ_BYTES):
            self._pass_on(data)
            with self._lock:
                self._report(self._lines.add(data))
        with self._lock:
            self._report(self._lines.end())
        self._pipe.close()

    def _pass_on(self, data: bytes) -> None:
        rest = memoryview(data)
        # Whoever reads it may have gone; the command is not to be ended by that.
        with suppress(OSError):
            while rest:
                rest = rest[os.write(self._stream, rest) :]

    def _report(self, lines: Iterator[str]) -> None:
        for line in lines:
            self.newest.append(line[:LINE_CHARACTERS])
            self._job.log(level(line), line, component=self._name)
