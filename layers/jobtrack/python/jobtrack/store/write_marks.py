"""Marks, with which a writer recognizes its own write after the response was lost.

botocore repeats a request whose response does not arrive. If the first request was applied, its write makes the
condition of the repetition fail, which looks as if another writer had been faster. So each conditional write adds a
random mark to the item (attribute `w`).

A snapshot has many writers, so it keeps the newest mark of each of its last eight writers. A writer finds its own mark
unless eight other writers have written since.
"""

import os
import threading
from collections.abc import Mapping
from typing import Any

ATTRIBUTE = "w"

_WRITER_BYTES = 4
_MARK_BYTES = 8
_WRITERS = 8
MAX_BYTES = _WRITERS * _MARK_BYTES
"""The maximum size of an item's marks."""

# Writers are threads: each makes one write at a time, so its newest mark suffices. A writer's id is not made at import,
# where all functions restored from one SnapStart snapshot would get the same id.
_thread = threading.local()


def new_mark() -> bytes:
    """Return the mark of one write: the id of the writer (this thread), and a random number."""
    if not hasattr(_thread, "writer"):
        _thread.writer = os.urandom(_WRITER_BYTES)
    writer: bytes = _thread.writer
    return writer + os.urandom(_MARK_BYTES - _WRITER_BYTES)


def read_marks(item: Mapping[str, Any]) -> bytes:
    """Return the marks in an item."""
    return bytes(item[ATTRIBUTE]["B"]) if ATTRIBUTE in item else b""


def add_mark(marks: bytes, mark: bytes) -> bytes:
    """Return the marks with a new one first; it replaces the writer's earlier one, or the oldest if there are eight."""
    others = [other for other in _split(marks) if _writer(other) != _writer(mark)]
    return b"".join([mark, *others[: _WRITERS - 1]])


def contains_mark(marks: bytes, mark: bytes) -> bool | None:
    """Return whether the write with this mark was applied; None if later marks may have replaced it."""
    stored = _split(marks)
    if mark in stored:
        return True
    writers = {_writer(other) for other in stored}
    return None if len(stored) == _WRITERS and _writer(mark) not in writers else False


def _split(marks: bytes) -> list[bytes]:
    return [marks[start : start + _MARK_BYTES] for start in range(0, len(marks), _MARK_BYTES)]


def _writer(mark: bytes) -> bytes:
    return mark[:_WRITER_BYTES]
