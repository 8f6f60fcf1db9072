"""A standard queue of SQS in memory: visibility, redelivery, dead letters, delays, limits; any order, and copies."""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Self

from botocore.exceptions import ClientError

from jobtrack import times
from jobtrack.times import Micros

if TYPE_CHECKING:
    from types_boto3_sqs.literals import MessageSystemAttributeNameType
    from types_boto3_sqs.type_defs import MessageTypeDef

LONGEST_DELAY = 900
MESSAGE_BYTES = 1024 * 1024
"""Of a message, and of a batch of them together."""
_FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass
class _Waiting:
    """A message, or a copy of one, and from when on it can be received."""

    message_id: str
    body: str
    group: str | None
    trace: str | None
    sent: Micros
    visible: Micros
    received: int = 0
    first_received: Micros | None = None
    handle: str = ""


@dataclass
class MemoryQueue:
    """One queue.

    `copies` is how often each message is there, as SQS may repeat one; `shuffle` changes the order in which they come.
    """

    arn: str
    visibility_timeout: float = 30
    retention: float = 345_600
    max_receive_count: int | None = None
    dead_letters: Self | None = None
    clock: Callable[[], Micros] = times.now
    copies: int = 1
    shuffle: Callable[[list[_Waiting]], None] = lambda waiting: None
    waiting: list[_Waiting] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def send(self, body: str, delay: float = 0, group: str | None = None, trace: str | None = None) -> str:
        """Put a message; its id. ClientError, with the code of SQS, for what SQS refuses."""
        _check(body, delay)
        now, name = self.clock(), f"{self.arn}/{next(self._numbers)}"
        visible = times.add_seconds(now, delay)
        self.waiting += [_Waiting(name, body, group, trace, now, visible) for _ in range(self.copies)]
        return name

    @property
    def due(self) -> Micros | None:
        """When the next message can be received; None when there are none."""
        self._expire()
        return min((each.visible for each in self.waiting), default=None)

    def receive(self, most: int) -> "Sequence[MessageTypeDef]":
        """Messages that can be received, which hides them for the visibility time-out."""
        self._expire()
        now = self.clock()
        visible = [each for each in self.waiting if each.visible <= now]
        self.shuffle(visible)
        alive = [each for each in visible if not self._dead(each)]
        return [self._received(each, now) for each in alive[:most]]

    def delete(self, handles: Sequence[str]) -> None:
        """Forget what was received last under these handles; others do nothing, as SQS may treat them."""
        self.waiting = [each for each in self.waiting if not each.handle or each.handle not in handles]

    def bury(self, handles: Sequence[str]) -> None:
        """Move what was received last under these handles to the dead letters, however often it was received."""
        for message in [each for each in self.waiting if each.handle and each.handle in handles]:
            self._bury(message)

    def bodies(self) -> list[str]:
        """What it holds, for who looks on."""
        return [each.body for each in self.waiting]

    def _dead(self, message: _Waiting) -> bool:
        """Whether it was received too often; then it is among the dead letters from now on."""
        if self.max_receive_count is None or message.received < self.max_receive_count:
            return False
        self._bury(message)
        return True

    def _bury(self, message: _Waiting) -> None:
        """Move it to the dead letters, if there are any."""
        self.waiting.remove(message)
        if self.dead_letters is not None:
            self.dead_letters.waiting.append(
                _Waiting(message.message_id, message.body, message.group, message.trace, message.sent, self.clock())
            )

    def _received(self, message: _Waiting, now: Micros) -> "MessageTypeDef":
        message.received += 1
        message.visible = times.add_seconds(now, self.visibility_timeout)
        message.handle = f"{message.message_id}#{next(self._numbers)}"
        message.first_received = now if message.first_received is None else message.first_received
        attributes: dict[MessageSystemAttributeNameType, str] = {
            "ApproximateReceiveCount": str(message.received),
            "SentTimestamp": str(message.sent // 1000),
            "ApproximateFirstReceiveTimestamp": str(message.first_received // 1000),
        }
        if message.group:
            attributes["MessageGroupId"] = message.group
        if message.trace:
            attributes["AWSTraceHeader"] = message.trace
        return {
            "MessageId": message.message_id,
            "ReceiptHandle": message.handle,
            "Body": message.body,
            "MD5OfBody": hashlib.md5(message.body.encode(), usedforsecurity=False).hexdigest(),
            "Attributes": attributes,
        }

    def _expire(self) -> None:
        oldest = times.add_seconds(self.clock(), -self.retention)
        self.waiting = [each for each in self.waiting if each.sent > oldest]


def refused(code: str, operation: str) -> ClientError:
    """What boto3 raises when SQS answers with an error."""
    return ClientError({"Error": {"Code": code, "Message": code}}, operation)


def _check(body: str, delay: float) -> None:
    if not 0 <= delay <= LONGEST_DELAY or not body or len(body.encode()) > MESSAGE_BYTES:
        raise refused("InvalidParameterValue", "SendMessage")
    if _FORBIDDEN.search(body):
        raise refused("InvalidMessageContents", "SendMessage")
