"""How many entries of a page fit into a response."""

from collections.abc import Iterable
from typing import TypeVar

import orjson

from jobtrack import limits

Entry = TypeVar("Entry")


def take_fitting(entries: Iterable[Entry]) -> list[Entry]:
    """Return the first entries that fit into a response together; at least one, if there is one."""
    everything = list(entries)
    if _size_in_response(orjson.dumps(everything)) <= limits.ANSWER_BYTES:
        return everything
    size, fitting = 0, list[Entry]()
    for entry in everything:
        size += _size_in_response(orjson.dumps(entry))
        if fitting and size > limits.ANSWER_BYTES:
            break
        fitting.append(entry)
    return fitting


def _size_in_response(text: bytes) -> int:
    """Return the bytes of a JSON text in Lambda's response, which holds the body as a JSON string, and a comma."""
    return len(text) + text.count(b'"') + text.count(b"\\") + 1
