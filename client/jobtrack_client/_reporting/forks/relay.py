"""How a forked process hands what it reports to the one that runs the job: whole messages through a pair of sockets.

A process that was forked has no thread that sends, shares the connections of its parent, and may be ended by a signal
at any moment, as a pool ends its workers. So it does not send: each report is in the kernel's hands when the call
returns, and the job's own process puts it in order with what it reports itself.
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
"""How long what forked processes say waits for more: to be woken by each line would cost the job more than the line."""
_PROGRESS = b"progress"
"""The kind of a message that is no event, but tells of a stage that the parent has begun."""
_ROOM = 1024 * 1024
_LONGEST = EVENT_BYTES + 1024
AVAILABLE: bool = sys.platform != "win32"
"""Whether this system has relays. Windows does not: there, each process sends what it reports."""
_DONT_WAIT: int = getattr(_socket, "MSG_DONTWAIT", 0)
_FULL = (errno.EAGAIN, errno.ENOBUFS)


class Change(NamedTuple):
    """What a forked process tells of a stage of its parent's: so many records more, and what `Stage.update` takes."""

    records: int
    progress: float | None = None
    state: Mapping[str, object] = {}


class Relay:
    """The end of the job's process: takes in what forked ones say, in a thread of its own."""

    def __init__(self, event: Callable[[Event], None], progress: Callable[[int, Change], None]) -> None:
        self._event = event
        self._progress = progress
        # Reentrant, since a signal handler may end a stage while its thread is draining.
        self._lock = threading.RLock()
        self._ending = threading.Event()
        # Of `_socket`, which gevent and eventlet leave alone: the sockets of `socket` that they replace would wait for
        # what is not there, in spite of MSG_DONTWAIT, and gevent's raise where another greenlet waits already.
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
        """The descriptor of the other end."""
        descriptor: int = self._writer.fileno()
        return descriptor

    def drain(self) -> None:
        """Take in all that was said so far."""
        with self._lock, suppress(BlockingIOError):
            while self._reader.fileno() >= 0:
                self._take(self._reader.recv(_LONGEST, _DONT_WAIT))

    def close(self) -> None:
        """Take in what was said, and hear no more: who still speaks will notice, and send by itself."""
        self._ending.set()
        with suppress(OSError):  # full, so there is enough to wake the thread; or it is awake and has closed it
            self._writer.send(b"", _DONT_WAIT)
        self._thread.join(1.0)

    def inherited(self) -> "Mouthpiece":
        """What a forked process speaks through; it must not keep the parent's end open."""
        self._reader.close()
        return Mouthpiece(self._writer)

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


class Mouthpiece:
    """The end of a forked process: says at once what there is to say, or that it could not."""

    def __init__(self, writer: _socket.socket | None) -> None:
        self._writer = writer
        self.cut_off = writer is None
        """Nobody listens, or no longer."""

    @classmethod
    def of(cls, writer: int) -> "Mouthpiece":
        """That of a process that was started anew, with the descriptor of a relay's `writer`."""
        os.set_inheritable(writer, False)
        return cls(_socket.socket(fileno=writer))

    @property
    def writer(self) -> int | None:
        """The descriptor that it speaks through."""
        return None if self._writer is None else self._writer.fileno()

    def say(self, event: Event) -> bool:
        """Hand over an event; whether there was room for it, and somebody who listens."""
        return self._send(event.type.encode(), event.rank, event.body)

    def tell(self, number: int, change: Change) -> bool:
        """Tell how far a stage of the parent's has come; answers as `say`."""
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
