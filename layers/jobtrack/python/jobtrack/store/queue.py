"""The project's queue: its jobs that wait, by priority and then by submission."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobtrack.job import Job
from jobtrack.keys import JobKey
from jobtrack.store.snapshots import listing

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

INDEX = "by_status"


@dataclass(slots=True)
class QueueReader:
    """Reads the index by status, which may lag behind by a second or so."""

    dynamodb: "DynamoDBClient"
    table: str

    def position(self, key: JobKey, job: Job) -> int:
        """The queued job's place in its project's queue, from 1."""
        partition, place = listing(key, job)
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.table,
            IndexName=INDEX,
            Select="COUNT",
            KeyConditionExpression="gpk = :partition AND gsk < :place",
            ExpressionAttributeValues={":partition": {"S": partition}, ":place": {"S": place}},
        )
        return 1 + sum(page["Count"] for page in pages)
