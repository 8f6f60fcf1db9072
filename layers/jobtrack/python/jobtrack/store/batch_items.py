"""Many items at once, where nothing depends on their order."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from jobtrack import limits
from jobtrack.errors import Unavailable
from jobtrack.store.conflict_retry import pauses
from jobtrack.store.transactions import Item

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_WRITES = 25
"""What DynamoDB takes in one BatchWriteItem."""
_READS = 100
"""What it takes in one BatchGetItem."""


def put_all(dynamodb: "DynamoDBClient", table: str, items: Sequence[Any]) -> None:
    """Put the items, again those that DynamoDB put off.

    Raises:
        Unavailable: it put some off for two seconds.
    """
    _write_all(dynamodb, table, [{"PutRequest": {"Item": item}} for item in items])


def delete_all(dynamodb: "DynamoDBClient", table: str, keys: Sequence[Any]) -> None:
    """Delete the items of these keys, again those that DynamoDB put off.

    Raises:
        Unavailable: it put some off for two seconds.
    """
    _write_all(dynamodb, table, [{"DeleteRequest": {"Key": key}} for key in keys])


def get_all(dynamodb: "DynamoDBClient", table: str, keys: Sequence[Any], only: str | None = None) -> Iterator[Item]:
    """Those of the items that exist, each as every write acknowledged before left it; in no order.

    `only` names the one attribute that is wanted.

    Raises:
        Unavailable: DynamoDB put some off for two seconds.
    """
    projection = {"ProjectionExpression": only} if only else {}
    for start in range(0, len(keys), _READS):
        wanted = {"Keys": keys[start : start + _READS], "ConsistentRead": True, **projection}
        yield from _all(lambda request: _read(dynamodb, table, request), {table: wanted})


def _write_all(dynamodb: "DynamoDBClient", table: str, writes: Sequence[Any]) -> None:
    for start in range(0, len(writes), _WRITES):
        list(_all(lambda request: _written(dynamodb, request), {table: writes[start : start + _WRITES]}))


def _read(dynamodb: "DynamoDBClient", table: str, request: Any) -> tuple[Sequence[Item], Any]:
    answer = dynamodb.batch_get_item(RequestItems=request)
    return answer["Responses"].get(table, []), answer.get("UnprocessedKeys")


def _written(dynamodb: "DynamoDBClient", request: Any) -> tuple[Sequence[Item], Any]:
    return (), dynamodb.batch_write_item(RequestItems=request).get("UnprocessedItems")


def _all(call: Callable[[Any], tuple[Sequence[Item], Any]], request: Any) -> Iterator[Item]:
    """The items that the call gives, called again with what it left."""
    deadline = time.monotonic() + limits.BUSY_SECONDS
    for pause in pauses():
        items, request = call(request)
        yield from items
        if not request:
            return
        if time.monotonic() >= deadline:
            raise Unavailable
        time.sleep(pause)
