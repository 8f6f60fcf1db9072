"""A table's stream on an engine, as the rules of the event source ask for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobtrack_local.pumps.invocation import stream_record
from jobtrack_local.pumps.stream_mapping import Page, Shard

if TYPE_CHECKING:
    from types_boto3_dynamodbstreams import DynamoDBStreamsClient
    from types_boto3_dynamodbstreams.type_defs import ShardTypeDef


@dataclass(frozen=True)
class _Held:
    """An iterator, None at a closed shard's end, and the sequence number after which it reads."""

    after: str | None
    iterator: str | None


class EngineStream:
    """Reads shards; its iterators live in memory only, and one that was lost is made anew."""

    def __init__(self, client: "DynamoDBStreamsClient", arn: str) -> None:
        self.arn = arn
        self._client = client
        self._held: dict[str, _Held] = {}

    def start(self) -> None:
        """Read each shard that there is from what is written from now on."""
        for shard in self.shards():
            answer = self._client.get_shard_iterator(StreamArn=self.arn, ShardId=shard.name, ShardIteratorType="LATEST")
            self._held[shard.name] = _Held(None, answer["ShardIterator"])

    def shards(self) -> list[Shard]:
        """Every shard."""
        return [Shard(shard["ShardId"], shard.get("ParentShardId")) for shard in self._described()]

    def read(self, shard: str, after: str | None) -> Page:
        """What follows a sequence number, or the beginning, as far as the engine gives it at once."""
        iterator = self._iterator(shard, after)
        if iterator is None:
            return Page(over=True)
        lost = self._client.exceptions.ExpiredIteratorException, self._client.exceptions.TrimmedDataAccessException
        try:
            answer = self._client.get_records(ShardIterator=iterator)
        except lost:
            del self._held[shard]
            return Page()
        records = [stream_record({**record}, self.arn) for record in answer["Records"]]
        last = answer["Records"][-1]["dynamodb"]["SequenceNumber"] if records else after
        following = self._held[shard] = _Held(last, answer.get("NextShardIterator") or None)
        return Page(records, following.iterator is None)

    def _iterator(self, shard: str, after: str | None) -> str | None:
        held = self._held.get(shard)
        if held is None or held.after != after:
            held = self._held[shard] = _Held(after, self._made(shard, after))
        return held.iterator

    def _made(self, shard: str, after: str | None) -> str:
        """An iterator after the sequence number, or at the oldest record that is left."""
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

    def _described(self) -> Iterator["ShardTypeDef"]:
        page = self._client.describe_stream(StreamArn=self.arn)["StreamDescription"]
        yield from page.get("Shards", [])
        while "LastEvaluatedShardId" in page:
            page = self._client.describe_stream(StreamArn=self.arn, ExclusiveStartShardId=page["LastEvaluatedShardId"])[
                "StreamDescription"
            ]
            yield from page.get("Shards", [])
