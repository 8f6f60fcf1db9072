"""A socket that limits a whole exchange: its time, and the size of the response.

The timeout of a plain socket limits each read, not their sum: a receiver that sends byte by byte would never time out.
"""

import socket
from collections.abc import Callable

RESPONSE_BYTES = 16 * 1024
"""The maximum that is read of a response."""
EARLY_RESPONSE_SECONDS = 0.25
"""Reserved at the end of sending, to read the response of a receiver that did not read the whole request."""

Clock = Callable[[], float]


class BoundedSocket:
    """A socket with a deadline; `http.client` sends its requests through it."""

    def __init__(self, connected: socket.socket, deadline: float, clock: Clock) -> None:
        self._socket = connected
        self._deadline = deadline
        self._clock = clock
        self._left = RESPONSE_BYTES

    @property
    def full(self) -> bool:
        """Whether the response was read up to its size limit."""
        return self._left == 0

    def shorten(self, seconds: float) -> None:
        """Leave at most `seconds` for the rest of the response."""
        self._deadline = min(self._deadline, self._clock() + seconds)

    def sendall(self, data: bytes) -> None:
        """Send all of the data before the deadline.

        Raises:
            OSError: the receiver does not accept it; TimeoutError if it is too slow.
        """
        rest = memoryview(data)
        while rest:
            self._socket.settimeout(remaining(self._deadline - EARLY_RESPONSE_SECONDS, self._clock))
            rest = rest[self._socket.send(rest) :]

    def receive(self) -> bytes:
        """Return the next bytes, or no bytes at the end of the response or at its size limit.

        Raises:
            OSError: the connection failed; TimeoutError at the deadline.
        """
        if self.full:
            return b""
        self._socket.settimeout(remaining(self._deadline, self._clock))
        part = self._socket.recv(min(self._left, 4096))
        self._left -= len(part)
        return part

    def close(self) -> None:
        """Do nothing: the code that opened the socket closes it."""


def remaining(deadline: float, clock: Clock) -> float:
    """Return the seconds until the deadline.

    Raises:
        TimeoutError: the deadline is over.
    """
    left = deadline - clock()
    if left <= 0:
        raise TimeoutError
    return left
