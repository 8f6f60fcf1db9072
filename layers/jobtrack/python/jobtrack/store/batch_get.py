"""Reading single items of several tables in one request, each as every write acknowledged before left it."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef, KeysAndAttributesTypeDef

    Item = dict[str, AttributeValueTypeDef]

TRIES = 6
PAUSE_SECONDS = 0.05


class ReadError(Exception):
    """A table did not give all that was asked for."""


def read(
    dynamodb: "DynamoDBClient", keys: "Mapping[str, Sequence[Item]]", sleep: Callable[[float], None] = time.sleep
) -> "dict[str, list[Item]]":
    """Those of the items (at most 100 keys, by table) that exist, in no order.

    Raises:
        ReadError: DynamoDB is too busy to give them all.
    """
    found: dict[str, list[Item]] = {table: [] for table in keys}
    wanted: Mapping[str, KeysAndAttributesTypeDef] = {
        table: {"Keys": asked, "ConsistentRead": True} for table, asked in keys.items() if asked
    }
    for tried in range(TRIES):
        if not wanted:
            return found
        answer = dynamodb.batch_get_item(RequestItems=wanted)
        for table, items in answer["Responses"].items():
            found[table] += items
        wanted = {
            table: {"Keys": rest["Keys"], "ConsistentRead": True}
            for table, rest in answer.get("UnprocessedKeys", {}).items()
        }
        if wanted:
            sleep(PAUSE_SECONDS * 2**tried)
    raise ReadError(f"{', '.join(sorted(wanted))}: too busy")
