"""Queues, keys and streams of the SQLite engine."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.session import Session

from jobtrack_local.engine.sqlite.engine import SqliteEngine
from jobtrack_local.errors import LocalError
from tests.engine.clock import Clock
from tests.engine.conftest import session
from tests.engine.operations import DEFINITION, TABLE


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine(tmp_path: Path, clock: Clock) -> Any:
    made = SqliteEngine(tmp_path, clock=clock)
    yield made
    made.close()


@pytest.fixture
def sqs(clients: Session) -> Any:
    return clients.create_client("sqs")


@pytest.fixture
def kms(clients: Session) -> Any:
    return clients.create_client("kms")


def queue(sqs: Any, name: str = "jobs", **attributes: str) -> str:
    url: str = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url


def receive(sqs: Any, url: str, most: int = 10) -> list[Mapping[str, Any]]:
    messages: list[Mapping[str, Any]] = sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=most, MessageSystemAttributeNames=["All"]
    ).get("Messages", [])
    return messages


def bodies(messages: list[Mapping[str, Any]]) -> list[str]:
    return [message["Body"] for message in messages]


def test_a_message_comes_again_when_its_visibility_time_out_is_over(sqs: Any, clock: Clock) -> None:
    url = queue(sqs, VisibilityTimeout="60")
    sqs.send_message(QueueUrl=url, MessageBody="one")
    (first,) = receive(sqs, url)
    assert receive(sqs, url) == []
    clock.now += 61
    (second,) = receive(sqs, url)
    assert second["MessageId"] == first["MessageId"]
    assert second["Attributes"]["ApproximateReceiveCount"] == "2"
    sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])  # the handle of an earlier receive
    clock.now += 61
    (third,) = receive(sqs, url)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=third["ReceiptHandle"])
    clock.now += 61
    assert receive(sqs, url) == []


def test_messages_that_an_ended_process_received_come_again_at_once(
    sqs: Any, engine: SqliteEngine, clock: Clock
) -> None:
    url = queue(sqs, VisibilityTimeout="180")
    sqs.send_message(QueueUrl=url, MessageBody="received")
    sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=9)
    assert bodies(receive(sqs, url)) == ["received"]
    engine.sqs.release()
    assert bodies(receive(sqs, url)) == ["received"]


def test_a_delayed_message_waits(sqs: Any, clock: Clock) -> None:
    url = queue(sqs)
    sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": "1", "MessageBody": "later", "DelaySeconds": 900}])
    assert receive(sqs, url) == []
    clock.now += 900
    assert bodies(receive(sqs, url)) == ["later"]


def test_a_message_that_was_received_too_often_goes_to_the_dead_letter_queue(sqs: Any, clock: Clock) -> None:
    dead = queue(sqs, "dead")
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = f'{{"deadLetterTargetArn": "{arn}", "maxReceiveCount": 2}}'
    url = queue(sqs, RedrivePolicy=policy, VisibilityTimeout="1")
    sqs.send_message(QueueUrl=url, MessageBody="poison")
    for _ in range(2):
        assert bodies(receive(sqs, url)) == ["poison"]
        clock.now += 2
    assert receive(sqs, url) == []
    assert bodies(receive(sqs, dead)) == ["poison"]


def test_a_group_with_many_messages_does_not_delay_the_others(sqs: Any) -> None:
    url = queue(sqs)
    for number in range(20):
        sqs.send_message(QueueUrl=url, MessageBody=f"noisy {number}", MessageGroupId="noisy")
    sqs.send_message(QueueUrl=url, MessageBody="quiet", MessageGroupId="quiet")
    assert "quiet" in bodies(receive(sqs, url, 2))


def test_counts_of_messages(sqs: Any) -> None:
    url = queue(sqs)
    for number in range(3):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))
    sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=9)
    receive(sqs, url, 1)
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    names = ("", "NotVisible", "Delayed")
    assert [counts[f"ApproximateNumberOfMessages{name}"] for name in names] == ["2", "1", "1"]


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ([{"Id": str(n), "MessageBody": "m"} for n in range(11)], "TooManyEntriesInBatchRequest"),
        ([{"Id": "1", "MessageBody": "m"}] * 2, "BatchEntryIdsNotDistinct"),
        ([{"Id": str(n), "MessageBody": "m" * 600_000} for n in range(2)], "BatchRequestTooLong"),
        ([{"Id": "1", "MessageBody": "m", "DelaySeconds": 901}], "InvalidParameterValue"),
    ],
)
def test_a_batch_beyond_the_limits_is_refused_whole(sqs: Any, entries: list[Any], code: str) -> None:
    url = queue(sqs)
    with pytest.raises(ClientError, match=code):
        sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert receive(sqs, url) == []


def test_a_ciphertext_is_opened_only_with_its_context_and_after_a_restart(tmp_path: Path, kms: Any) -> None:
    kms.create_alias(AliasName="alias/secrets", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    sealed = kms.encrypt(KeyId="alias/secrets", Plaintext=b"secret", EncryptionContext={"job": "1"})["CiphertextBlob"]
    assert b"secret" not in sealed
    again, attached = SqliteEngine(tmp_path), session()
    again.attach(attached)
    reopened: Any = attached.create_client("kms")
    assert reopened.decrypt(CiphertextBlob=sealed, EncryptionContext={"job": "1"})["Plaintext"] == b"secret"
    for context in ({"job": "2"}, {}):
        with pytest.raises(reopened.exceptions.InvalidCiphertextException):
            reopened.decrypt(CiphertextBlob=sealed, EncryptionContext=context)
    again.close()


def test_the_key_file_is_for_this_user_only(tmp_path: Path, kms: Any) -> None:
    kms.create_key()
    assert (tmp_path / "keys.json").stat().st_mode & 0o777 == 0o600


def test_a_database_that_lost_its_data_with_its_log_is_refused(tmp_path: Path, kms: Any) -> None:
    """Until a checkpoint, all data are in the log: a copy of the file without it would be an empty service."""
    kms.create_alias(AliasName="alias/secrets", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("jobtrack.db", "keys.json"):
        shutil.copy(tmp_path / name, copy / name)
    with pytest.raises(LocalError, match="has lost its data; restore a backup"):
        SqliteEngine(copy)


def test_a_damaged_ciphertext_is_refused(kms: Any) -> None:
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    sealed = kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    for damaged in (b"x", sealed[:-1], sealed[:-1] + bytes([sealed[-1] ^ 1]), b"\x02" + sealed[1:]):
        with pytest.raises(kms.exceptions.InvalidCiphertextException):
            kms.decrypt(CiphertextBlob=damaged)


def streamed(clients: Session, definition: Mapping[str, Any]) -> tuple[Any, Any, str]:
    dynamodb: Any = clients.create_client("dynamodb")
    view = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    dynamodb.create_table(**definition, StreamSpecification=view)
    arn = dynamodb.describe_table(TableName=TABLE)["Table"]["LatestStreamArn"]
    return dynamodb, clients.create_client("dynamodbstreams"), arn


def records(streams: Any, arn: str, kind: str, **more: str) -> list[Mapping[str, Any]]:
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType=kind, **more)["ShardIterator"]
    read: list[Mapping[str, Any]] = streams.get_records(ShardIterator=iterator)["Records"]
    return read


def test_a_stream_shows_every_change_in_order(clients: Session) -> None:
    dynamodb, streams, arn = streamed(clients, DEFINITION)
    key = {"pk": {"S": "p"}, "sk": {"S": "a"}}
    dynamodb.put_item(TableName=TABLE, Item={**key, "n": {"N": "1"}})
    dynamodb.update_item(
        TableName=TABLE, Key=key, UpdateExpression="SET n = :n", ExpressionAttributeValues={":n": {"N": "2"}}
    )
    dynamodb.put_item(TableName=TABLE, Item={**key, "n": {"N": "2"}})  # changes nothing, so it is not shown
    dynamodb.delete_item(TableName=TABLE, Key=key)
    seen = records(streams, arn, "TRIM_HORIZON")
    assert [record["eventName"] for record in seen] == ["INSERT", "MODIFY", "REMOVE"]
    assert seen[1]["dynamodb"]["OldImage"]["n"] == {"N": "1"}
    assert seen[1]["dynamodb"]["NewImage"]["n"] == {"N": "2"}
    middle = seen[1]["dynamodb"]["SequenceNumber"]
    assert records(streams, arn, "AFTER_SEQUENCE_NUMBER", SequenceNumber=middle) == seen[2:]
    assert records(streams, arn, "AT_SEQUENCE_NUMBER", SequenceNumber=middle) == seen[1:]
    assert records(streams, arn, "LATEST") == []


def test_handled_records_are_forgotten(clients: Session, engine: SqliteEngine) -> None:
    dynamodb, streams, arn = streamed(clients, DEFINITION)
    for name in "ab":
        dynamodb.put_item(TableName=TABLE, Item={"pk": {"S": "p"}, "sk": {"S": name}})
    first = records(streams, arn, "TRIM_HORIZON")[0]["dynamodb"]["SequenceNumber"]
    engine.streams.trim(arn, int(first))
    assert len(records(streams, arn, "TRIM_HORIZON")) == 1
