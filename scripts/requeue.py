"""Puts quarantined outbox records back, once what was wrong is mended: `python -m scripts.requeue --help`.

Each is written to the jobs table as a new item of the outbox, so that its stream brings it to the dispatcher again.
What was told already is told under the same webhook-id, and what fails again is quarantined again.
"""

import argparse
import base64
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from jobtrack import aws
from jobtrack.push.dispatch.quarantine import StreamRecord, load
from jobtrack.store.outbox import KEPT_SECONDS

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef


def requeue(
    dynamodb: "DynamoDBClient", jobs: str, quarantine: str, clock: Callable[[], float] = time.time
) -> Iterator[str]:
    """Put back what the quarantine holds; the sort key of each item, told when it is done."""
    for page in dynamodb.get_paginator("scan").paginate(TableName=quarantine, ConsistentRead=True):
        for item in page["Items"]:
            dynamodb.put_item(TableName=jobs, Item=_again(load(item), int(clock())))
            dynamodb.delete_item(TableName=quarantine, Key={"pk": item["pk"], "sk": item["sk"]})
            yield item["sk"]["S"]


def _again(record: StreamRecord, now: int) -> "dict[str, AttributeValueTypeDef]":
    """The item that the record told of, under a key of its own: only an insertion is shown to the dispatcher."""
    image: dict[str, Any] = {name: _stored(value) for name, value in record["dynamodb"]["NewImage"].items()}
    place = f"{image['sk']['S']}#again{now}"
    return {**image, "sk": {"S": place}, "exp": {"N": str(now + KEPT_SECONDS)}}


def _stored(value: dict[str, Any]) -> dict[str, Any]:
    return {kind: base64.b64decode(held) if kind == "B" else held for kind, held in value.items()}


def _main() -> None:
    parser = argparse.ArgumentParser(description="Put quarantined outbox records back.")
    parser.add_argument("--jobs", required=True, help="name of the jobs table (output JobsTable of the stack)")
    parser.add_argument("--quarantine", required=True, help="name of the quarantine table (output QuarantineTable)")
    asked = parser.parse_args()
    for place in requeue(aws.client("dynamodb"), asked.jobs, asked.quarantine):
        print(f"put back {place}")


if __name__ == "__main__":
    _main()
