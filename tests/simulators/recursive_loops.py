"""Lambda's recursive loop detection, between queues and functions.

What a function sends to a queue has a trace header, in which Lambda counts the invocations that led there. After about
16 of them it no longer invokes the function: the message goes to the dead letters. A function whose `RecursiveLoop` is
`Allow` is invoked all the same. A table's stream passes no header on, so a loop through DynamoDB is not detected.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html. Of a batch the longest chain counts here: AWS
does not say which does.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from jobtrack_local.pollers.batch_responses import Invoke
from jobtrack_local.runtime.events import Record
from tests.simulators.memory_queue import MemoryQueue

if TYPE_CHECKING:
    from types_boto3_sqs.type_defs import MessageTypeDef

LIMIT = 16
"""Invocations in a chain before the next one is stopped."""
_LINEAGE = re.compile(r"Lineage=1:simulated:(\d+)")


class Lineage:
    """The chain of invocations that led to the one under way; one for all functions and queues of a stack."""

    def __init__(self) -> None:
        self._invocations = 0

    @property
    def header(self) -> str:
        """What the SDK sends along, and SQS keeps as the message's `AWSTraceHeader`."""
        return f"Lineage=1:simulated:{self._invocations}"

    @contextmanager
    def invocation(self, records: Sequence[Record]) -> Iterator[None]:
        """While a function runs with these records, what it sends has one invocation more."""
        self._invocations = 1 + max(_invocations(record["attributes"]) for record in records)
        try:
            yield
        finally:
            self._invocations = 0


class LoopDetection:
    """A queue as one function's poller sees it: without the messages whose chain is too long."""

    def __init__(self, queue: MemoryQueue, invoke: Invoke, lineage: Lineage, recursive_loop: str) -> None:
        self.arn = queue.arn
        self._queue = queue
        self._invoke = invoke
        self._lineage = lineage
        self._allowed = recursive_loop == "Allow"

    def receive(self, most: int) -> "Sequence[MessageTypeDef]":
        """Messages that are due, less those that are stopped."""
        received = self._queue.receive(most)
        stopped = [each["ReceiptHandle"] for each in received if self._is_looping(each)]
        self._queue.bury(stopped)
        return [each for each in received if each["ReceiptHandle"] not in stopped]

    def delete(self, handles: Sequence[str]) -> None:
        """Forget the messages with these receipt handles."""
        self._queue.delete(handles)

    def invoke(self, records: Sequence[Record]) -> object:
        """Call the function, as the next in the chain."""
        with self._lineage.invocation(records):
            return self._invoke(records)

    def _is_looping(self, message: "MessageTypeDef") -> bool:
        return not self._allowed and _invocations(message["Attributes"]) >= LIMIT


def _invocations(attributes: object) -> int:
    """How many invocations led to a message."""
    header = attributes.get("AWSTraceHeader", "") if isinstance(attributes, dict) else ""
    found = _LINEAGE.search(header)
    return int(found[1]) if found else 0
