"""Put quarantined outbox records back after their cause was fixed: `python -m scripts.requeue --help`.

Each record becomes a new outbox item of the jobs table, so its stream sends it to the dispatcher again. Messages that
were pushed before keep their webhook-id. Records that fail again are quarantined again.
"""

import argparse
import base64
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from jobtrack import aws, times
from jobtrack.push.dispatch.quarantine import StreamRecord, load_record
from jobtrack.store.outbox import KEPT_SECONDS
from jobtrack.store.ttl import encode_expiry
from jobtrack.times import Micros

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef


def requeue(
    dynamodb: "DynamoDBClient", jobs: str, quarantine: str, clock: Callable[[], Micros] = times.now
) -> Iterator[str]:
    """Put the quarantined records back, and yield the sort key of each record after it was put back."""
    for page in dynamodb.get_paginator("scan").paginate(TableName=quarantine, ConsistentRead=True):
        for item in page["Items"]:
            dynamodb.put_item(TableName=jobs, Item=_again(load_record(item), clock()))
            dynamodb.delete_item(TableName=quarantine, Key={"pk": item["pk"], "sk": item["sk"]})
            yield item["sk"]["S"]


def _again(record: StreamRecord, now: Micros) -> "dict[str, AttributeValueTypeDef]":
    """Return the record's item under a new key, because the dispatcher sees insertions only."""
    image: dict[str, Any] = {name: _stored(value) for name, value in record["dynamodb"]["NewImage"].items()}
    place = f"{image['sk']['S']}#again{now}"
    return {**image, "sk": {"S": place}, "exp": encode_expiry(times.add_seconds(now, KEPT_SECONDS))}


def _stored(value: dict[str, Any]) -> dict[str, Any]:
    return {kind: base64.b64decode(held) if kind == "B" else held for kind, held in value.items()}


def _main() -> None:
    parser = argparse.ArgumentParser(description="Put quarantined outbox records back.")
    parser.add_argument("--jobs", required=True, help="name of the jobs table (output JobsTable of the stack)")
    parser.add_argument("--quarantine", required=True, help="name of the quarantine table (output QuarantineTable)")
    options = parser.parse_args()
    for place in requeue(aws.client("dynamodb"), options.jobs, options.quarantine):
        print(f"put back {place}")


if __name__ == "__main__":
    _main()
