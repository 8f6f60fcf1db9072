"""What has expired is deleted by DynamoDB's and SQS's rules, in small steps, so that the file stays bounded."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.session import Session

from jobtrack_local.engine.sqlite.engine import SqliteEngine
from tests.engine.clock import Clock
from tests.engine.faults import files_limited_to
from tests.engine.operations import DEFINITION, TABLE

DAY = 24 * 3600.0
TTL = {"Enabled": True, "AttributeName": "exp"}
YEARS_5 = 5 * 365 * DAY
INDEX = "by-tag"


@pytest.fixture
def clock() -> Clock:
    made = Clock()
    made.now = 1_800_000_000.0
    return made


@pytest.fixture
def engine(tmp_path: Path, clock: Clock) -> Iterator[SqliteEngine]:
    made = SqliteEngine(tmp_path, durable=False, clock=clock)
    yield made
    made.close()


@pytest.fixture
def dynamodb(clients: Session) -> Any:
    made: Any = clients.create_client("dynamodb")
    index = {
        "IndexName": INDEX,
        "KeySchema": [{"AttributeName": "tag", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }
    attributes = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "tag")]
    made.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=DEFINITION["KeySchema"],
        AttributeDefinitions=attributes,
        GlobalSecondaryIndexes=[index],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    return made


@pytest.fixture
def expiring(dynamodb: Any) -> Any:
    """A client of a table with items that expire."""
    dynamodb.update_time_to_live(TableName=TABLE, TimeToLiveSpecification=TTL)
    return dynamodb


def put(dynamodb: Any, name: str, expires: Any, size: int = 0) -> None:
    item = {"pk": {"S": "p"}, "sk": {"S": name}, "tag": {"S": "t"}, "exp": expires, "body": {"B": b"x" * size}}
    dynamodb.put_item(TableName=TABLE, Item=item)


def at(second: float) -> dict[str, str]:
    return {"N": str(int(second))}


def reads(dynamodb: Any) -> list[list[str]]:
    """Return the names that Scan, Query and a query of the index return."""
    values = {":v": {"S": "p"}}, {":v": {"S": "t"}}
    pages = (
        dynamodb.scan(TableName=TABLE),
        dynamodb.query(TableName=TABLE, KeyConditionExpression="pk = :v", ExpressionAttributeValues=values[0]),
        dynamodb.query(
            TableName=TABLE, IndexName=INDEX, KeyConditionExpression="tag = :v", ExpressionAttributeValues=values[1]
        ),
    )
    return [sorted(item["sk"]["S"] for item in page["Items"]) for page in pages]


def stream(clients: Session, dynamodb: Any) -> tuple[str, list[Any]]:
    streams: Any = clients.create_client("dynamodbstreams")
    arn = dynamodb.describe_table(TableName=TABLE)["Table"]["LatestStreamArn"]
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    return arn, streams.get_records(ShardIterator=iterator["ShardIterator"])["Records"]


def test_an_expired_item_is_read_until_it_is_purged(
    clients: Session, expiring: Any, engine: SqliteEngine, clock: Clock
) -> None:
    put(expiring, "expired", at(clock.now - 1))
    put(expiring, "fresh", at(clock.now))
    assert reads(expiring) == [["expired", "fresh"]] * 3
    engine.purge()
    assert reads(expiring) == [["fresh"]] * 3
    _, records = stream(clients, expiring)
    (removed,) = [record for record in records if record["eventName"] == "REMOVE"]
    assert removed["userIdentity"] == {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}
    assert removed["dynamodb"]["OldImage"]["sk"] == {"S": "expired"}
    expiring.delete_item(TableName=TABLE, Key={"pk": {"S": "p"}, "sk": {"S": "fresh"}})
    _, records = stream(clients, expiring)
    assert "userIdentity" not in records[-1]


def test_what_is_no_time_or_passed_over_five_years_ago_does_not_expire(
    expiring: Any, engine: SqliteEngine, clock: Clock
) -> None:
    values = [at(clock.now - YEARS_5 - 1), {"S": "1"}, {"N": "-5"}, {"N": "1E+100"}, {"N": "0"}, at(clock.now + 1)]
    for number, value in enumerate(values):
        put(expiring, str(number), value)
    put(expiring, "expired", at(clock.now - YEARS_5 + 10))
    engine.purge()
    assert reads(expiring)[0] == [str(number) for number in range(len(values))]


def test_items_from_before_time_to_live_was_enabled_expire_too(
    dynamodb: Any, engine: SqliteEngine, clock: Clock
) -> None:
    def status() -> Any:
        return dynamodb.describe_time_to_live(TableName=TABLE)["TimeToLiveDescription"]

    put(dynamodb, "old", at(clock.now - 1))
    engine.purge()
    assert reads(dynamodb)[0] == ["old"]
    assert status() == {"TimeToLiveStatus": "DISABLED"}
    dynamodb.update_time_to_live(TableName=TABLE, TimeToLiveSpecification=TTL)
    assert status() == {"TimeToLiveStatus": "ENABLED", "AttributeName": "exp"}
    with pytest.raises(ClientError, match="TimeToLive is already enabled"):
        dynamodb.update_time_to_live(TableName=TABLE, TimeToLiveSpecification=TTL)
    dynamodb.update_time_to_live(TableName=TABLE, TimeToLiveSpecification={**TTL, "Enabled": False})
    engine.purge()
    assert reads(dynamodb)[0] == ["old"]
    dynamodb.update_time_to_live(TableName=TABLE, TimeToLiveSpecification=TTL)
    engine.purge()
    assert reads(dynamodb)[0] == []


def test_one_step_of_a_purge_deletes_no_more_than_it_may(expiring: Any, engine: SqliteEngine, clock: Clock) -> None:
    for number in range(7):
        put(expiring, str(number), at(clock.now - 1))
    assert [engine.dynamodb.purge_items(3) for _ in range(4)] == [3, 3, 1, 0]


def test_a_message_is_deleted_when_its_queue_keeps_it_no_longer(
    clients: Session, engine: SqliteEngine, clock: Clock
) -> None:
    sqs: Any = clients.create_client("sqs")
    urls = [
        sqs.create_queue(QueueName=f"queue-{seconds}", Attributes={"MessageRetentionPeriod": str(seconds)})["QueueUrl"]
        for seconds in (3600, 7200)
    ]
    for url in urls:
        sqs.send_message(QueueUrl=url, MessageBody="old")
    clock.now += 3601
    engine.purge()
    assert ["Messages" in sqs.receive_message(QueueUrl=url) for url in urls] == [False, True]


def transact(dynamodb: Any, name: str, token: str) -> None:
    put = {"TableName": TABLE, "Item": {"pk": {"S": "p"}, "sk": {"S": name}}}
    check = {"ConditionExpression": "attribute_not_exists(pk)"}
    dynamodb.transact_write_items(TransactItems=[{"Put": {**put, **check}}], ClientRequestToken=token)


def tokens(engine: SqliteEngine) -> int:
    (count,) = engine.database.reader.execute("SELECT count(*) FROM request_tokens").fetchone()
    return int(count)


def test_a_repeated_token_changes_nothing_for_ten_minutes(dynamodb: Any, engine: SqliteEngine, clock: Clock) -> None:
    transact(dynamodb, "a", "token")
    transact(dynamodb, "a", "token")
    with pytest.raises(ClientError, match="IdempotentParameterMismatchException"):
        transact(dynamodb, "b", "token")
    engine.purge()
    assert tokens(engine) == 1
    clock.now += 601
    with pytest.raises(ClientError, match="TransactionCanceledException"):
        transact(dynamodb, "a", "token")
    engine.purge()
    assert tokens(engine) == 0
    dynamodb.transact_write_items(
        TransactItems=[{"Delete": {"TableName": TABLE, "Key": {"pk": {"S": "p"}, "sk": {"S": "a"}}}}]
    )
    assert tokens(engine) == 0  # botocore's own tokens are for retries that do not occur here


def test_the_token_of_a_transaction_that_was_not_stored_is_free(tmp_path: Path, dynamodb: Any) -> None:
    size = (tmp_path / "jobtrack.db-wal").stat().st_size
    with files_limited_to(size), pytest.raises(ClientError, match="ServiceUnavailable"):
        transact(dynamodb, "a", "token")
    transact(dynamodb, "a", "token")
    assert reads(dynamodb)[0] == ["a"]


def test_the_file_stays_bounded_over_days_of_traffic(
    clients: Session, expiring: Any, engine: SqliteEngine, clock: Clock
) -> None:
    sqs: Any = clients.create_client("sqs")
    url = sqs.create_queue(QueueName="work", Attributes={"MessageRetentionPeriod": str(int(DAY))})["QueueUrl"]
    pages = []
    for day in range(8):
        for number in range(60):
            put(expiring, f"{day} {number}", at(clock.now + 1.5 * DAY), size=8_000)
            sqs.send_message(QueueUrl=url, MessageBody="x" * 8_000)
            transact(expiring, f"{day} {number} transacted", f"{day} {number}")
            expiring.delete_item(TableName=TABLE, Key={"pk": {"S": "p"}, "sk": {"S": f"{day} {number} transacted"}})
        arn, records = stream(clients, expiring)
        while records:
            engine.streams.trim(arn, int(records[-1]["dynamodb"]["SequenceNumber"]))
            arn, records = stream(clients, expiring)
        clock.now += DAY
        engine.purge()
        pages.append(engine.database.reader.execute("PRAGMA page_count").fetchone()[0])
    assert pages[-1] <= 1.1 * pages[2]
    assert pages[2] > 200
