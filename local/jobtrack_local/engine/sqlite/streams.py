"""DynamoDB Streams: one shard for each table, whose sequence numbers are the rows of the stream's table."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from jobtrack.store import item_sizes
from jobtrack_local.engine.sqlite import items, stream_records
from jobtrack_local.engine.sqlite.database import Database
from jobtrack_local.engine.sqlite.dynamodb import REGION, DynamoDb, describe
from jobtrack_local.engine.sqlite.refusals import Refused
from jobtrack_local.engine.sqlite.schema import Table
from jobtrack_local.engine.sqlite.stream_records import Filter, StreamWriter

SHARD = "shardId-00000000000000000000-00000000"
MOST_RECORDS = 1000
LARGEST_PAGE = 1024 * 1024
"""Bytes of records of one GetRecords."""

_IDENTITY = {name[0].upper() + name[1:]: value for name, value in stream_records.EXPIRY.items()}

Params = Mapping[str, Any]
Response = dict[str, Any]


class Streams:
    """The streams of a database's tables."""

    def __init__(self, database: Database, dynamodb: DynamoDb, records: StreamWriter) -> None:
        self._database = database
        self._dynamodb = dynamodb
        self._records = records

    def add_consumer(self, stream: str, wanted: Filter, wake: Callable[[], None]) -> None:
        """Keep only records that the stream's one consumer wants, and wake it after each commit of such a record."""
        table = self._table(stream)
        self._records.add_consumer(table, wanted)
        self._database.subscribe(stream_records.topic(table), wake)

    def describe_stream(self, params: Params) -> Response:
        """Describe a stream: its shard is always open."""
        table = self._table(params["StreamArn"])
        shards = [] if params.get("ExclusiveStartShardId") else [{"ShardId": SHARD, "SequenceNumberRange": {}}]
        return {
            "StreamDescription": {
                "StreamArn": params["StreamArn"],
                "StreamStatus": "ENABLED",
                "StreamViewType": table.stream,
                "TableName": table.name,
                "Shards": shards,
            }
        }

    def get_shard_iterator(self, params: Params) -> Response:
        """Return an iterator, which is the stream and the sequence number after which it reads."""
        table = self._table(params["StreamArn"])
        match params["ShardIteratorType"]:
            case "TRIM_HORIZON":
                after = 0
            case "LATEST":
                after = self._last()
            case "AT_SEQUENCE_NUMBER":
                after = int(params["SequenceNumber"]) - 1
            case _:
                after = int(params["SequenceNumber"])
        return {"ShardIterator": json.dumps([table.name, after])}

    def _last(self) -> int:
        row = self._database.reader.execute("SELECT seq FROM sqlite_sequence WHERE name = 'stream_records'").fetchone()
        return row[0] if row else 0

    def get_records(self, params: Params) -> Response:
        """Return records in their order, up to 1,000 or 1 MB."""
        name, after = json.loads(params["ShardIterator"])
        table = self._dynamodb.table(name)
        rows = self._database.reader.execute(
            "SELECT sequence, at, event, keys, old, new, expired FROM stream_records"
            " WHERE table_id = ? AND sequence > ? ORDER BY sequence LIMIT ?",
            (table.id, after, min(params.get("Limit", MOST_RECORDS), MOST_RECORDS)),
        )
        records: list[Response] = []
        size = 0
        for row in rows:
            record = _record(table, *row)
            size += record["dynamodb"]["SizeBytes"]
            if records and size > LARGEST_PAGE:
                break
            records.append(record)
            after = row[0]
        return {"Records": records, "NextShardIterator": json.dumps([name, after])}

    def trim(self, stream: str, sequence: int) -> None:
        """Delete the handled records, up to a sequence number. The consumer continues at the first remaining record."""
        table = self._table(stream)
        self._database.write(
            lambda connection: connection.execute(
                "DELETE FROM stream_records WHERE table_id = ? AND sequence <= ?", (table.id, sequence)
            )
        )

    def _table(self, stream: str) -> Table:
        table = self._dynamodb.table(stream.partition(":table/")[2].partition("/")[0])
        if describe(table).get("LatestStreamArn") != stream:
            raise Refused("ResourceNotFoundException", f"Requested resource not found: Stream: {stream} not found")
        return table


def _record(
    table: Table, sequence: int, at: float, event: str, keys: bytes, old: bytes | None, new: bytes | None, expired: int
) -> Response:
    change: Response = {
        "ApproximateCreationDateTime": datetime.fromtimestamp(at, UTC),
        "Keys": items.decode(keys),
        "SequenceNumber": f"{sequence:021d}",
        "StreamViewType": table.stream,
    }
    before, after = (None if image is None else items.decode(image) for image in (old, new))
    change |= stream_records.images(table, before, after)
    change["SizeBytes"] = sum(
        item_sizes.item_size(change[name]) for name in ("Keys", "NewImage", "OldImage") if name in change
    )
    return {
        "eventID": f"{sequence:032x}",
        "eventName": event,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": REGION,
        "dynamodb": change,
        **({"userIdentity": _IDENTITY} if expired else {}),
    }
