"""Many items at once, where nothing depends on their order."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_WRITES = 25
"""What DynamoDB takes in one BatchWriteItem."""


def put_all(dynamodb: "DynamoDBClient", table: str, items: Sequence[Any]) -> None:
    """Put the items, again those that DynamoDB put off."""
    for start in range(0, len(items), _WRITES):
        request: Any = {table: [{"PutRequest": {"Item": item}} for item in items[start : start + _WRITES]]}
        while request:
            request = dynamodb.batch_write_item(RequestItems=request).get("UnprocessedItems")
