"""The child processes of the demo. They end when the demo ends; on Linux, also when it is killed."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from types import FrameType, TracebackType
from typing import ClassVar, Self

from jobtrack_local.engine.engine_process import without_relative_imports

DIE_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of Linux's prctl(2)."""
LAST_LINES = 20
READ_SECONDS = 5


class Child:
    """A Python process in its own session, so that Ctrl-C reaches only the demo, which then ends it cleanly."""

    running: ClassVar[list["Child"]] = []

    def __init__(self, name: str, arguments: Sequence[str], env: Mapping[str, str], patience: float) -> None:
        self.name = name
        self._patience = patience
        self._lines: deque[str] = deque(maxlen=LAST_LINES)
        self._process = subprocess.Popen(
            [sys.executable, "-P", *arguments],
            env=without_relative_imports({**os.environ, **env}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            preexec_fn=_die_with_parent(),
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.running.append(self)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code, or None while the process runs."""
        return self._process.poll()

    @property
    def last_words(self) -> str:
        """The last line that the process printed."""
        return self._lines[-1] if self._lines else "it said nothing"

    def wait(self, seconds: float) -> None:
        """Wait for the end of the process, up to a limit in seconds."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)

    def __enter__(self) -> Self:
        """The running process."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Ask the process to end, and kill it if it takes longer than its `patience` (seconds)."""
        self._process.terminate()
        try:
            self.wait(self._patience)
        finally:
            self.kill()
            self._process.wait()
            self.running.remove(self)
            self._reader.join(READ_SECONDS)

    def kill(self) -> None:
        """End the process at once, if it runs."""
        self._process.kill()

    def _read(self) -> None:
        with self._process.stdout or nullcontext(()) as lines:
            for line in lines:
                if line.strip():
                    self._lines.append(line.rstrip())


class Interruption:
    """Handles signals: the first one ends the demo cleanly, a second one kills the processes that still run."""

    def __init__(self) -> None:
        self._begun = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal.

        Raises:
            KeyboardInterrupt: this is the first signal.
        """
        if not self._begun:
            self._begun = True
            raise KeyboardInterrupt
        for child in list(Child.running):
            child.kill()


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _die_with_parent() -> Callable[[], None] | None:
    """Return a function that makes the kernel end a child whose parent was killed. Only Linux can do this."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl  # loaded before the fork, because the child must not block on an import lock
    return lambda: prctl(DIE_WITH_PARENT, signal.SIGTERM)
