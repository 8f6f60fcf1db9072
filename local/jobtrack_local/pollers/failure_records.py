"""The record that Lambda sends to the on-failure queue: the position of discarded records, without their content."""

import json
from collections.abc import Callable
from uuid import uuid4

from jobtrack import times
from jobtrack.times import Micros
from jobtrack_local.pollers.shard_batches import Discarded
from jobtrack_local.runtime.events import created_at, sequence_number


def failure_record(
    discarded: Discarded,
    shard: str,
    stream_arn: str,
    function_arn: str,
    now: Micros,
    nonce: Callable[[], object] = uuid4,
) -> str:
    """Return the JSON document in the format of AWS."""
    first, last = discarded.records[0], discarded.records[-1]
    document = {
        "requestContext": {
            "requestId": str(nonce()),
            "functionArn": function_arn,
            "condition": discarded.condition,
            "approximateInvokeCount": discarded.attempts,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": _timestamp(now),
        "DDBStreamBatchInfo": {
            "shardId": shard,
            "startSequenceNumber": sequence_number(first),
            "endSequenceNumber": sequence_number(last),
            "approximateArrivalOfFirstRecord": _timestamp(created_at(first)),
            "approximateArrivalOfLastRecord": _timestamp(created_at(last)),
            "batchSize": len(discarded.records),
            "streamArn": stream_arn,
        },
    }
    return json.dumps(document)


def _timestamp(moment: Micros) -> str:
    return times.render(times.whole(moment))
