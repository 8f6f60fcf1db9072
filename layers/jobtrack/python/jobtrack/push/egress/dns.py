"""Looking up where a host is, for no longer than asked."""

import queue
import socket
import threading
from collections.abc import Callable, Sequence

Resolve = Callable[[str, int], Sequence[str]]


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, IPv4 first: a Lambda outside a VPC has no route for IPv6."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return sorted({str(entry[4][0]) for entry in found}, key=lambda address: (":" in address, address))


def resolve_within(seconds: float, resolve: Resolve, host: str, port: int) -> Sequence[str]:
    """What `resolve` answers within so many seconds.

    `getaddrinfo` cannot be interrupted, so a thread asks; one that is left waiting ends when the C library gives up.

    Raises:
        TimeoutError: no answer came in time.
        OSError: what `resolve` raised; others of its errors too.
    """
    answers: queue.SimpleQueue[Sequence[str] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(resolve(host, port))
        except Exception as error:
            answers.put(error)

    threading.Thread(target=ask, name="lookup", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, Exception):
        raise answer
    return answer
