"""Calls a function with the records of a stream: each shard in order, and a child shard only after its parent.

A shard that waits for a retry does not delay the others.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from jobtrack import times
from jobtrack.times import Micros
from jobtrack_local.pollers.batch_responses import Invoke, invoke_batch
from jobtrack_local.pollers.shard_batches import (
    Batch,
    Discarded,
    Outcome,
    discard_expired,
    plan_retry,
    split_into_batches,
)
from jobtrack_local.runtime.events import Record, sequence_number
from jobtrack_local.runtime.function import HandlerFailed
from jobtrack_local.template.cloudformation import StreamProperties
from jobtrack_local.template.filter_patterns import any_match

log = logging.getLogger(__name__)

DISCOVERY_STEPS = 50
"""The number of steps after which the mapping looks for new shards; it looks at once when a shard was closed."""
BACKLOG = "backlog"
"""The name of the pseudo-shard that holds the records from before the stream began."""


@dataclass(frozen=True)
class Shard:
    """A shard of a stream, and its parent, the shard that it continues."""

    name: str
    parent: str | None = None


@dataclass(frozen=True)
class Page:
    """Records of a shard, and whether the shard is closed: no more records follow."""

    records: Sequence[Record] = ()
    closed: bool = False


class Stream(Protocol):
    """A source of records."""

    def shards(self) -> Iterable[Shard]:
        """Return all existing shards."""

    def read(self, shard: str, after: str | None) -> Page:
        """Return records after a sequence number, or from the oldest record on."""


@dataclass
class _Progress:
    """How far a shard was read, and the batches that were read but not yet handled."""

    after: str | None = None
    handled: str | None = None
    saved: str | None = None
    closed: bool = False
    batches: deque[Batch] = field(default_factory=deque)

    @property
    def finished(self) -> bool:
        return self.closed and not self.batches

    @property
    def position(self) -> str | None:
        """The record up to which all records were handled, discarded or filtered out."""
        return self.handled if self.batches else self.after

    def add(self, records: Sequence[Record], batches: Iterable[Batch]) -> None:
        """Add the batches of the next records; all earlier ones were handled."""
        self.handled, self.after = self.after, sequence_number(records[-1])
        self.batches.extend(batches)

    def replace_first(self, remaining: Sequence[Batch]) -> None:
        """Replace the first batch by its remaining records, which are at its end."""
        records = self.batches.popleft().records
        self.batches.extendleft(reversed(remaining))
        if handled := records[: len(records) - sum(len(batch.records) for batch in remaining)]:
            self.handled = sequence_number(handled[-1])


class StreamMapping:
    """Calls a function with the records of a stream, within the limits of its trigger.

    `discard` is called with discarded records and their shard, and `save` with a shard and the position up to which its
    records need not be read again. If a call raises an exception, it is repeated later.
    """

    def __init__(
        self,
        stream: Stream,
        invoke: Invoke,
        trigger: StreamProperties,
        discard: Callable[[Discarded, str], None],
        save: Callable[[str, str], None] = lambda shard, position: None,
        clock: Callable[[], Micros] = times.now,
    ) -> None:
        self._stream = stream
        self._invoke = invoke
        self._trigger = trigger
        self._discard = discard
        self._save = save
        self._clock = clock
        self._patterns = trigger.filter_criteria.patterns
        self._shards: dict[str, _Progress] = {}
        self._steps_to_discovery = 0

    @property
    def next_due(self) -> Micros | None:
        """When the next retry is due; None if no records wait for one."""
        return min((shard.batches[0].due for shard in self._shards.values() if shard.batches), default=None)

    def add_backlog(self, records: Sequence[Record]) -> None:
        """Add records that are in no shard; they are handled in order, like a shard's."""
        progress = self._shards.setdefault(BACKLOG, _Progress(closed=True))
        progress.batches.extend(self._batches(records))

    def step(self) -> bool:
        """Read and handle at most one batch of each shard; return whether there was a batch."""
        self._steps_to_discovery -= 1
        if self._steps_to_discovery <= 0:
            self._discover_shards()
        results = [self._step_shard(name, progress) for name, progress in [*self._shards.items()]]
        return any(results)

    def _step_shard(self, shard: str, progress: _Progress) -> bool:
        progressed = self._advance(shard, progress)
        if progress.position is not None and progress.position != progress.saved:
            self._save(shard, progress.position)
            progress.saved = progress.position
        return progressed

    def _advance(self, shard: str, progress: _Progress) -> bool:
        read = not progress.batches and not progress.closed and self._read(shard, progress)
        if not progress.batches or not progress.batches[0].is_due(self._clock()):
            return read
        self._apply(shard, progress, discard_expired(progress.batches[0], self._trigger, self._clock()))
        if progress.batches:
            self._attempt(shard, progress)
        if progress.finished:
            self._steps_to_discovery = 0  # its children may be read now
        return True

    def _read(self, shard: str, progress: _Progress) -> bool:
        page = self._stream.read(shard, progress.after)
        if page.records:
            progress.add(page.records, self._batches(page.records))
        progress.closed = page.closed
        if progress.finished:
            self._steps_to_discovery = 0
        return bool(page.records or page.closed)

    def _batches(self, records: Sequence[Record]) -> Iterable[Batch]:
        matching = [record for record in records if any_match(self._patterns, record)]
        return split_into_batches(matching, self._trigger)

    def _attempt(self, shard: str, progress: _Progress) -> None:
        batch, failed = progress.batches[0], None
        try:
            failed = invoke_batch(self._invoke, batch.records, sequence_number, self._trigger.function_response_types)
        except HandlerFailed as error:
            log.warning("%s", error)
        self._apply(shard, progress, plan_retry(batch, failed, self._trigger, self._clock()))

    def _apply(self, shard: str, progress: _Progress, outcome: Outcome) -> None:
        if outcome.discarded:
            self._discard(outcome.discarded, shard)  # first: if it fails, the batch stays
        progress.replace_first(outcome.remaining)

    def _discover_shards(self) -> None:
        """Start to read new shards whose parent is finished, and forget finished shards that no longer exist."""
        self._steps_to_discovery = DISCOVERY_STEPS
        existing = {shard.name: shard for shard in self._stream.shards()}
        for name in [name for name, progress in self._shards.items() if progress.finished and name not in existing]:
            del self._shards[name]
        for shard in existing.values():
            if shard.name not in self._shards and self._may_start(shard, existing):
                self._shards[shard.name] = _Progress()

    def _may_start(self, shard: Shard, existing: Iterable[str]) -> bool:
        if shard.parent is None or shard.parent not in existing:
            return True
        return shard.parent in self._shards and self._shards[shard.parent].finished
