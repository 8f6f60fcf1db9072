"""Runs a command as a job: its output is the log, its resource use the samples, its exit code the result."""

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
from jobtrack_client._run_command.errors import LINE_CHARACTERS, LINES, Cause, cause, exception
from jobtrack_client._run_command.lines import Lines, level
from jobtrack_client._run_command.signals import passed_on, signal_name
from jobtrack_client._runtime.log import LOGGER
from jobtrack_client.types import Sample

READ_BYTES = 64 * 1024
DRAIN_SECONDS = 5.0
"""How long output is read after the command's end, if its child process keeps the output open."""
TICK_SECONDS = 1.0
"""The interval at which the state of progress bars is reported."""
NOT_FOUND = 127
NOT_EXECUTABLE = 126


class Sampler(Protocol):
    """Measures the resource use of a process."""

    def sample(self) -> Sample:
        """Return the resource use."""


@dataclass(frozen=True)
class Ending:
    """How a command ended: its exit code (128 + N after signal N), the reason, the signal, and whether it started."""

    code: int
    reason: str
    signal: str | None = None
    begun: bool = True

    def report(self, job: Job, cause: Cause | None) -> None:
        """End the job with this result."""
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
    """Run a command to its end as a job. Its output is passed on to the `streams` unchanged and without delay.

    `sampler` makes an object that takes a sample every `every` seconds.
    """
    with job:
        try:
            process = _started(command, job)
        except OSError as error:
            code = NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
            ending = Ending(code, f"{command[0]} cannot be run: {error.strerror}", begun=False)
            ending.report(job, None)
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
        ending.report(job, cause(stderr) or exception(stdout))
        return ending


def _started(command: Sequence[str], job: Job) -> "subprocess.Popen[bytes]":
    # Without PYTHONUNBUFFERED, Python buffers its output to a pipe.
    variables = {**surrounding(job.job_id, job._reporter.settings), OUTPUT_VARIABLE: job.job_id}
    environment = {"PYTHONUNBUFFERED": "1", **os.environ, **variables}
    return subprocess.Popen(  # noqa: S603 - the user's own command
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0, env=environment
    )


def _outputs(process: "subprocess.Popen[bytes]", streams: tuple[int, int]) -> Iterator[tuple[str, BinaryIO, int]]:
    """Iterate over the outputs: name, pipe, and target stream."""
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
    except Exception:  # the command has just ended, or the system has no data; the job goes on
        LOGGER.debug("%s: the resource use of its command is not sampled", job.job_id, exc_info=True)


def _tick(outputs: "Sequence[_Output]", stop: threading.Event) -> None:
    while not stop.wait(TICK_SECONDS):
        for output in outputs:
            output.tick()


def _thread(target: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=target, daemon=True)
    thread.start()
    return thread


class _Output:
    """Passes one output on, and reports it line by line."""

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
        """Wait for the end of the output."""
        self._thread.join(seconds)

    def tick(self) -> None:
        """Report the state of a progress bar, if it is due."""
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
        # The reader may be gone. That must not end the command.
        with suppress(OSError):
            while rest:
                rest = rest[os.write(self._stream, rest) :]

    def _report(self, lines: Iterator[str]) -> None:
        for line in lines:
            self.newest.append(line[:LINE_CHARACTERS])
            self._job.log(level(line), line, component=self._name)
