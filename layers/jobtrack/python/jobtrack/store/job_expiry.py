"""Deletes open jobs that have expired. TTL deletes ended jobs: see `ttl`."""

from typing import TYPE_CHECKING, Any

from jobtrack.keys import JobKey
from jobtrack.store import open_job_counters
from jobtrack.store.snapshots import read_snapshot_item, snapshot_key
from jobtrack.store.timers import Timer
from jobtrack.store.transactions import Item, commit
from jobtrack.store.ttl import decode_job_expiry
from jobtrack.times import Micros

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef


def expire_job(dynamodb: "DynamoDBClient", table: str, key: JobKey, timer: Timer, now: Micros) -> bool:
    """Delete an open job and its timer, unless it has reported; return whether it was deleted.

    The write also removes the job from the counters. It deletes only the version that was read, so a report that was
    accepted before always wins.

    Raises:
        NotFound: there is no such job.
        Cancelled: another writer or an outage prevented the write.
    """
    item = read_snapshot_item(dynamodb, table, key)
    if decode_job_expiry(item) > now:
        return False
    counting = open_job_counters.change_actions(table, key, item, {})
    commit(dynamodb, [_delete_action(table, key, item), *counting, timer.delete_action(table)])
    return True


def _delete_action(table: str, key: JobKey, item: Item) -> "TransactWriteItemTypeDef":
    stored: Any = item["v"]
    return {
        "Delete": {
            "TableName": table,
            "Key": snapshot_key(key),
            "ConditionExpression": "#v = :stored",
            "ExpressionAttributeNames": {"#v": "v"},
            "ExpressionAttributeValues": {":stored": stored},
        }
    }
