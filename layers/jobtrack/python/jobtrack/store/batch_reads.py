"""Reads many items by their keys, in few requests.

Every read is strongly consistent. Keys that DynamoDB leaves unprocessed are requested again.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jobtrack.errors import Unavailable
from jobtrack.retry import RETRY, Retry
from jobtrack.store.transactions import Item

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

MAX_KEYS = 100
"""The most keys that DynamoDB accepts in one BatchGetItem."""


def read_items(
    dynamodb: "DynamoDBClient",
    table: str,
    keys: Sequence[Item],
    attribute: str | None = None,
    retry: Retry = RETRY,
) -> Iterator[dict[str, Any]]:
    """Yield the items that exist, in no order; with `attribute`, only that attribute of each.

    Raises:
        Unavailable: DynamoDB was too busy to return all of them.
    """
    projection = {"ProjectionExpression": attribute} if attribute else {}
    for start in range(0, len(keys), MAX_KEYS):
        request = {table: {"Keys": keys[start : start + MAX_KEYS], "ConsistentRead": True, **projection}}
        for _, items in _responses(dynamodb, request, retry):
            yield from items


def read_items_of_tables(
    dynamodb: "DynamoDBClient", keys: Mapping[str, Sequence[Item]], retry: Retry = RETRY
) -> dict[str, list[dict[str, Any]]]:
    """Return the items that exist, by table, in no order; there are at most 100 keys in all.

    Raises:
        Unavailable: DynamoDB was too busy to return all of them.
    """
    items_by_table: dict[str, list[dict[str, Any]]] = {table: [] for table in keys}
    request = {table: {"Keys": of_table, "ConsistentRead": True} for table, of_table in keys.items() if of_table}
    for table, items in _responses(dynamodb, request, retry):
        items_by_table[table] += items
    return items_by_table


def _responses(
    dynamodb: "DynamoDBClient", request: Any, retry: Retry
) -> Iterator[tuple[str, Sequence[dict[str, Any]]]]:
    """Yield the items of each response, by table, until no key is left."""
    if not request:
        return
    for _ in retry.attempts():
        response = dynamodb.batch_get_item(RequestItems=request)
        yield from response["Responses"].items()
        request = response.get("UnprocessedKeys")
        if not request:
            return
    raise Unavailable
