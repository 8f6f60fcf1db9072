"""Reads a table's stream: every shard, parents before their children."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types_boto3_dynamodbstreams import DynamoDBStreamsClient
    from types_boto3_dynamodbstreams.type_defs import RecordTypeDef, ShardTypeDef

DISCOVER_EVERY = 50
"""Polls after which new shards are looked for, if none was closed before."""


@dataclass
class _Position:
    """Where reading a shard goes on; `iterator` is None once the shard is closed and read."""

    iterator: str | None
    last: str | None = None


class StreamReader:
    """Keeps its position in each shard in memory only; what was written before `start` is for others to find."""

    def __init__(self, client: "DynamoDBStreamsClient", arn: str) -> None:
        self.arn = arn
        self._client = client
        self._positions: dict[str, _Position] = {}
        self._until_discovery = DISCOVER_EVERY

    def start(self) -> None:
        """Begin at what is written from now on."""
        for shard in self._shards():
            answer = self._client.get_shard_iterator(
                StreamArn=self.arn, ShardId=shard["ShardId"], ShardIteratorType="LATEST"
            )
            self._positions[shard["ShardId"]] = _Position(answer["ShardIterator"])

    def poll(self) -> Iterator[list["RecordTypeDef"]]:
        """What each shard has to give now; records count as read when the next are asked for."""
        self._until_discovery -= 1
        if self._until_discovery <= 0:
            self._discover()
        for shard_id, position in self._positions.items():
            yield from self._read(shard_id, position)

    def _read(self, shard_id: str, position: _Position) -> Iterator[list["RecordTypeDef"]]:
        if position.iterator is None:
            return
        lost = self._client.exceptions.ExpiredIteratorException, self._client.exceptions.TrimmedDataAccessException
        try:
            answer = self._client.get_records(ShardIterator=position.iterator)
        except lost:
            position.iterator = self._iterator(shard_id, position.last)
            return
        if records := answer["Records"]:
            yield records
            position.last = records[-1]["dynamodb"]["SequenceNumber"]
        position.iterator = answer.get("NextShardIterator") or None
        if position.iterator is None:
            self._until_discovery = 0

    def _discover(self) -> None:
        """Open the shards that came since, each once its parent is read."""
        self._until_discovery = DISCOVER_EVERY
        shards = {shard["ShardId"]: shard for shard in self._shards()}
        for shard_id in shards.keys() - self._positions.keys():
            parent = shards[shard_id].get("ParentShardId")
            if parent not in shards or self._read_through(parent):
                self._positions[shard_id] = _Position(self._iterator(shard_id))

    def _read_through(self, shard_id: str) -> bool:
        return shard_id in self._positions and self._positions[shard_id].iterator is None

    def _iterator(self, shard_id: str, last: str | None = None) -> str:
        """An iterator after the record `last`, or at the oldest that is left."""
        if last is not None:
            try:
                return self._client.get_shard_iterator(
                    StreamArn=self.arn,
                    ShardId=shard_id,
                    ShardIteratorType="AFTER_SEQUENCE_NUMBER",
                    SequenceNumber=last,
                )["ShardIterator"]
            except self._client.exceptions.TrimmedDataAccessException:
                pass
        return self._client.get_shard_iterator(StreamArn=self.arn, ShardId=shard_id, ShardIteratorType="TRIM_HORIZON")[
            "ShardIterator"
        ]

    def _shards(self) -> Iterator["ShardTypeDef"]:
        page = self._client.describe_stream(StreamArn=self.arn)["StreamDescription"]
        yield from page.get("Shards", [])
        while "LastEvaluatedShardId" in page:
            page = self._client.describe_stream(StreamArn=self.arn, ExclusiveStartShardId=page["LastEvaluatedShardId"])[
                "StreamDescription"
            ]
            yield from page.get("Shards", [])
