"""Reads the stream of a table on an engine."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobtrack_local.pollers.stream_mapping import Page, Shard
from jobtrack_local.runtime.events import stream_record

if TYPE_CHECKING:
    from types_boto3_dynamodbstreams import DynamoDBStreamsClient
    from types_boto3_dynamodbstreams.type_defs import ShardTypeDef


@dataclass(frozen=True)
class _Position:
    """A shard iterator, None at the end of a closed shard, and the sequence number after which it reads."""

    after: str | None
    iterator: str | None


class EngineStream:
    """Reads shards. Iterators are kept in memory only; an expired one is requested again."""

    def __init__(self, client: "DynamoDBStreamsClient", arn: str) -> None:
        self.arn = arn
        self._client = client
        self._positions: dict[str, _Position] = {}

    def start(self) -> None:
        """Start to read all current shards after their newest record."""
        for shard in self.shards():
            response = self._client.get_shard_iterator(
                StreamArn=self.arn, ShardId=shard.name, ShardIteratorType="LATEST"
            )
            self._positions[shard.name] = _Position(None, response["ShardIterator"])

    def shards(self) -> list[Shard]:
        """Return all shards."""
        return [Shard(shard["ShardId"], shard.get("ParentShardId")) for shard in self._describe_shards()]

    def read(self, shard: str, after: str | None) -> Page:
        """Return a page of records after a sequence number, or from the oldest record on."""
        iterator = self._iterator(shard, after)
        if iterator is None:
            return Page(closed=True)
        expired = self._client.exceptions.ExpiredIteratorException, self._client.exceptions.TrimmedDataAccessException
        try:
            response = self._client.get_records(ShardIterator=iterator)
        except expired:
            del self._positions[shard]
            return Page()
        records = [stream_record({**record}, self.arn) for record in response["Records"]]
        last = response["Records"][-1]["dynamodb"]["SequenceNumber"] if records else after
        position = self._positions[shard] = _Position(last, response.get("NextShardIterator") or None)
        return Page(records, position.iterator is None)

    def _iterator(self, shard: str, after: str | None) -> str | None:
        position = self._positions.get(shard)
        if position is None or position.after != after:
            position = self._positions[shard] = _Position(after, self._request_iterator(shard, after))
        return position.iterator

    def _request_iterator(self, shard: str, after: str | None) -> str:
        """Return an iterator after the sequence number, or at the oldest record if the numbered record is gone."""
        if after is not None:
            try:
                return self._client.get_shard_iterator(
                    StreamArn=self.arn,
                    ShardId=shard,
                    ShardIteratorType="AFTER_SEQUENCE_NUMBER",
                    SequenceNumber=after,
                )["ShardIterator"]
            except self._client.exceptions.TrimmedDataAccessException:
                pass
        return self._client.get_shard_iterator(StreamArn=self.arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")[
            "ShardIterator"
        ]

    def _describe_shards(self) -> Iterator["ShardTypeDef"]:
        page = self._client.describe_stream(StreamArn=self.arn)["StreamDescription"]
        yield from page.get("Shards", [])
        while "LastEvaluatedShardId" in page:
            page = self._client.describe_stream(StreamArn=self.arn, ExclusiveStartShardId=page["LastEvaluatedShardId"])[
                "StreamDescription"
            ]
            yield from page.get("Shards", [])
