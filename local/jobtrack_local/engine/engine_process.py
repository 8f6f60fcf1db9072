"""The process of an engine. It prints its port, and ends when its standard input is closed."""

import os
import socket
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import IO

from jobtrack_client._runtime.own_program import absolute_entries
from jobtrack_local.errors import LocalError

START_SECONDS = 60
STOP_SECONDS = 70
"""Longer than an engine takes to write its state or to abandon that."""
INHERITED = ("PATH", "HOME", "TMPDIR", "LANG", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME")


class EngineProcess:
    """A process that prints `port N`. It ends when its standard input is closed, so it never outlives the service."""

    def __init__(self, name: str, command: Sequence[str], env: Mapping[str, str], keep: Sequence[int] = ()) -> None:
        self.name = name
        self._ports: SimpleQueue[int | None] = SimpleQueue()
        self._last_error_line = "it printed no error"
        self._process = self._spawn(command, env, keep)
        self._readers = [threading.Thread(target=read, daemon=True) for read in (self._read_output, self._read_errors)]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is running."""
        return self._process.poll() is None

    def url(self, seconds: float = START_SECONDS) -> str:
        """Wait until the engine accepts connections, and return its URL.

        Raises:
            LocalError: the engine ended, or did not start in time.
        """
        deadline = time.monotonic() + seconds
        try:
            port = self._ports.get(timeout=seconds)
        except Empty:
            port = None
        while port and self.running and time.monotonic() < deadline:
            if _listening(port):
                return f"http://127.0.0.1:{port}"
            time.sleep(0.02)
        raise LocalError(f"{self.name} did not start: {self._last_error_line}")

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Ask the engine to write its state and end. Kill it if that takes longer."""
        _close(self._process.stdin)
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for reader in self._readers:
            reader.join()
        _close(self._process.stdout)
        _close(self._process.stderr)

    def _spawn(self, command: Sequence[str], env: Mapping[str, str], keep: Sequence[int]) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                command,
                env=without_relative_imports({**_inherited(), **env}),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=keep,
                start_new_session=True,  # Ctrl-C must reach only the service, which then stops its engines
            )
        except OSError as error:
            raise LocalError(f"cannot start {self.name}: {error}") from error

    def _read_output(self) -> None:
        for line in self._process.stdout or ():
            if line.startswith(b"port "):
                self._ports.put(int(line.split()[1]))
        self._ports.put(None)

    def _read_errors(self) -> None:
        for line in self._process.stderr or ():
            self._last_error_line = line.decode(errors="replace").strip() or self._last_error_line


def without_relative_imports(env: Mapping[str, str]) -> dict[str, str]:
    """Remove relative entries from PYTHONPATH, so that a child imports nothing from the working directory."""
    return {name: absolute_entries(text) if name == "PYTHONPATH" else text for name, text in env.items()}


def _inherited() -> dict[str, str]:
    return {name: os.environ[name] for name in INHERITED if name in os.environ}


def _listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _close(pipe: IO[bytes] | None) -> None:
    if pipe is not None:
        pipe.close()
