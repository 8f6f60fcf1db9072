"""The dispatcher: each outbox record becomes the right messages, however often and in whatever batch it arrives."""

import base64
import json
import random
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from msgspec.structs import replace

from functions.stream.dispatcher import app
from jobtrack import aws, times
from jobtrack.errors import Unavailable
from jobtrack.invocation import Context
from jobtrack.push.dispatch.dispatcher import SPARE_SECONDS, Dispatcher
from jobtrack.push.dispatch.quarantine import QuarantineTable, load_record
from jobtrack.push.dispatch.replays import Replays
from jobtrack.push.messages.delivery_queue import DeliveryQueue, QueueError
from jobtrack.push.messages.message import Message
from jobtrack.push.subscriptions.message_factory import event_message_id
from jobtrack.push.subscriptions.secrets import Vault
from jobtrack.push.subscriptions.subscription import Filters, Subscription
from jobtrack.push.subscriptions.subscription_table import SubscriptionTable
from jobtrack.settings import Settings
from jobtrack.store.item_kinds import OUTBOX_RECORD
from jobtrack.store.outbox_records import EventBatch, OutboxEvent, decode, encode
from tests.pushing import JOB, NOW, Clock, Crash, FakeSqs, crashing, event, message, store, subscription
from tests.retrying import instant_retry

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

pytestmark = pytest.mark.usefixtures("stack")


def record(*events: OutboxEvent, subscriptions: tuple[str, ...] = ("sub-1",), number: int = 1) -> dict[str, Any]:
    encoded = encode(EventBatch(JOB, "a job", subscriptions, events))
    image = {"pk": {"S": JOB.partition}, **OUTBOX_RECORD.stamp, "d": {"B": base64.b64encode(encoded).decode()}}
    return {"dynamodb": {"SequenceNumber": str(number), "NewImage": image}}


def poison(number: int) -> dict[str, Any]:
    keys = {"pk": {"S": JOB.partition}, "sk": {"S": f"O#{number:012d}"}}
    return {
        "dynamodb": {
            "SequenceNumber": str(number),
            "Keys": keys,
            "NewImage": {**keys, **OUTBOX_RECORD.stamp, "d": {"B": "AAAA"}},
        }
    }


def subscribe(*subscriptions: Subscription) -> None:
    store(aws.client("dynamodb"), Vault(aws.client("kms"), Settings.from_env().secrets_key_id), *subscriptions)


def dispatching(queue: DeliveryQueue, clock: Clock, dynamodb: "DynamoDBClient") -> Dispatcher:
    subscriptions = SubscriptionTable(dynamodb, "SubscriptionsTable")
    quarantine = QuarantineTable(dynamodb, "QuarantineTable", clock)
    return Dispatcher(subscriptions, queue, Replays(dynamodb, "JobsTable"), quarantine, clock)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sqs(clock: Clock) -> FakeSqs:
    return FakeSqs(clock)


@pytest.fixture
def dispatcher(clock: Clock, sqs: FakeSqs) -> Dispatcher:
    queue = DeliveryQueue(sqs, "queue", clock, retry=instant_retry())  # type: ignore[arg-type]  # what it uses of one
    return dispatching(queue, clock, aws.client("dynamodb"))


def messages(sqs: FakeSqs) -> list[Message]:
    return [Message.decode(body) for body in sqs.take()]


def test_a_sample_record_becomes_a_message_of_the_real_queue(
    sample: Callable[[str], dict[str, Any]], context: Context
) -> None:
    outbox = sample("outbox-record")
    batch = decode(base64.b64decode(outbox["Records"][0]["dynamodb"]["NewImage"]["d"]["B"]))
    assert isinstance(batch, EventBatch)
    [name] = batch.subscription_ids
    subscribe(subscription(name, job=batch.job, created_at=NOW, expires_at=times.LATEST))

    assert app.handler(outbox, context) == {"batchItemFailures": []}

    taken = aws.client("sqs").receive_message(
        QueueUrl=Settings.from_env().delivery_queue_url, AttributeNames=["All"], WaitTimeSeconds=0
    )["Messages"]
    made = Message.decode(taken[0]["Body"])
    assert len(taken) == 1
    assert (made.job, made.subscription_id, made.sequence, made.attempt) == (batch.job, name, 12, 0)
    assert json.loads(made.payload)["data"]["jobName"] == batch.job_name
    assert taken[0]["Attributes"]["MessageGroupId"] == made.group


def test_each_live_subscription_gets_what_it_wants_in_order(dispatcher: Dispatcher, sqs: FakeSqs) -> None:
    subscribe(
        subscription("sub-1"),
        subscription("sub-2", events=("milestone",)),
        subscription("sub-3", events=("milestone",), filters=Filters(notify_on_errors=True)),
        subscription("sub-ended", status="Ended", end_reason="deleted"),
        subscription("sub-expired", expires_at=NOW),
        subscription("sub-later"),
    )
    live_then = ("sub-1", "sub-2", "sub-3", "sub-ended", "sub-expired", "sub-forgotten")
    log = event(3, "log", level="ERROR", message="m")
    failed = dispatcher.dispatch([record(event(1), event(2, "milestone"), log, subscriptions=live_then)])
    assert failed == []
    assert [(each.subscription_id, each.sequence, each.type) for each in messages(sqs)] == [
        ("sub-1", 1, "stageCompleted"),
        ("sub-2", 2, "milestone"),
        ("sub-3", 2, "milestone"),
        ("sub-1", 3, "error"),
        ("sub-3", 3, "error"),
    ]


def test_a_record_that_comes_three_times_makes_no_event_under_two_ids(dispatcher: Dispatcher, sqs: FakeSqs) -> None:
    subscribe(subscription("sub-1"), subscription("sub-2"))
    records = [record(event(1), event(2), subscriptions=("sub-1", "sub-2"))] * 3
    assert dispatcher.dispatch(records) == []
    made = messages(sqs)
    assert len(made) == 12
    assert {each.message_id for each in made} == {
        event_message_id(JOB, name, sequence) for name in ("sub-1", "sub-2") for sequence in (1, 2)
    }


def test_a_hundred_subscriptions_get_five_hundred_events(dispatcher: Dispatcher, sqs: FakeSqs) -> None:
    names = tuple(f"sub-{number}" for number in range(100))
    subscribe(*(subscription(name) for name in names))
    dispatcher.dispatch([record(*(event(number) for number in range(1, 51)), subscriptions=names)])
    assert len({each.message_id for each in messages(sqs)}) == 5000


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_record_that_cannot_be_read_holds_up_no_other(place: int, dispatcher: Dispatcher, sqs: FakeSqs) -> None:
    subscribe(subscription())
    records = [record(event(number), number=number) for number in (10, 11)]
    records.insert(place, poison(99))
    assert dispatcher.dispatch(records) == []
    assert [each.sequence for each in messages(sqs)] == [10, 11]
    [kept] = quarantined()
    assert (kept["pk"], kept["sk"]) == ({"S": JOB.partition}, {"S": "O#000000000099"})
    assert (kept["sequenceNumber"], kept["failedAt"]) == ({"S": "99"}, {"N": str(NOW)})
    assert kept["error"]["S"].startswith("ZstdError: ")
    assert load_record(kept) == poison(99)


def quarantined() -> list[dict[str, Any]]:
    return list(aws.client("dynamodb").scan(TableName="QuarantineTable")["Items"])


def test_a_record_that_cannot_be_read_is_kept_once_however_often_it_comes(dispatcher: Dispatcher) -> None:
    assert dispatcher.dispatch([poison(99)] * 3) == []
    assert len(quarantined()) == 1


def test_a_record_without_keys_is_kept_by_its_number(dispatcher: Dispatcher) -> None:
    nothing = {"dynamodb": {"SequenceNumber": "7"}}
    assert dispatcher.dispatch([nothing]) == []
    [kept] = quarantined()
    assert (kept["pk"], kept["sk"], load_record(kept)) == ({"S": "unknown"}, {"S": "7"}, nothing)


def test_a_record_as_large_as_any_is_kept_in_one_item(dispatcher: Dispatcher) -> None:
    large = poison(1)
    large["dynamodb"]["NewImage"]["d"]["B"] = base64.b64encode(random.Random(1).randbytes(300_000)).decode()
    assert dispatcher.dispatch([large]) == []
    [kept] = quarantined()
    assert load_record(kept) == large
    assert len(kept["record"]["B"]) < 310_000


@pytest.mark.parametrize(("code", "comes_again"), [("ThrottlingException", True), ("InvalidMessageContents", False)])
def test_what_the_queue_will_never_take_is_quarantined_and_what_passes_is_not(
    code: str, comes_again: bool, dispatcher: Dispatcher, sqs: FakeSqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": code}}, "SendMessageBatch")

    subscribe(subscription())
    monkeypatch.setattr(sqs, "send_message_batch", refuse)
    assert dispatcher.dispatch([record(event(1), number=5)]) == (["5"] if comes_again else [])
    assert len(quarantined()) == (0 if comes_again else 1)


def test_an_outage_is_logged_in_one_line_for_all_its_records(
    dispatcher: Dispatcher, sqs: FakeSqs, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": "InternalServerError"}}, "SendMessageBatch")

    subscribe(subscription())
    monkeypatch.setattr(sqs, "send_message_batch", refuse)
    assert len(dispatcher.dispatch([record(event(number), number=number) for number in range(1, 4)])) == 3
    (line,) = caplog.text.splitlines()
    assert "3 outbox records failed and will be retried: An error occurred (InternalServerError)" in line


def test_what_the_quarantine_did_not_take_comes_again(dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch) -> None:
    def throttle(**_: object) -> None:
        raise ClientError({"Error": {"Code": "ThrottlingException"}}, "PutItem")

    aws_put = dispatcher.quarantine.dynamodb.put_item
    monkeypatch.setattr(dispatcher.quarantine.dynamodb, "put_item", throttle)
    assert dispatcher.dispatch([poison(7), record(subscriptions=())]) == ["7"]
    monkeypatch.setattr(dispatcher.quarantine.dynamodb, "put_item", aws_put)
    assert dispatcher.dispatch([poison(7)]) == []


def test_records_are_left_for_the_next_invocation_when_time_runs_out(dispatcher: Dispatcher, sqs: FakeSqs) -> None:
    subscribe(subscription())
    left = iter([SPARE_SECONDS, SPARE_SECONDS - 1, 0.0])
    records = [record(event(number), number=number) for number in range(1, 5)]
    assert dispatcher.dispatch(records, lambda: next(left)) == ["3", "4"]
    assert [each.sequence for each in messages(sqs)] == [1, 2]


def test_one_record_is_always_begun(dispatcher: Dispatcher, sqs: FakeSqs) -> None:
    subscribe(subscription())
    assert dispatcher.dispatch([record(event(1), number=5)], lambda: 0.0) == []
    assert [each.sequence for each in messages(sqs)] == [1]


def test_failed_records_are_answered_as_lambda_wants_it(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QuarantineTable, "put_record", lambda *_: 1 / 0)
    answer = app.handler({"Records": [poison(7), record(subscriptions=())]}, context)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "7"}]}


def test_what_the_queue_did_not_take_is_tried_again(dispatcher: Dispatcher, sqs: FakeSqs) -> None:
    subscribe(subscription())
    sqs.refuse = ["0", "2", "2"]
    assert dispatcher.dispatch([record(*(event(number) for number in range(1, 5)))]) == []
    assert sorted(each.sequence or 0 for each in messages(sqs)) == [1, 2, 3, 4]


def test_a_queue_that_refuses_makes_the_record_fail(dispatcher: Dispatcher, sqs: FakeSqs) -> None:
    subscribe(subscription())
    sqs.refuse = ["0"] * 10_000
    assert dispatcher.dispatch([record(event(1), number=5)]) == ["5"]
    with pytest.raises(QueueError, match="the queue did not accept 1 of the messages: InternalError"):
        dispatcher.queue.enqueue([message()])


def test_batches_keep_within_the_queues_limits(sqs: FakeSqs, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []

    def seen(QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        sizes.append((len(Entries), sum(len(entry["MessageBody"]) for entry in Entries)))
        return {}

    monkeypatch.setattr(sqs, "send_message_batch", seen)
    large = [message(number) for number in range(30)]
    large[3:6] = [replace(one, payload="x" * 120_000) for one in large[3:6]]
    DeliveryQueue(sqs, "queue", clock).enqueue(large)  # type: ignore[arg-type]
    assert sum(entries for entries, _ in sizes) == 30
    assert all(entries <= 10 and size <= 256 * 1024 for entries, size in sizes)


def test_keys_that_the_table_left_over_are_asked_for_again() -> None:
    subscribe(*(subscription(f"sub-{number}") for number in range(5)))
    dynamodb = aws.client("dynamodb")

    def leave_over(parsed: dict[str, Any], **_: Any) -> None:
        items = parsed["Responses"]["SubscriptionsTable"]
        left = [{"pk": item["pk"], "sk": item["sk"]} for item in items[2:]]
        del items[2:]
        parsed["UnprocessedKeys"] = {"SubscriptionsTable": {"Keys": left}} if left else {}

    dynamodb.meta.events.register("after-call.dynamodb.BatchGetItem", leave_over)
    table = SubscriptionTable(dynamodb, "SubscriptionsTable", retry=instant_retry())
    names = [f"sub-{number}" for number in range(5)]
    assert [one.subscription_id for one in table.read_subscriptions(JOB, names)] == names


def test_a_table_that_leaves_over_everything_makes_the_record_fail(dispatcher: Dispatcher) -> None:
    dynamodb = aws.client("dynamodb")

    def refuse(parsed: dict[str, Any], **_: Any) -> None:
        parsed.update(
            Responses={}, UnprocessedKeys={"SubscriptionsTable": {"Keys": [{"pk": {"S": "p"}, "sk": {"S": "s"}}]}}
        )

    dynamodb.meta.events.register("after-call.dynamodb.BatchGetItem", refuse)
    table = SubscriptionTable(dynamodb, "SubscriptionsTable", retry=instant_retry())
    with pytest.raises(Unavailable):
        table.read_subscriptions(JOB, ["sub-1"])


def test_a_crash_at_any_step_loses_no_message() -> None:
    """The record returns until it is processed without a crash; each id arrives despite repetitions."""
    names = ("sub-1", "sub-2", "sub-3")
    subscribe(*(subscription(name) for name in names))
    dynamodb, sqs = aws.client("dynamodb"), aws.client("sqs")
    records = [record(*(event(number) for number in range(1, 8)), subscriptions=names)]
    wanted = {event_message_id(JOB, name, number) for name in names for number in range(1, 8)}
    for step in count():
        url = sqs.create_queue(QueueName=f"queue-{step}")["QueueUrl"]
        served = dispatching(DeliveryQueue(sqs, url), Clock(), dynamodb)
        crashed = False
        with crashing(step, dynamodb, sqs):
            try:
                served.dispatch(records)
            except Crash:
                crashed = True
        if not crashed:
            break
        assert served.dispatch(records) == []
        assert {each.message_id for each in _received(url)} == wanted
    assert step == 8


def _received(url: str) -> list[Message]:
    sqs, received = aws.client("sqs"), []
    while taken := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        received += [Message.decode(each["Body"]) for each in taken]
    return received
