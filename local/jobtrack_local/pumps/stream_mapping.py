"""A stream → a function: each shard in its order, a child after its parent, a shard that waits in nobody's way."""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from jobtrack_local.pumps.batch_responses import Invoke, failures
from jobtrack_local.pumps.invocation import HandlerFailed, Record, sequence_number
from jobtrack_local.pumps.shard_batches import Lost, Outcome, Part, aged, batches, tried
from jobtrack_local.template.cloudformation import StreamProperties
from jobtrack_local.template.patterns import Pattern, any_match

log = logging.getLogger(__name__)

DISCOVER_EVERY = 50
"""Steps after which new shards are looked for, if none was closed before."""
BEFORE = "before"
"""The shard of what lay there before the stream began."""


@dataclass(frozen=True)
class Shard:
    """A shard of a stream, and the one that it continues."""

    name: str
    parent: str | None = None


@dataclass(frozen=True)
class Page:
    """Records of a shard, and whether there will never be more."""

    records: Sequence[Record] = ()
    over: bool = False


class Stream(Protocol):
    """Where records lie."""

    def shards(self) -> Iterable[Shard]:
        """All that are kept."""

    def read(self, shard: str, after: str | None) -> Page:
        """What follows a sequence number, or the oldest that is kept."""


@dataclass
class _Reading:
    """How far a shard is read, and what was read but not yet handled."""

    after: str | None = None
    over: bool = False
    parts: deque[Part] = field(default_factory=deque)

    @property
    def done(self) -> bool:
        return self.over and not self.parts


class StreamMapping:
    """Carries a stream's records to a function, within the bounds of its trigger.

    `give_up` is told of what is given up, with its shard, before it is forgotten: when it raises, it is told again.
    """

    def __init__(
        self,
        stream: Stream,
        invoke: Invoke,
        trigger: StreamProperties,
        give_up: Callable[[Lost, str], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._stream = stream
        self._invoke = invoke
        self._trigger = trigger
        self._give_up = give_up
        self._clock = clock
        self._patterns = [Pattern(found.pattern) for found in trigger.filter_criteria.filters]
        self._readings: dict[str, _Reading] = {}
        self._until_discovery = 0

    @property
    def due(self) -> float | None:
        """When the next records that wait for another try are due (epoch seconds); None when none wait."""
        return min((each.parts[0].due for each in self._readings.values() if each.parts), default=None)

    def take(self, records: Sequence[Record]) -> None:
        """Carry records that no shard holds, in a line of their own."""
        reading = self._readings.setdefault(BEFORE, _Reading(over=True))
        reading.parts.extend(self._batches(records))

    def step(self) -> bool:
        """Give each shard a turn; whether one of them had something."""
        self._until_discovery -= 1
        if self._until_discovery <= 0:
            self._discover()
        turns = [self._turn(name, reading) for name, reading in [*self._readings.items()]]
        return any(turns)

    def _turn(self, shard: str, reading: _Reading) -> bool:
        read = not reading.parts and not reading.over and self._read(shard, reading)
        if not reading.parts or reading.parts[0].due > self._clock():
            return read
        self._settle(shard, reading, aged(reading.parts[0], self._trigger, self._clock()))
        if reading.parts:
            self._try(shard, reading)
        if reading.done:
            self._until_discovery = 0
        return True

    def _read(self, shard: str, reading: _Reading) -> bool:
        page = self._stream.read(shard, reading.after)
        if page.records:
            reading.after = sequence_number(page.records[-1])
            reading.parts.extend(self._batches(page.records))
        reading.over = page.over
        if reading.done:
            self._until_discovery = 0
        return bool(page.records or page.over)

    def _batches(self, records: Sequence[Record]) -> Iterable[Part]:
        return batches([record for record in records if any_match(self._patterns, record)], self._trigger)

    def _try(self, shard: str, reading: _Reading) -> None:
        part, failed = reading.parts[0], None
        try:
            failed = failures(self._invoke, part.records, sequence_number, self._trigger.function_response_types)
        except HandlerFailed as error:
            log.warning("%s", error)
        self._settle(shard, reading, tried(part, failed, self._trigger, self._clock()))

    def _settle(self, shard: str, reading: _Reading, outcome: Outcome) -> None:
        if outcome.lost:
            self._give_up(outcome.lost, shard)
        reading.parts.popleft()
        reading.parts.extendleft(reversed(outcome.left))

    def _discover(self) -> None:
        """Open the shards that came since, each once its parent is handled, and forget those that are gone."""
        self._until_discovery = DISCOVER_EVERY
        found = {shard.name: shard for shard in self._stream.shards()}
        for name in [name for name, reading in self._readings.items() if reading.done and name not in found]:
            del self._readings[name]
        for shard in found.values():
            if shard.name not in self._readings and self._may_open(shard, found):
                self._readings[shard.name] = _Reading()

    def _may_open(self, shard: Shard, found: Iterable[str]) -> bool:
        if shard.parent is None or shard.parent not in found:
            return True
        return shard.parent in self._readings and self._readings[shard.parent].done
