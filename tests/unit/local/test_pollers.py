"""What the pollers pass to functions, and how they treat the responses."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import pytest
from botocore.exceptions import EndpointConnectionError

from jobtrack_local.pollers.control import PollerControl, Stopped
from jobtrack_local.pollers.engine_stream import EngineStream
from jobtrack_local.pollers.pollers import EngineQueue, OnFailureDestination, Poller, QueuePoller, StreamPoller
from jobtrack_local.pollers.queue_mapping import QueueMapping
from jobtrack_local.pollers.shard_batches import FIRST_DELAY_SECONDS, Discarded
from jobtrack_local.pollers.stream_mapping import StreamMapping
from jobtrack_local.runtime.events import Record
from jobtrack_local.runtime.function import Context, Function, HandlerFailed
from jobtrack_local.template.cloudformation import FunctionProperties, QueueProperties, StreamProperties
from tests.unit.local.fakes import FakeQueue, FakeStream, Shard, message

PATIENCE_SECONDS = 20
PROPERTIES = FunctionProperties.model_validate({"CodeUri": "x", "Timeout": 60, "MemorySize": 512})
STREAM = StreamProperties.model_validate({"Stream": "arn"})
PARTIAL = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}
QUEUE = QueueProperties.model_validate({"Queue": "arn", **PARTIAL})
Answer = Callable[[dict[str, Any]], object]


def function(answer: Answer) -> Function:
    return Function("Test", lambda event, context: answer(event), PROPERTIES)


def failing(*ids: str) -> Answer:
    return lambda event: {"batchItemFailures": [{"itemIdentifier": each} for each in ids]}


def queue_mapping(client: FakeQueue, answer: Answer, trigger: QueueProperties = QUEUE) -> QueueMapping:
    arn = "arn:aws:sqs:us-east-1:000000000000:Q"
    return QueueMapping(
        EngineQueue(cast("Any", client), "http://127.0.0.1/Q", arn), function(answer).invoke_with_records, trigger
    )


def test_handled_messages_are_deleted_and_failed_ones_left() -> None:
    client = FakeQueue()
    queue_mapping(client, failing("m1")).handle(cast("Any", [message(0), message(1), message(2)]))
    assert client.deleted == ["r0", "r2"]


@pytest.mark.parametrize("said", [None, {}, {"batchItemFailures": []}])
def test_an_answer_without_failures_means_that_all_went_well(said: object) -> None:
    client = FakeQueue()
    queue_mapping(client, lambda event: said).handle(cast("Any", [message(0), message(1)]))
    assert client.deleted == ["r0", "r1"]


@pytest.mark.parametrize(
    "answer",
    [lambda event: 1 / 0, failing("stranger"), failing("m0", "m1")],
    ids=["it raises", "it names a stranger", "it names all"],
)
def test_a_batch_that_failed_is_left_whole(answer: Answer) -> None:
    client = FakeQueue()
    queue_mapping(client, answer).handle(cast("Any", [message(0), message(1)]))
    assert client.deleted == []


def test_without_partial_failures_in_the_template_an_answer_counts_for_nothing() -> None:
    client = FakeQueue()
    trigger = QueueProperties.model_validate({"Queue": "arn"})
    queue_mapping(client, failing("m0"), trigger).handle(cast("Any", [message(0), message(1)]))
    assert client.deleted == ["r0", "r1"]


def test_messages_have_lambdas_shape() -> None:
    seen: list[dict[str, Any]] = []
    sent = message(7) | {
        "Attributes": {"ApproximateReceiveCount": "1"},
        "MessageAttributes": {"host": {"StringValue": "example.com", "DataType": "String"}},
    }
    queue_mapping(FakeQueue(), seen.append).handle(cast("Any", [sent]))
    assert seen == [
        {
            "Records": [
                {
                    "messageId": "m7",
                    "receiptHandle": "r7",
                    "body": "7",
                    "attributes": {"ApproximateReceiveCount": "1"},
                    "messageAttributes": {
                        "host": {
                            "stringValue": "example.com",
                            "stringListValues": [],
                            "binaryListValues": [],
                            "dataType": "String",
                        }
                    },
                    "md5OfBody": "x",
                    "eventSource": "aws:sqs",
                    "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:Q",
                    "awsRegion": "us-east-1",
                }
            ]
        }
    ]


def test_a_slow_batch_holds_up_no_other() -> None:
    slow, done, control = threading.Event(), threading.Event(), PollerControl()

    def answer(event: dict[str, Any]) -> None:
        if event["Records"][0]["body"] == "0":
            slow.wait(PATIENCE_SECONDS)
        else:
            done.set()

    mapping = queue_mapping(FakeQueue([[message(0)], [message(1)]]), answer)
    poller = QueuePoller(mapping, 2, lambda: None, control)
    with running(poller):
        assert done.wait(PATIENCE_SECONDS)
        slow.set()


def outbox_record(number: str) -> Record:
    return {"eventName": "INSERT", "dynamodb": {"SequenceNumber": number, "ApproximateCreationDateTime": 1}}


def stream_poller(
    stream: FakeStream,
    answer: Answer,
    control: PollerControl,
    backlog: Sequence[Record] = (),
    trigger: StreamProperties = STREAM,
) -> StreamPoller:
    source = EngineStream(cast("Any", stream), "arn")
    mapping = StreamMapping(source, function(answer).invoke_with_records, trigger, lambda lost, shard: None)

    def begin() -> None:
        source.start()
        mapping.add_backlog(backlog)

    return StreamPoller(mapping, control, begin)


def carried(stream: FakeStream, backlog: Sequence[Record], expected: int, wrote: Callable[[], None]) -> list[str]:
    """Return the first `expected` records of a stream poller; `wrote` is called after the backlog."""
    control, seen, enough = PollerControl(), list[str](), threading.Event()

    def answer(event: dict[str, Any]) -> None:
        seen.extend(record["dynamodb"]["SequenceNumber"] for record in event["Records"])
        if len(seen) == len(backlog):
            wrote()
            control.wake()
        if len(seen) >= expected:
            enough.set()

    with running(stream_poller(stream, answer, control, backlog)):
        assert enough.wait(PATIENCE_SECONDS)
    return seen


@contextmanager
def running(poller: Poller) -> Iterator[None]:
    thread = threading.Thread(target=poller.run)
    thread.start()
    try:
        yield
    finally:
        poller.control.stop()
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()


def test_the_backlog_comes_first_and_then_what_was_written_since() -> None:
    stream = FakeStream()
    stream.shards = {"a": Shard(records=["old"])}
    seen = carried(stream, [outbox_record("b0")], 2, lambda: stream.shards["a"].records.append("new"))
    assert seen == ["b0", "new"]


def test_a_stream_that_fails_for_a_moment_loses_nothing() -> None:
    stream = FakeStream()
    stream.shards = {"a": Shard()}
    stream.outages = [EndpointConnectionError(endpoint_url="http://127.0.0.1")]
    assert carried(stream, [outbox_record("b0")], 1, lambda: None) == ["b0"]


def test_a_record_that_fails_is_tried_again_and_what_follows_is_carried() -> None:
    stream, failures = FakeStream(), [True, True]
    stream.shards = {"a": Shard()}

    def answer(event: dict[str, Any]) -> None:
        if failures:
            failures.pop()
            raise OSError("on purpose")
        control.stop()

    control = PollerControl()
    stream_poller(stream, answer, control, [outbox_record("b0")]).run()
    assert failures == []


class WaitingControl(PollerControl):
    """A control that notes how long its poller would wait, and wakes it or stops it at once."""

    def __init__(self, waits: int) -> None:
        super().__init__()
        self.waits: list[float | None] = []
        self._left = waits

    def wait_for_wake(self, seconds: float | None) -> None:
        self.waits.append(seconds)
        self._left -= 1
        if not self._left:
            self.stop()
        super().wait_for_wake(0)

    def pause(self, seconds: float) -> None:
        super().pause(0)


def test_a_stream_without_records_is_read_once_for_each_wake() -> None:
    stream, control = FakeStream(), WaitingControl(waits=3)
    stream.shards = {"a": Shard()}
    stream_poller(stream, lambda event: None, control).run()
    assert control.waits == [None, None, None]
    assert stream.reads == 3


def test_a_stream_poller_waits_for_the_next_retry() -> None:
    stream, control = FakeStream(), WaitingControl(waits=1)
    stream.shards = {"a": Shard()}
    stream_poller(stream, lambda event: 1 / 0, control, [outbox_record("b0")]).run()
    (seconds,) = control.waits
    assert seconds is not None
    assert 0 < seconds <= FIRST_DELAY_SECONDS


def test_a_queue_poller_waits_until_the_next_message_is_due() -> None:
    queue, control, due = FakeQueue([[message(0)]]), WaitingControl(waits=2), [7.5, None]
    mapping = queue_mapping(queue, lambda event: None)
    QueuePoller(mapping, 2, lambda: due.pop(0), control).run()
    assert control.waits == [7.5, None]
    assert queue.receives == 3  # one returned the message


def test_no_more_batches_are_handled_at_once_than_the_template_allows() -> None:
    busy, over, control = threading.Semaphore(0), threading.Event(), PollerControl()

    def answer(event: dict[str, Any]) -> None:
        busy.release()
        over.wait(PATIENCE_SECONDS)

    queue = FakeQueue([[message(number)] for number in range(4)])
    with running(QueuePoller(queue_mapping(queue, answer), 2, lambda: None, control)):
        assert all(busy.acquire(timeout=PATIENCE_SECONDS) for _ in range(2))
        assert queue.receives == 2
        over.set()
        assert all(busy.acquire(timeout=PATIENCE_SECONDS) for _ in range(2))


def test_what_is_given_up_is_told_to_the_queue_that_the_template_names() -> None:
    client = FakeQueue()
    OnFailureDestination(cast("Any", client), "http://127.0.0.1/Discarded", "stream", "function").send(
        Discarded([outbox_record("7")], "RetryAttemptsExhausted", 3), "shard"
    )
    [(url, body)] = client.sent
    assert url == "http://127.0.0.1/Discarded"
    assert json.loads(body)["DDBStreamBatchInfo"]["startSequenceNumber"] == "7"


def test_only_what_the_filter_lets_through_reaches_the_function() -> None:
    trigger = StreamProperties.model_validate(
        {"Stream": "arn", "FilterCriteria": {"Filters": [{"Pattern": '{"eventName":["INSERT"]}'}]}}
    )
    control, seen = PollerControl(), list[str]()

    def answer(event: dict[str, Any]) -> None:
        seen.extend(record["dynamodb"]["SequenceNumber"] for record in event["Records"])
        control.stop()

    records = [outbox_record("1") | {"eventName": "MODIFY"}, outbox_record("2")]
    stream = FakeStream()
    stream_poller(stream, answer, control, records, trigger).run()
    assert seen == ["2"]


def test_a_stopped_halt_interrupts_every_wait() -> None:
    control = PollerControl()
    control.stop()
    with pytest.raises(Stopped):
        control.pause(PATIENCE_SECONDS)
    with pytest.raises(Stopped):
        control.wait_for_wake(PATIENCE_SECONDS)


def test_a_handler_is_told_its_invocation() -> None:
    contexts: list[Any] = []

    def handler(event: dict[str, object], context: object) -> None:
        contexts.append(context)

    now = [100.0]
    Function("Test", handler, PROPERTIES, lambda: now[0]).invoke_with_records([{"messageId": "m0"}])
    (context,) = contexts
    assert isinstance(context, Context)
    assert (context.function_name, context.memory_limit_in_mb) == ("Test", 512)
    assert context.get_remaining_time_in_millis() == 60_000
    now[0] = 170
    assert context.get_remaining_time_in_millis() == 0


def test_what_a_handler_raises_is_told() -> None:
    with pytest.raises(HandlerFailed, match="Test: ZeroDivisionError"):
        function(lambda event: 1 / 0).invoke_with_records([{"messageId": "m0"}])
