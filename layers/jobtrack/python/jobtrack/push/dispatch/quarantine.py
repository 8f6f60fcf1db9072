"""Where records go that fail for a reason of their own: whole, so that they can be put back once that is mended.

Lambda tries a failed record again until it is too old, and holds up its neighbours meanwhile; to its on-failure queue
it sends no more than a pointer into a stream that forgets after a day.
"""

import gzip
import json
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

KEPT_SECONDS = 14 * 24 * 3600
ERROR_CHARACTERS = 1000
StreamRecord = Mapping[str, Any]


class QuarantineTable(Struct, eq=False):
    """The quarantine: one item for each record, however often it comes."""

    dynamodb: "DynamoDBClient"
    name: str
    clock: Callable[[], float] = time.time

    def put(self, record: StreamRecord, error: Exception) -> None:
        """Keep the record as it came, under the keys of the item that it tells of, and what was wrong with it."""
        self.dynamodb.put_item(TableName=self.name, Item=_item(record, error, int(self.clock())))


def load(item: "Mapping[str, AttributeValueTypeDef]") -> StreamRecord:
    """The record as it came."""
    record: StreamRecord = json.loads(gzip.decompress(bytes(item["record"]["B"])))
    return record


def _item(record: StreamRecord, error: Exception, now: int) -> "dict[str, AttributeValueTypeDef]":
    number = str(record["dynamodb"]["SequenceNumber"])
    keys = record["dynamodb"].get("Keys", {})
    return {
        "pk": keys.get("pk", {"S": "unknown"}),
        "sk": keys.get("sk", {"S": number}),
        "sequenceNumber": {"S": number},
        "error": {"S": f"{type(error).__name__}: {error}"[:ERROR_CHARACTERS]},
        "failedAt": {"N": str(now)},
        "exp": {"N": str(now + KEPT_SECONDS)},
        # Compressed, base64 weighs no more than the bytes in it: what was an item fits into one again.
        "record": {"B": gzip.compress(json.dumps(record).encode(), mtime=0)},
    }
