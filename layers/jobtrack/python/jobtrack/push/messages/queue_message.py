"""The stored form of everything in the delivery queue.

A release may receive messages of the next release, during an update or after a rollback.
"""

import json
from typing import Self

import msgspec
from msgspec import Struct

from jobtrack.errors import UnreadableFormat

FORMAT = 1
"""The format that is written. docs/decisions/keys-and-indexes.md explains when to raise it."""
READABLE = (1,)
"""The formats that can be read."""


class QueueMessage(Struct, frozen=True, tag_field="kind"):
    """Base of the messages and wakes; `kind` distinguishes them in the queue."""

    def encode(self) -> str:
        """Return the body for the queue: pure ASCII, since SQS refuses some characters that JSON allows."""
        return json.dumps({"format": FORMAT, **msgspec.to_builtins(self)}, separators=(",", ":"))

    @classmethod
    def decode(cls, body: str) -> Self:
        """Return the message or wake that `encode` wrote.

        Raises:
            msgspec.DecodeError: the body is not of this kind.
            UnreadableFormat: another release wrote it.
        """
        check_format(body)
        return msgspec.json.decode(body, type=cls)


class _Header(Struct):
    """The member that all formats have."""

    format: int


def check_format(body: str) -> None:
    """Check that a body can be read.

    Raises:
        msgspec.DecodeError: it has no format.
        UnreadableFormat: another release wrote it.
    """
    stored = msgspec.json.decode(body, type=_Header).format
    if stored not in READABLE:
        raise UnreadableFormat(f"A message in the queue has format {stored}; this release reads {READABLE}.")
