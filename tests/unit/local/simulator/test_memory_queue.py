"""The in-memory queue follows the rules of SQS."""

import random

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from jobtrack import times
from jobtrack.times import Micros
from jobtrack_local.pollers.queue_mapping import QueueMapping
from jobtrack_local.runtime.function import HandlerFailed
from jobtrack_local.template import template
from jobtrack_local.template.cloudformation import QueueProperties
from tests.simulators.memory_queue import MESSAGE_BYTES, MemoryQueue
from tests.simulators.memory_sqs import Entry, MemorySqs, queues

NOW = times.parse("2026-11-23T10:45:33Z")


class Clock:
    now = NOW

    def __call__(self) -> Micros:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now = times.add_seconds(self.now, seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def dead(clock: Clock) -> MemoryQueue:
    return MemoryQueue("dead", clock=clock)


@pytest.fixture
def queue(clock: Clock, dead: MemoryQueue) -> MemoryQueue:
    return MemoryQueue("q", visibility_timeout=30, max_receive_count=2, dead_letters=dead, clock=clock)


def test_a_message_is_hidden_while_it_is_in_flight_and_comes_again(queue: MemoryQueue, clock: Clock) -> None:
    queue.send("x")
    [first] = queue.receive(10)
    clock.pass_by(29.9)
    assert queue.receive(10) == []
    clock.pass_by(0.1)
    [again] = queue.receive(10)
    assert (again["MessageId"], again["Body"]) == (first["MessageId"], "x")
    assert [each["Attributes"]["ApproximateReceiveCount"] for each in (first, again)] == ["1", "2"]
    assert again["ReceiptHandle"] != first["ReceiptHandle"]


def test_a_message_that_was_received_again_is_not_deleted_by_its_older_handle(queue: MemoryQueue, clock: Clock) -> None:
    queue.send("x")
    [first] = queue.receive(10)
    clock.pass_by(30)
    [again] = queue.receive(10)
    queue.delete([first["ReceiptHandle"]])
    assert queue.bodies() == ["x"]
    queue.delete([again["ReceiptHandle"]])
    assert queue.bodies() == []


def test_what_was_received_too_often_is_a_dead_letter(queue: MemoryQueue, dead: MemoryQueue, clock: Clock) -> None:
    queue.send("poison")
    for _ in range(2):
        assert len(queue.receive(10)) == 1
        clock.pass_by(30)
    queue.send("good")
    assert [each["Body"] for each in queue.receive(10)] == ["good"]
    assert dead.bodies() == ["poison"]


def test_a_delayed_message_comes_at_its_time(queue: MemoryQueue, clock: Clock) -> None:
    queue.send("later", 900)
    assert (queue.receive(10), queue.due) == ([], times.add_seconds(NOW, 900))
    clock.pass_by(900)
    assert len(queue.receive(10)) == 1


@pytest.mark.parametrize(
    ("body", "delay", "code"),
    [
        ("x", 901, "InvalidParameterValue"),
        ("x", -1, "InvalidParameterValue"),
        ("", 0, "InvalidParameterValue"),
        ("x" * (MESSAGE_BYTES + 1), 0, "InvalidParameterValue"),
        ("\u3042" * (MESSAGE_BYTES // 3 + 1), 0, "InvalidParameterValue"),
        ("\x00", 0, "InvalidMessageContents"),
        ("\ufffe", 0, "InvalidMessageContents"),
    ],
)
def test_what_sqs_refuses_is_refused(queue: MemoryQueue, body: str, delay: float, code: str) -> None:
    with pytest.raises(ClientError) as refusal:
        queue.send(body, delay)
    assert refusal.value.response["Error"]["Code"] == code
    assert queue.bodies() == []


def test_messages_are_forgotten_when_their_time_is_over(clock: Clock) -> None:
    queue = MemoryQueue("q", retention=60, clock=clock)
    queue.send("x")
    clock.pass_by(61)
    assert (queue.due, queue.receive(10)) == (None, [])


def test_it_gives_ten_at_most_and_any_order(clock: Clock) -> None:
    queue = MemoryQueue("q", clock=clock, shuffle=random.Random(1).shuffle)
    for number in range(15):
        queue.send(str(number))
    first, second = queue.receive(10), queue.receive(10)
    bodies = [each["Body"] for each in (*first, *second)]
    assert (len(first), len(second)) == (10, 5)
    assert sorted(bodies, key=int) == [str(number) for number in range(15)] != bodies


def test_copies_come_one_by_one(clock: Clock) -> None:
    queue = MemoryQueue("q", clock=clock, copies=2)
    queue.send("x")
    one, other = queue.receive(10)
    assert one["MessageId"] == other["MessageId"]
    queue.delete([one["ReceiptHandle"]])
    clock.pass_by(30)
    assert len(queue.receive(10)) == 1


def entry(name: str, body: str = "x") -> Entry:
    return {"Id": name, "MessageBody": body}


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ([], "EmptyBatchRequest"),
        ([entry(str(number)) for number in range(11)], "TooManyEntriesInBatchRequest"),
        ([entry("a"), entry("a")], "BatchEntryIdsNotDistinct"),
        ([entry("a", "x" * MESSAGE_BYTES), entry("b")], "BatchRequestTooLong"),
    ],
)
def test_a_batch_that_sqs_refuses_is_refused_whole(queue: MemoryQueue, entries: list[Entry], code: str) -> None:
    with pytest.raises(ClientError, match=code):
        MemorySqs({"q": queue}).send_message_batch(QueueUrl="https://sqs/1/q", Entries=entries)
    assert queue.bodies() == []


def test_an_entry_is_refused_alone(queue: MemoryQueue) -> None:
    entries = [entry("a"), entry("b", "\x01")]
    answer = MemorySqs({"q": queue}).send_message_batch(QueueUrl="https://sqs/1/q", Entries=entries)
    assert [taken["Id"] for taken in answer["Successful"]] == ["a"]
    assert answer["Failed"] == [{"Id": "b", "Code": "InvalidMessageContents", "SenderFault": True}]


def test_the_templates_queues_have_its_times_and_dead_letters(clock: Clock) -> None:
    made = queues(template.load().queues, clock)
    assert (made["DeliveryQueue"].visibility_timeout, made["DeliveryQueue"].max_receive_count) == (180, 100)
    assert made["DeliveryQueue"].dead_letters is made["DeliveryFailures"]
    assert made["DeliveryFailures"].dead_letters is None


TRIGGER = {"Queue": "arn", "FunctionResponseTypes": ["ReportBatchItemFailures"]}


@given(
    stubborn=st.dictionaries(st.integers(0, 24), st.integers(1, 7)),
    copies=st.integers(1, 2),
    size=st.integers(1, 10),
    raises=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_each_message_is_handled_or_a_dead_letter(
    stubborn: dict[int, int], copies: int, size: int, raises: bool, seed: int
) -> None:
    clock, left, done = Clock(), dict(stubborn), set[str]()
    dead = MemoryQueue("dead", clock=clock)
    shuffle = random.Random(seed).shuffle
    queue = MemoryQueue("arn:aws:sqs:r:1:q", 30, 10_000, 5, dead, clock, copies, shuffle)
    for number in range(25):
        queue.send(str(number))

    def serve(records: object) -> object:
        assert isinstance(records, list)
        failed = [each for each in records if left.get(int(each["body"]), 0) > 0]
        for each in failed:
            left[int(each["body"])] -= 1
        if failed and raises:
            raise HandlerFailed("on purpose")
        done.update(each["body"] for each in records if each not in failed)
        return {"batchItemFailures": [{"itemIdentifier": each["messageId"]} for each in failed]}

    mapping = QueueMapping(queue, serve, QueueProperties.model_validate({**TRIGGER, "BatchSize": size}))
    while queue.due is not None:
        clock.now = max(clock.now, queue.due)
        mapping.step()
    assert done | {*dead.bodies()} == {str(number) for number in range(25)}
    assert {body for body in dead.bodies() if stubborn.get(int(body), 0) == 0 and not raises} == set()
