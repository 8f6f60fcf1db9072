"""The quarantine of poison records: they are kept whole, so that they can be put back once the cause is fixed.

Without the quarantine, Lambda would retry a failed record until it expires, and delay the records after it. An
on-failure queue would not suffice: Lambda sends it only a pointer into the stream, which keeps records for a day.
"""

import gzip
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from jobtrack import times
from jobtrack.store.item_kinds import QUARANTINED_RECORD
from jobtrack.store.ttl import encode_expiry
from jobtrack.times import Micros

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

KEPT_SECONDS = 14 * 24 * 3600
ERROR_CHARACTERS = 1000
StreamRecord = Mapping[str, Any]


class QuarantineTable(Struct, eq=False):
    """The quarantine table: one item for each record, even if the record is delivered more than once."""

    dynamodb: "DynamoDBClient"
    name: str
    clock: Callable[[], Micros] = times.now

    def put_record(self, record: StreamRecord, error: Exception) -> None:
        """Store the record unchanged, under the keys of its outbox item, with the error."""
        self.dynamodb.put_item(TableName=self.name, Item=_item(record, error, self.clock()))


def load_record(item: "Mapping[str, AttributeValueTypeDef]") -> StreamRecord:
    """Return the record of a stored item."""
    record: StreamRecord = json.loads(gzip.decompress(bytes(QUARANTINED_RECORD.check(item)["record"]["B"])))
    return record


def _item(record: StreamRecord, error: Exception, now: Micros) -> "dict[str, AttributeValueTypeDef]":
    number = str(record["dynamodb"]["SequenceNumber"])
    keys = record["dynamodb"].get("Keys", {})
    return {
        "pk": keys.get("pk", {"S": "unknown"}),
        "sk": keys.get("sk", {"S": number}),
        **QUARANTINED_RECORD.stamp,
        "sequenceNumber": {"S": number},
        "error": {"S": f"{type(error).__name__}: {error}"[:ERROR_CHARACTERS]},
        "failedAt": {"N": str(now)},
        "exp": encode_expiry(times.add_seconds(now, KEPT_SECONDS)),
        # Compressed, base64 takes no more space than the bytes in it, so that any record fits into an item.
        "record": {"B": gzip.compress(json.dumps(record).encode(), mtime=0)},
    }
