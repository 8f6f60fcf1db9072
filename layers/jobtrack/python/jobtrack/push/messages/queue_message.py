"""The stored form of everything in the delivery queue."""

import json
from typing import Self

import msgspec
from msgspec import Struct


class QueueMessage(Struct, frozen=True, tag_field="kind"):
    """Base of the messages and wakes; `kind` tells them apart in the queue."""

    def encode(self) -> str:
        """Return the body for the queue: pure ASCII, since SQS refuses some characters that JSON allows."""
        return json.dumps(msgspec.to_builtins(self), separators=(",", ":"))

    @classmethod
    def decode(cls, body: str) -> Self:
        """Return what `encode` wrote.

        Raises:
            msgspec.DecodeError: the body is not of this kind.
        """
        return msgspec.json.decode(body, type=cls)
