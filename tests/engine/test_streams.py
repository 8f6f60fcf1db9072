"""The stream of a table on the SQLite engine: its one consumer, its position, and when the consumer is woken."""

import threading
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.session import Session

from jobtrack_local.engine.sqlite.engine import SqliteEngine
from jobtrack_local.engine.sqlite.refusals import Refused
from jobtrack_local.pollers.write_events import wake_after_writes
from tests.engine.conftest import session
from tests.engine.operations import DEFINITION, TABLE

PATIENCE_SECONDS = 20


@pytest.fixture
def dynamodb(clients: Session) -> Any:
    made: Any = clients.create_client("dynamodb")
    made.create_table(**DEFINITION, StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"})
    return made


@pytest.fixture
def stream(dynamodb: Any) -> str:
    arn: str = dynamodb.describe_table(TableName=TABLE)["Table"]["LatestStreamArn"]
    return arn


def put(dynamodb: Any, name: str, **arguments: Any) -> None:
    dynamodb.put_item(TableName=TABLE, Item={"pk": {"S": "p"}, "sk": {"S": name}}, **arguments)


def names(clients: Session, stream: str) -> list[str]:
    """Return the sort keys of the records that are kept."""
    streams: Any = clients.create_client("dynamodbstreams")
    shard = streams.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = streams.get_shard_iterator(StreamArn=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    records = streams.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    return [record["dynamodb"]["Keys"]["sk"]["S"] for record in records]


def test_only_records_that_the_consumer_wants_are_kept(
    engine: SqliteEngine, clients: Session, dynamodb: Any, stream: str
) -> None:
    seen: list[Any] = []

    def wanted(record: Any) -> bool:
        seen.append(record)
        return record["eventName"] == "INSERT" and str(record["dynamodb"]["Keys"]["sk"]["S"]).startswith("O#")

    engine.streams.add_consumer(stream, wanted, lambda: None)
    put(dynamodb, "O#1")
    put(dynamodb, "S")
    dynamodb.delete_item(TableName=TABLE, Key={"pk": {"S": "p"}, "sk": {"S": "O#1"}})
    assert names(clients, stream) == ["O#1"]
    assert [record["eventName"] for record in seen] == ["INSERT", "INSERT", "REMOVE"]
    assert seen[1]["dynamodb"]["NewImage"] == {"pk": {"S": "p"}, "sk": {"S": "S"}}
    assert "OldImage" not in seen[2]["dynamodb"]  # the view is NEW_IMAGE


def test_the_consumer_is_woken_by_its_records_only_and_finds_them_committed(
    engine: SqliteEngine, clients: Session, dynamodb: Any, stream: str
) -> None:
    woken, found = threading.Semaphore(0), list[list[str]]()

    def wake() -> None:
        found.append(names(clients, stream))
        woken.release()

    engine.streams.add_consumer(stream, lambda record: record["dynamodb"]["Keys"]["sk"]["S"] == "wanted", wake)
    put(dynamodb, "other")
    with pytest.raises(ClientError):
        put(dynamodb, "wanted", ConditionExpression="attribute_exists(pk)")
    put(dynamodb, "wanted")
    assert woken.acquire(timeout=PATIENCE_SECONDS)
    engine.close()
    assert found == [["wanted"]]


def test_a_stream_has_one_consumer(engine: SqliteEngine, stream: str) -> None:
    engine.streams.add_consumer(stream, lambda record: True, lambda: None)
    with pytest.raises(Refused):
        engine.streams.add_consumer(stream, lambda record: True, lambda: None)


def test_each_write_wakes_the_poller_of_an_engine_that_cannot_wake_it(engine: SqliteEngine) -> None:
    attached, woken = session(), list[None]()
    engine.attach(attached)
    wake_after_writes(attached, lambda: woken.append(None))
    dynamodb: Any = attached.create_client("dynamodb")
    dynamodb.create_table(**DEFINITION)
    key = {"pk": {"S": "p"}, "sk": {"S": "a"}}
    put(dynamodb, "a")
    dynamodb.get_item(TableName=TABLE, Key=key)
    dynamodb.scan(TableName=TABLE)
    assert len(woken) == 1
    dynamodb.update_item(TableName=TABLE, Key=key)
    dynamodb.transact_write_items(TransactItems=[{"Delete": {"TableName": TABLE, "Key": key}}])
    dynamodb.batch_write_item(RequestItems={TABLE: [{"PutRequest": {"Item": key}}]})
    dynamodb.delete_item(TableName=TABLE, Key=key)
    assert len(woken) == 5
