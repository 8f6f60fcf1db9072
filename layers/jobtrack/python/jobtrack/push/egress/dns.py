"""DNS lookups with a time limit."""

import queue
import socket
import threading
from collections.abc import Callable, Sequence

Resolve = Callable[[str, int], Sequence[str]]


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host, IPv4 first: a Lambda function outside a VPC has no route for IPv6."""
    entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return sorted({str(entry[4][0]) for entry in entries}, key=lambda address: (":" in address, address))


def resolve_within(seconds: float, resolve: Resolve, host: str, port: int) -> Sequence[str]:
    """Return the result of `resolve`, if there is one within `seconds`.

    `getaddrinfo` cannot be interrupted, so it runs in a thread, which ends when the C library gives up.

    Raises:
        TimeoutError: there was no result in time.
        OSError: `resolve` failed. Its other errors are raised too.
    """
    results: queue.SimpleQueue[Sequence[str] | Exception] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            results.put(resolve(host, port))
        except Exception as error:
            results.put(error)

    threading.Thread(target=look_up, name="lookup", daemon=True).start()
    try:
        result = results.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(result, Exception):
        raise result
    return result
