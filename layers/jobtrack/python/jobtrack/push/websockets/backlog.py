"""The events that a WebSocket subscription has not received: the events after its position, by sequence.

They are read from the outbox, which keeps the events that the subscription wants for two days. Older events, and events
from before the subscription was created, are read from the journal.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from jobtrack import times
from jobtrack.errors import NotFound
from jobtrack.keys import JobKey
from jobtrack.push.dispatch.replays import Replays
from jobtrack.push.subscriptions.subscription import Subscription
from jobtrack.store.item_kinds import OUTBOX_RECORD
from jobtrack.store.key_conditions import between
from jobtrack.store.outbox import KEPT_SECONDS, SORT_KEY
from jobtrack.store.outbox_records import EventBatch, OutboxEvent, decode
from jobtrack.store.ttl import decode_expiry
from jobtrack.times import Micros

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = dict[str, AttributeValueTypeDef]

logger = logging.getLogger(__name__)

MARGIN_SECONDS = 3600
"""An item of the outbox is not relied on during its last hour: DynamoDB may delete it any time."""
PAGE = 2000
"""How many events are read from the journal at once."""
_FIRST, _LAST = SORT_KEY, f"{SORT_KEY}:"
"""Bounds of the sort keys of all event batches. The sort keys of messages come after these bounds."""


class BacklogPage(Struct, frozen=True):
    """Events by sequence, and the position after them. No wanted event up to this position is missing."""

    job_name: str
    events: Sequence[OutboxEvent]
    position: int


class Backlog(Struct, eq=False):
    """Reads the events of a subscription from the jobs table."""

    dynamodb: "DynamoDBClient"
    table: str
    clock: Callable[[], Micros] = times.now
    page: int = PAGE

    def read_after(self, subscription: Subscription, position: int) -> Iterator[BacklogPage]:
        """Yield the pages after the position, until a read finds nothing new."""
        while True:
            start = self._find_start(subscription, position)
            if start is not None:
                yield from self._read_outbox(subscription.job, start, position)
                return
            page = self._read_journal(subscription, position)
            if page.position <= position:
                return
            yield page
            position = page.position

    def _find_start(self, subscription: Subscription, position: int) -> str | None:
        """Return the sort key from which to read the outbox, or None if it may lack events after the position."""
        if not subscription.stream or position < subscription.stream.since:
            return None
        reliable_from = times.add_seconds(self.clock(), MARGIN_SECONDS - KEPT_SECONDS)
        item = self._read_batch_before(subscription.job, position)
        if item and times.add_seconds(decode_expiry(item), -KEPT_SECONDS) > reliable_from:
            return item["sk"]["S"]
        if subscription.created_at > reliable_from:
            return item["sk"]["S"] if item else _sort_key(position + 1)
        return None

    def _read_batch_before(self, job: JobKey, position: int) -> "Item | None":
        """Return sort key and expiry of the last batch that begins at or before the next event after the position."""
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.table,
            ConsistentRead=True,
            **between(job.partition, _FIRST, _sort_key(position + 1)),
            ProjectionExpression="sk, #exp",
            ExpressionAttributeNames={"#exp": "exp"},
            ScanIndexForward=False,
            PaginationConfig={"PageSize": 5},
        )
        return next((item for page in pages for item in page["Items"] if _is_batch(item["sk"]["S"])), None)

    def _read_outbox(self, job: JobKey, start: str, position: int) -> Iterator[BacklogPage]:
        place, inclusive = start, True
        while items := self._query_batches(job, place, inclusive):
            for item in items:
                batch = _decode_batch(item)
                if batch and batch.events[-1].sequence > position:
                    new = [event for event in batch.events if event.sequence > position]
                    position = new[-1].sequence
                    yield BacklogPage(batch.job_name, new, position)
            place, inclusive = items[-1]["sk"]["S"], False

    def _query_batches(self, job: JobKey, start: str, inclusive: bool) -> "list[Item]":
        """Return the next batches from a sort key on, as many as one request returns; empty at the end."""
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.table,
            ConsistentRead=True,
            **between(job.partition, start if inclusive else f"{start}!", _LAST),
        )
        batches = ([item for item in page["Items"] if _is_batch(item["sk"]["S"])] for page in pages)
        return next((items for items in batches if items), [])

    def _read_journal(self, subscription: Subscription, position: int) -> BacklogPage:
        try:
            replays = Replays(self.dynamodb, self.table)
            return BacklogPage(*replays.read_in_order(subscription, position, self.page))
        except NotFound:
            return BacklogPage("", [], position)


def _sort_key(sequence: int) -> str:
    return f"{SORT_KEY}{sequence:012d}"


def _decode_batch(item: "Item") -> EventBatch | None:
    """Return the batch, or None if it cannot be read: the dispatcher quarantines it, and later batches are sent.

    Raises:
        UnreadableFormat: another release stored it, so a later attempt may succeed.
    """
    OUTBOX_RECORD.check(item)
    try:
        record = decode(bytes(item["d"]["B"]))
    except Exception:
        record = None
    if isinstance(record, EventBatch) and record.events:
        return record
    logger.error("the outbox item %s cannot be read", item["sk"]["S"])
    return None


def _is_batch(sort_key: str) -> bool:
    """Return whether a sort key is that of an event batch: the first sequence, and nothing after it."""
    return sort_key.removeprefix(SORT_KEY).isdigit()
