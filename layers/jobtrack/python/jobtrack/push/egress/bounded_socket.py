"""A connection that bounds a whole exchange: its time, and the size of the answer.

The time-out of a socket bounds each read, not their sum: a receiver that drips would hold it for ever.
"""

import socket
from collections.abc import Callable

ANSWER_BYTES = 16 * 1024
LOOK_SECONDS = 0.25
"""Kept of the time for sending, so that an answer can be read that came before the request was taken."""

Clock = Callable[[], float]


class BoundedSocket:
    """A socket with a deadline; `http.client` sends its requests through it."""

    def __init__(self, connected: socket.socket, deadline: float, clock: Clock) -> None:
        self._socket = connected
        self._deadline = deadline
        self._clock = clock
        self._left = ANSWER_BYTES

    @property
    def full(self) -> bool:
        """Whether as much was read as is read of an answer."""
        return self._left == 0

    def shorten(self, seconds: float) -> None:
        """Leave at most so many seconds for what is still to be read."""
        self._deadline = min(self._deadline, self._clock() + seconds)

    def sendall(self, data: bytes) -> None:
        """Send all of the data before the deadline.

        Raises:
            OSError: the receiver does not take it; TimeoutError if it is too slow.
        """
        rest = memoryview(data)
        while rest:
            self._socket.settimeout(remaining(self._deadline - LOOK_SECONDS, self._clock))
            rest = rest[self._socket.send(rest) :]

    def receive(self) -> bytes:
        """What comes next; nothing at the end of the answer, or of what is read of it.

        Raises:
            OSError: nothing more came; TimeoutError at the deadline.
        """
        if self.full:
            return b""
        self._socket.settimeout(remaining(self._deadline, self._clock))
        part = self._socket.recv(min(self._left, 4096))
        self._left -= len(part)
        return part

    def close(self) -> None:
        """Do nothing: whoever opened the socket closes it."""


def remaining(deadline: float, clock: Clock) -> float:
    """Seconds until the deadline.

    Raises:
        TimeoutError: there are none.
    """
    left = deadline - clock()
    if left <= 0:
        raise TimeoutError
    return left
