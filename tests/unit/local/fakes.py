"""Fakes of the engine's streams and queues."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any


class ExpiredIteratorException(Exception):
    pass


class TrimmedDataAccessException(Exception):
    pass


@dataclass
class Shard:
    parent: str | None = None
    records: list[str] = field(default_factory=list)
    closed: bool = False
    trimmed: int = 0


class FakeStream:
    """A stream of shards that a test splits, closes and trims; iterators are `shard/position`."""

    exceptions = SimpleNamespace(
        ExpiredIteratorException=ExpiredIteratorException, TrimmedDataAccessException=TrimmedDataAccessException
    )

    def __init__(self, page: int = 2) -> None:
        self.shards: dict[str, Shard] = {}
        self.expired = False
        self.descriptions = 0
        self.reads = 0
        self.outages: list[Exception] = []
        self._page = page

    def describe_stream(self, StreamArn: str, ExclusiveStartShardId: str | None = None) -> dict[str, Any]:
        if self.outages:
            raise self.outages.pop()
        self.descriptions += 1
        names = list(self.shards)
        start = 0 if ExclusiveStartShardId is None else names.index(ExclusiveStartShardId) + 1
        page = names[start : start + self._page]
        found: dict[str, Any] = {"Shards": [self._described(name) for name in page]}
        if start + self._page < len(names):
            found["LastEvaluatedShardId"] = page[-1]
        return {"StreamDescription": found}

    def get_shard_iterator(self, **asked: str) -> dict[str, str]:
        shard = self.shards[asked["ShardId"]]
        match asked["ShardIteratorType"]:
            case "LATEST":
                position = len(shard.records)
            case "AFTER_SEQUENCE_NUMBER":
                position = shard.records.index(asked["SequenceNumber"]) + 1
                if position < shard.trimmed:
                    raise TrimmedDataAccessException
            case _:
                position = shard.trimmed
        return {"ShardIterator": f"{asked['ShardId']}/{position}"}

    def get_records(self, ShardIterator: str) -> dict[str, Any]:
        self.reads += 1
        if self.expired:
            self.expired = False
            raise ExpiredIteratorException
        name, position = ShardIterator.split("/")
        shard = self.shards[name]
        found = shard.records[int(position) :][:3]
        answer: dict[str, Any] = {
            "Records": [{"dynamodb": {"SequenceNumber": each, "ApproximateCreationDateTime": 1}} for each in found]
        }
        end = int(position) + len(found)
        if not (shard.closed and end == len(shard.records)):
            answer["NextShardIterator"] = f"{name}/{end}"
        return answer

    def _described(self, name: str) -> dict[str, str]:
        parent = self.shards[name].parent
        return {"ShardId": name} | ({"ParentShardId": parent} if parent else {})


class FakeQueue:
    """A queue that returns its batches once, and records deleted and sent messages."""

    def __init__(self, batches: Sequence[list[dict[str, Any]]] = ()) -> None:
        self.batches = list(batches)
        self.deleted: list[str] = []
        self.sent: list[tuple[str, str]] = []
        self.receives = 0

    def receive_message(self, **asked: Any) -> dict[str, Any]:
        self.receives += 1
        return {"Messages": self.batches.pop(0)} if self.batches else {}

    def send_message(self, QueueUrl: str, MessageBody: str) -> None:
        self.sent.append((QueueUrl, MessageBody))

    def delete_message_batch(self, QueueUrl: str, Entries: list[dict[str, str]]) -> None:
        self.deleted += [entry["ReceiptHandle"] for entry in Entries]


def message(number: int) -> dict[str, Any]:
    return {"MessageId": f"m{number}", "ReceiptHandle": f"r{number}", "Body": str(number), "MD5OfBody": "x"}
