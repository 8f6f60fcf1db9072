"""Hands events of a forked process to the job's own process, through a pair of datagram sockets.

A forked process has no sending thread, shares the connections of its parent, and may be killed at any time, as a pool
kills its workers. So it does not send requests. When a call returns, the kernel has the event. The job's own process
then adds it to its own events.
"""

import _socket
import errno
import json
import os
import selectors
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple

from jobtrack_client._api.bodies import EVENT
from jobtrack_client._reporting.queued_events import Event, Rank
from jobtrack_client._runtime.threads import Background
from jobtrack_client._values.members import within_limits
from jobtrack_client._values.shorten import EVENT_BYTES, dumps

GATHER_SECONDS = 0.01
"""How long the relay waits for more events. Waking up for each line would cost more than the line itself."""
_PROGRESS = b"progress"
"""The kind of a message that changes the progress of a stage which the parent began."""
_ROOM = 1024 * 1024
_LONGEST = EVENT_BYTES + 1024
AVAILABLE: bool = sys.platform != "win32"
"""Whether this system has relays. On Windows, each process sends its own events."""
_DONT_WAIT: int = getattr(_socket, "MSG_DONTWAIT", 0)
_FULL = (errno.EAGAIN, errno.ENOBUFS)


class Change(NamedTuple):
    """A change of the parent's progress: a number of new records, and arguments of `Stage.update`."""

    records: int
    progress: float | None = None
    state: Mapping[str, object] = {}


class Relay:
    """Receives messages from forked processes, in a thread of the job's process."""

    def __init__(self, event: Callable[[Event], None], progress: Callable[[int, Change], None]) -> None:
        self._event = event
        self._progress = progress
        # Reentrant, because a signal handler may end a stage while its thread is draining.
        self._lock = threading.RLock()
        self._ending = threading.Event()
        # Use `_socket`, which gevent and eventlet do not replace. Their sockets wait in spite of MSG_DONTWAIT, and
        # gevent's raise an exception if another greenlet waits already.
        self._reader, self._writer = _socket_pair()
        for end in (self._reader, self._writer):
            end.setsockopt(_socket.SOL_SOCKET, _socket.SO_SNDBUF, _ROOM)
            end.setsockopt(_socket.SOL_SOCKET, _socket.SO_RCVBUF, _ROOM)
        self._thread = Background("jobtrack-relay")
        try:
            self._thread.start(self._run)
        except RuntimeError:
            self._close()
            raise

    @property
    def writer(self) -> int:
        """The descriptor to write to."""
        descriptor: int = self._writer.fileno()
        return descriptor

    def drain(self) -> None:
        """Receive all messages that were sent so far."""
        with self._lock, suppress(BlockingIOError):
            while self._reader.fileno() >= 0:
                self._take(self._reader.recv(_LONGEST, _DONT_WAIT))

    def close(self) -> None:
        """Receive the remaining messages, and stop. Other processes notice this, and send their events themselves."""
        self._ending.set()
        with suppress(OSError):  # the socket is full or closed: the thread is awake
            self._writer.send(b"", _DONT_WAIT)
        self._thread.join(1.0)

    def inherited(self) -> "ParentLink":
        """Return a forked process's link to its parent. Close the copy of the parent's socket."""
        self._reader.close()
        return ParentLink(self._writer)

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._reader, selectors.EVENT_READ)
            while not self._ending.is_set():
                selector.select()
                self._ending.wait(GATHER_SECONDS)
                self.drain()
        self._close()

    def _close(self) -> None:
        with self._lock:
            self._reader.close()
            self._writer.close()

    def _take(self, message: bytes) -> None:
        if not message:
            return
        kind, number, body = message.split(b" ", 2)
        if kind == _PROGRESS:
            self._progress(int(number), Change(*json.loads(body)))
        else:
            self._event(Event(kind.decode(), Rank(int(number)), body))


def _socket_pair() -> tuple[_socket.socket, _socket.socket]:
    if sys.platform == "win32":
        raise OSError("Windows has no socket pairs that keep messages whole")
    else:
        return _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_DGRAM)


class ParentLink:
    """Sends messages from a forked process to the job's own process, without waiting."""

    def __init__(self, writer: _socket.socket | None) -> None:
        self._writer = writer
        self.cut_off = writer is None
        """Whether the job's own process does not receive messages."""

    @classmethod
    def of(cls, writer: int) -> "ParentLink":
        """Return the link of a spawned process, with the descriptor of a relay's `writer`."""
        os.set_inheritable(writer, False)
        return cls(_socket.socket(fileno=writer))

    @property
    def writer(self) -> int | None:
        """The descriptor of its socket."""
        return None if self._writer is None else self._writer.fileno()

    def send_event(self, event: Event) -> bool:
        """Send an event. Return whether the socket had room and a receiver."""
        return self._send(event.type.encode(), event.rank, event.body)

    def send_change(self, number: int, change: Change) -> bool:
        """Send a change of the parent's progress. Return the same as `send_event`."""
        state = within_limits(change.state, EVENT)
        return self._send(_PROGRESS, number, dumps([change.records, change.progress, state]))

    def _send(self, kind: bytes, number: int, body: bytes) -> bool:
        if self._writer is None or self.cut_off:
            return False
        try:
            self._writer.send(b"%b %d %b" % (kind, number, body), _DONT_WAIT)
        except OSError as error:
            self.cut_off = error.errno not in _FULL
            return False
        return True
