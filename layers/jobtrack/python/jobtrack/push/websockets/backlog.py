"""What a WebSocket subscription is to be told: the events after a position, in the order of their sequences.

They are read from the outbox, where everything that the subscription wants is kept for two days from when it was made
on; what lies further back is read from the journal.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from jobtrack.classes import frozen, service
from jobtrack.domain.job import Json
from jobtrack.domain.journal import packing
from jobtrack.errors import NotFound
from jobtrack.keys import JobKey
from jobtrack.push.dispatch.replays import Replays
from jobtrack.push.subscriptions.subscription import Event, Subscription
from jobtrack.store.outbox import KEPT_SECONDS, SORT_KEY

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = dict[str, AttributeValueTypeDef]

logger = logging.getLogger(__name__)

MARGIN_SECONDS = 3600
"""So long before it is deleted an item of the outbox is no longer relied on."""
PAGE = 2000
"""Events that are read from the journal at once."""
_TOLD = {"type", "sequence", "time", "status", "percentage", "labels", "data"}
"""What is known of each event."""
_FIRST, _LAST = SORT_KEY, f"{SORT_KEY}:"
"""Before and after the keys of all batches; messages that are owed as they are come later."""


@frozen
class Page:
    """Events by sequence, and the position after them: up to it nothing that is wanted is missing."""

    job_name: str
    events: Sequence[Event]
    position: int


@service
class Backlog:
    """Reads the jobs table."""

    dynamodb: "DynamoDBClient"
    table: str
    clock: Callable[[], float] = time.time
    page: int = PAGE

    def after(self, subscription: Subscription, position: int) -> Iterator[Page]:
        """Page after page, until there is nothing new at the moment of the last read."""
        while True:
            start = self._start(subscription, position)
            if start is not None:
                yield from self._outbox(subscription.job, start, position)
                return
            page = self._journal(subscription, position)
            if page.position <= position:
                return
            yield page
            position = page.position

    def _start(self, subscription: Subscription, position: int) -> str | None:
        """The key from which on the outbox holds all after the position; None if it does not reach back so far."""
        if not subscription.cursor or position < subscription.cursor.since:
            return None
        kept_from = self.clock() - KEPT_SECONDS + MARGIN_SECONDS
        item = self._before(subscription.job, position)
        if item and int(item["exp"]["N"]) - KEPT_SECONDS > kept_from:
            return item["sk"]["S"]
        if subscription.created_at > kept_from:
            return item["sk"]["S"] if item else _key(position + 1)
        return None

    def _before(self, job: JobKey, position: int) -> "Item | None":
        """The batch that holds what follows the position, or else the last one before: its key and when it expires."""
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":pk": {"S": job.partition},
                ":first": {"S": _FIRST},
                ":last": {"S": _key(position + 1)},
            },
            ProjectionExpression="sk, #exp",
            ExpressionAttributeNames={"#exp": "exp"},
            ScanIndexForward=False,
            PaginationConfig={"PageSize": 5},
        )
        return next((item for page in pages for item in page["Items"] if _is_batch(item["sk"]["S"])), None)

    def _outbox(self, job: JobKey, start: str, position: int) -> Iterator[Page]:
        reached = start, True
        while found := self._batches(job, *reached):
            for place, record in found:
                reached = place, False
                if record is None:
                    continue
                last = int(record["events"][-1]["sequence"])
                if last > position:
                    new = [event for event in record["events"] if int(event["sequence"]) > position]
                    yield Page(record["jobName"], new, last)
                    position = last

    def _batches(self, job: JobKey, start: str, inclusive: bool) -> list[tuple[str, Json | None]]:
        """The next batches from a key on, as many as one request gives, None for one at fault; none at the end."""
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :start AND :last",
            ExpressionAttributeValues={
                ":pk": {"S": job.partition},
                ":start": {"S": start if inclusive else f"{start}!"},
                ":last": {"S": _LAST},
            },
        )
        for page in pages:
            found = [item for item in page["Items"] if _is_batch(item["sk"]["S"])]
            if found:
                return [(item["sk"]["S"], _record(item)) for item in found]
        return []

    def _journal(self, subscription: Subscription, position: int) -> Page:
        try:
            return Page(*Replays(self.dynamodb, self.table).ordered(subscription, position, self.page))
        except NotFound:
            return Page("", [], position)


def _key(sequence: int) -> str:
    return f"{SORT_KEY}{sequence:012d}"


def _record(item: "Item") -> Json | None:
    """What a batch holds; None where that cannot be read: the dispatcher has it quarantined, and the others go on."""
    try:
        record: Json = packing.unpack(bytes(item["d"]["B"]))
        readable = "jobName" in record and bool(record["events"]) and all({*each} >= _TOLD for each in record["events"])
    except Exception:
        readable = False
    if readable:
        return record
    logger.error("the outbox item %s cannot be read", item["sk"]["S"])
    return None


def _is_batch(place: str) -> bool:
    """Whether a key is that of a batch: it is the batch's first sequence, and no more."""
    return place.removeprefix(SORT_KEY).isdigit()
