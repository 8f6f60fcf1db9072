"""The simulator's recursive loop detection."""

from collections.abc import Sequence

import pytest

from jobtrack_local.pollers.queue_mapping import QueueMapping
from jobtrack_local.runtime.events import Record
from jobtrack_local.template.cloudformation import QueueProperties
from tests.simulators.memory_queue import MemoryQueue
from tests.simulators.memory_sqs import MemorySqs
from tests.simulators.recursive_loops import LIMIT, LoopDetection

TRIGGER = QueueProperties.model_validate({"Queue": {"Ref": "Q"}, "FunctionResponseTypes": ["ReportBatchItemFailures"]})


class Loop:
    """A function that sends each message to its own queue."""

    def __init__(self, recursive_loop: str, dead_letters: MemoryQueue | None) -> None:
        self.queue = MemoryQueue("arn:aws:sqs:us-east-1:0:Q", dead_letters=dead_letters)
        self.sqs = MemorySqs({"Q": self.queue})
        self.invocations = 0
        self.detection = LoopDetection(self.queue, self._serve, self.sqs.lineage, recursive_loop)

    def _serve(self, records: Sequence[Record]) -> object:
        self.invocations += 1
        for record in records:
            self.sqs.send_message(QueueUrl="Q", MessageBody=str(record["body"]))
        return {"batchItemFailures": []}

    def run(self, most: int) -> None:
        mapping = QueueMapping(self.detection, self.detection.invoke, TRIGGER)
        for _ in range(most):
            mapping.step()


def test_a_chain_is_stopped_and_its_message_is_a_dead_letter() -> None:
    dead = MemoryQueue("arn:aws:sqs:us-east-1:0:Dead")
    loop = Loop("Terminate", dead)
    loop.sqs.send_message(QueueUrl="Q", MessageBody="round")
    loop.run(50)
    assert loop.invocations == LIMIT
    assert (loop.queue.bodies(), dead.bodies()) == ([], ["round"])


def test_without_dead_letters_the_message_is_dropped() -> None:
    loop = Loop("Terminate", None)
    loop.sqs.send_message(QueueUrl="Q", MessageBody="round")
    loop.run(50)
    assert (loop.invocations, loop.queue.bodies()) == (LIMIT, [])


def test_who_allows_it_goes_on() -> None:
    loop = Loop("Allow", MemoryQueue("arn:aws:sqs:us-east-1:0:Dead"))
    loop.sqs.send_message(QueueUrl="Q", MessageBody="round")
    loop.run(50)
    assert loop.invocations == 50


@pytest.mark.parametrize("chains", [1, 20])
def test_a_message_of_nobodys_chain_begins_one(chains: int) -> None:
    loop = Loop("Terminate", None)
    for _ in range(chains):
        loop.sqs.send_message(QueueUrl="Q", MessageBody="round")
        loop.run(LIMIT)
        loop.run(1)
    assert loop.invocations == chains * LIMIT
