"""Many items at once, where nothing depends on their order."""

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from jobtrack.store.attempts import pauses
from jobtrack.store.transactions import Item

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_WRITES = 25
"""What DynamoDB takes in one BatchWriteItem."""
_READS = 100
"""What it takes in one BatchGetItem."""


def put_all(dynamodb: "DynamoDBClient", table: str, items: Sequence[Any]) -> None:
    """Put the items, again those that DynamoDB put off."""
    _write_all(dynamodb, table, [{"PutRequest": {"Item": item}} for item in items])


def delete_all(dynamodb: "DynamoDBClient", table: str, keys: Sequence[Any]) -> None:
    """Delete the items of these keys, again those that DynamoDB put off."""
    _write_all(dynamodb, table, [{"DeleteRequest": {"Key": key}} for key in keys])


def get_all(dynamodb: "DynamoDBClient", table: str, keys: Sequence[Any], only: str | None = None) -> Iterator[Item]:
    """Those of the items that exist, each as every write acknowledged before left it; in no order.

    `only` names the one attribute that is wanted.
    """
    projection = {"ProjectionExpression": only} if only else {}
    for start in range(0, len(keys), _READS):
        request: Any = {table: {"Keys": keys[start : start + _READS], "ConsistentRead": True, **projection}}
        for pause in pauses():
            answer = dynamodb.batch_get_item(RequestItems=request)
            yield from answer["Responses"].get(table, [])
            if not (request := answer.get("UnprocessedKeys")):
                break
            time.sleep(pause)


def _write_all(dynamodb: "DynamoDBClient", table: str, writes: Sequence[Any]) -> None:
    for start in range(0, len(writes), _WRITES):
        request: Any = {table: writes[start : start + _WRITES]}
        for pause in pauses():
            if not (request := dynamodb.batch_write_item(RequestItems=request).get("UnprocessedItems")):
                break
            time.sleep(pause)
