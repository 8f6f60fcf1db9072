"""What Lambda sends to the on-failure queue: where records lay that were given up, and nothing of what they held."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

from jobtrack_local.pumps.invocation import created, sequence_number
from jobtrack_local.pumps.shard_batches import Lost


def pointer(
    lost: Lost, shard: str, stream_arn: str, function_arn: str, now: float, nonce: Callable[[], object] = uuid4
) -> str:
    """The document as AWS lays it out; `now` in epoch seconds."""
    first, last = lost.records[0], lost.records[-1]
    document = {
        "requestContext": {
            "requestId": str(nonce()),
            "functionArn": function_arn,
            "condition": lost.condition,
            "approximateInvokeCount": lost.tries,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": _moment(now),
        "DDBStreamBatchInfo": {
            "shardId": shard,
            "startSequenceNumber": sequence_number(first),
            "endSequenceNumber": sequence_number(last),
            "approximateArrivalOfFirstRecord": _moment(created(first)),
            "approximateArrivalOfLastRecord": _moment(created(last)),
            "batchSize": len(lost.records),
            "streamArn": stream_arn,
        },
    }
    return json.dumps(document)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).isoformat().replace("+00:00", "Z")
