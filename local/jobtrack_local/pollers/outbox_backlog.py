"""Stream records of outbox items that are still in the table, for DynamoDB Local: its stream has no stored position.

docs/decisions/local-engines.md gives the reason.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobtrack import times
from jobtrack.store.ttl import encode_expiry
from jobtrack.times import Micros
from jobtrack_local.runtime.events import Record, stream_record

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef


@dataclass(frozen=True)
class OutboxBacklog:
    """The items of a table whose sort key starts with `prefix`."""

    client: "DynamoDBClient"
    table: str
    stream_arn: str
    prefix: str
    clock: Callable[[], Micros] = times.now

    def records(self) -> Iterator[Sequence[Record]]:
        """Yield pages of INSERT records of the items that have not expired; each partition is in order."""
        now, number = self.clock(), 0
        pages = self.client.get_paginator("scan").paginate(
            TableName=self.table,
            ConsistentRead=True,
            FilterExpression="begins_with(sk, :prefix) AND (attribute_not_exists(exp) OR exp > :now)",
            ExpressionAttributeValues={":prefix": {"S": self.prefix}, ":now": encode_expiry(now)},
        )
        for page in pages:
            yield [self._record(item, number + index, now) for index, item in enumerate(page["Items"])]
            number += len(page["Items"])

    def _record(self, item: dict[str, "AttributeValueTypeDef"], number: int, now: Micros) -> Record:
        change = {
            "ApproximateCreationDateTime": times.epoch_seconds(now),
            "Keys": {"pk": item["pk"], "sk": item["sk"]},
            "NewImage": item,
            "SequenceNumber": f"{number:021d}",
            "SizeBytes": sum(len(name) + len(str(value)) for name, value in item.items()),
            "StreamViewType": "NEW_IMAGE",
        }
        head = {
            "eventID": f"{number:032x}",
            "eventName": "INSERT",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": self.stream_arn.split(":")[3],
        }
        return stream_record({**head, "dynamodb": change}, self.stream_arn)
