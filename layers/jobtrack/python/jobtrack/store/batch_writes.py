"""Puts or deletes many items, in few requests and no order.

A batch is not a transaction: when it fails, some of its writes may have been done. Writes that DynamoDB leaves
unprocessed are requested again.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from jobtrack.errors import Unavailable
from jobtrack.retry import RETRY, Retry
from jobtrack.store.transactions import Item

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_MAX_WRITES = 25
"""The most writes that DynamoDB accepts in one BatchWriteItem."""


def put_items(dynamodb: "DynamoDBClient", table: str, items: Sequence[Item], retry: Retry = RETRY) -> None:
    """Put the items.

    Raises:
        Unavailable: DynamoDB was too busy to write all of them.
    """
    _write(dynamodb, table, [{"PutRequest": {"Item": item}} for item in items], retry)


def delete_items(dynamodb: "DynamoDBClient", table: str, keys: Sequence[Item], retry: Retry = RETRY) -> None:
    """Delete the items with these keys.

    Raises:
        Unavailable: DynamoDB was too busy to delete all of them.
    """
    _write(dynamodb, table, [{"DeleteRequest": {"Key": key}} for key in keys], retry)


def _write(dynamodb: "DynamoDBClient", table: str, writes: Sequence[Any], retry: Retry) -> None:
    for start in range(0, len(writes), _MAX_WRITES):
        _write_batch(dynamodb, {table: writes[start : start + _MAX_WRITES]}, retry)


def _write_batch(dynamodb: "DynamoDBClient", request: Any, retry: Retry) -> None:
    for _ in retry.attempts():
        request = dynamodb.batch_write_item(RequestItems=request).get("UnprocessedItems")
        if not request:
            return
    raise Unavailable
