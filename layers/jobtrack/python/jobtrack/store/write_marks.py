"""Marks: how a writer recognises its own write when the response to it was lost.

botocore repeats a request whose response does not arrive. If the first request was applied, the repetition fails the
condition that the first one has made untrue, and looks like another writer's success. So each conditional write puts a
mark of its own into the item (`w`).

A snapshot has many writers, so it keeps the newest mark of each of the last few. Whoever else has written meanwhile, a
writer finds its own mark as long as it is among these.
"""

import os
import threading
from collections.abc import Mapping
from typing import Any

ATTRIBUTE = "w"

_WRITER_BYTES = 4
_MARK_BYTES = 8
_WRITERS = 8
MOST_BYTES = _WRITERS * _MARK_BYTES
"""What the marks of an item weigh at most."""

# A thread makes one write after another, so its newest mark is enough. The name is not made at import: all functions
# that are restored from one SnapStart snapshot would have the same.
_thread = threading.local()


def new_mark() -> bytes:
    """The mark of one write: the name of the writer (this thread), and a random number."""
    if not hasattr(_thread, "writer"):
        _thread.writer = os.urandom(_WRITER_BYTES)
    writer: bytes = _thread.writer
    return writer + os.urandom(_MARK_BYTES - _WRITER_BYTES)


def stored(item: Mapping[str, Any]) -> bytes:
    """The marks in an item."""
    return bytes(item[ATTRIBUTE]["B"]) if ATTRIBUTE in item else b""


def added(marks: bytes, mark: bytes) -> bytes:
    """The marks with one more in front, in place of the same writer's before; the longest unused one goes."""
    others = [each for each in _split(marks) if _writer(each) != _writer(mark)]
    return b"".join([mark, *others[: _WRITERS - 1]])


def shows(marks: bytes, mark: bytes) -> bool | None:
    """Whether the write with this mark was applied; None if its mark may have gone since."""
    found = _split(marks)
    if mark in found:
        return True
    writers = {_writer(each) for each in found}
    return None if len(found) == _WRITERS and _writer(mark) not in writers else False


def _split(marks: bytes) -> list[bytes]:
    return [marks[start : start + _MARK_BYTES] for start in range(0, len(marks), _MARK_BYTES)]


def _writer(mark: bytes) -> bytes:
    return mark[:_WRITER_BYTES]
