"""Jobs in DynamoDB: made, and changed by one conditional transaction a batch."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from copy import copy
from typing import TYPE_CHECKING

from msgspec import field

from jobtrack import times
from jobtrack.domain.events import Applied, Event
from jobtrack.domain.job import Job, JobStatus, Json
from jobtrack.domain.journal.journal import Record
from jobtrack.domain.lifecycle import apply, stall
from jobtrack.errors import Conflict, IdempotencyMismatch, InvalidTransition, Unprocessable
from jobtrack.keys import JobKey
from jobtrack.retry import RETRY, Retry
from jobtrack.store import write_marks
from jobtrack.store.conflict_retry import write_with_retries
from jobtrack.store.dependencies import DependencyStore
from jobtrack.store.idempotency import Idempotency, creation, write_once
from jobtrack.store.job_reader import JobReader
from jobtrack.store.job_versions import Version
from jobtrack.store.past_durations import PastDurationStore
from jobtrack.store.snapshots import Snapshot, decode_snapshot, read_snapshot_item, snapshot_key
from jobtrack.store.timers import EXTENSION, Timer
from jobtrack.store.transactions import Cancelled, Item, commit
from jobtrack.store.ttl import Retention

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_CACHED_SNAPSHOTS = 256


class JobStore(JobReader, eq=False):
    """Reads jobs and writes to them. Several threads and several processes may write to one job at once."""

    retention_days: int = 90
    now: Callable[[], int] = times.now
    retry: Retry = RETRY
    _cache: dict[JobKey, Item] = field(default_factory=dict)

    def create(
        self,
        snapshot: Snapshot,
        body: str,
        response: Json,
        idempotency: Idempotency | None = None,
        beside: "Sequence[TransactWriteItemTypeDef]" = (),
        ahead: Callable[[], None] = lambda: None,
    ) -> tuple[Json, bool]:
        """Write a new job with what belongs to it; return the response, and whether it is that of an earlier request.

        Args:
            snapshot: the job, queued; its creation is reported as the event `jobQueued`.
            body: the request's fingerprint; the same job id with the same body is the same request.
            response: the response if this is the first request.
            idempotency: the client's key, if it sent one.
            beside: what else is written with it (subscriptions).
            ahead: writes what must be there before, once nothing but the job itself is left to do.

        Raises:
            Conflict: a job of that id exists and was made by another request.
            IdempotencyMismatch: the key was used for another job.
        """
        now = self.now()
        self._past.add_past_durations(snapshot.key, snapshot.job)
        applied, records = apply(snapshot.job, [Event("jobQueued", snapshot.job.created_at, {})], now)
        version = self._version(snapshot, now)
        by_id = creation(snapshot.key, body, self.retention.beside(0))
        parts = version.parts(applied, records, now)
        by_id_action = by_id.put_action(self.table, response, now // times.SECOND)
        actions = [version.creation(), *parts, *beside, by_id_action]
        ahead()
        return write_with_retries(
            self.retry, lambda: self._create(actions, by_id, response, idempotency, now // times.SECOND)
        )

    def report(self, key: JobKey, events: Sequence[Event], idempotency: Idempotency | None = None) -> tuple[Json, bool]:
        """Store a batch of events, all or nothing; answers `{accepted, lastSequence}` and whether it was a replay.

        Raises:
            NotFound: there is no such job.
            InvalidTransition: the job's status does not allow one of the events.
            IdempotencyMismatch: the key was used for another batch.
            JobBusy: other writers were first for two seconds.
        """
        return write_with_retries(self.retry, lambda: self._report(key, events, idempotency))

    def mark_stalled(self, key: JobKey, timer: Timer) -> bool:
        """Note that a job is silent, unless it has reported; answers whether it is, and then takes its timer away.

        What is noted replaces the version that was read, so that a report accepted before always wins.

        Raises:
            NotFound: there is no such job.
            JobBusy: other writers were first for two seconds.
        """
        return write_with_retries(self.retry, lambda: self._stall(key, timer))

    def _report(self, key: JobKey, events: Sequence[Event], idempotency: Idempotency | None) -> tuple[Json, bool]:
        cached = key in self._cache
        item = self._cache.get(key) or read_snapshot_item(self.dynamodb, self.table, key)
        snapshot, now = decode_snapshot(key, item), self.now()
        before = copy(snapshot.job)
        if before.status is JobStatus.QUEUED and any(event.type == "jobStarted" for event in events):
            self._past.add_past_durations(key, snapshot.job)
        try:
            changed = apply(snapshot.job, events, now)
        except (InvalidTransition, Unprocessable):
            if first := idempotency and idempotency.read_response(self.dynamodb, self.table, now // times.SECOND):
                return first, True
            if cached:  # Another writer may have moved the job since: judge by what is stored.
                self.forget(key)
                raise Cancelled([]) from None
            raise
        response = {"accepted": len(events), "lastSequence": snapshot.job.sequence}
        beside = list(DependencyStore(self.dynamodb, self.table).change_actions(key, events, self._beside(now)))
        return write_once(
            self.table,
            idempotency,
            response,
            now // times.SECOND,
            lambda actions: self._write(item, before, snapshot, changed, now, [*beside, *actions]),
        )

    def _stall(self, key: JobKey, timer: Timer) -> bool:
        item = read_snapshot_item(self.dynamodb, self.table, key)
        snapshot, now = decode_snapshot(key, item), self.now()
        before = copy(snapshot.job)
        if before.deadline is None or before.deadline >= now:
            return False
        self._write(item, before, snapshot, stall(snapshot.job, now), now, [timer.delete_action(self.table)])
        return True

    def _write(
        self,
        item: Item,
        before: Job,
        snapshot: Snapshot,
        changed: tuple[list[Applied], list[Record]],
        now: int,
        beside: "Sequence[TransactWriteItemTypeDef]",
    ) -> None:
        """Write the job's next version and all that belongs to it, if `item` is still what is stored.

        Raises:
            Cancelled: it is not, or another writer or a limit was in the way.
        """
        version, mark = self._version(snapshot, now), write_marks.new_mark()
        timers = [*self._transition(before, snapshot), *self._keeping(item, before, snapshot, now)]
        parts = [*version.parts(*changed, now), *timers]
        snapshot.marks = write_marks.added(snapshot.marks, mark)
        written = version.attributes()
        try:
            commit(self.dynamodb, [version.update(written), *parts, *beside], mark)
        except Cancelled as cancelled:
            self._learn(snapshot.key, cancelled)
            raise
        self._remember(snapshot.key, {**item, **written})

    def _transition(self, before: Job, snapshot: Snapshot) -> "Iterator[TransactWriteItemTypeDef]":
        """What a change of the job's standing writes beside it: a completion is counted, a heartbeat watched."""
        job = snapshot.job
        if job.status is JobStatus.COMPLETED and before.status is not JobStatus.COMPLETED:
            yield from self._past.completion_actions(
                snapshot.key, job, self.retention.snapshot(self.now() // times.SECOND)
            )
        if job.deadline is not None and before.deadline is None:
            yield Timer.for_heartbeat(snapshot.key, job.deadline).put_action(self.table, self.retention.seconds)

    def _keeping(self, item: Item, before: Job, snapshot: Snapshot, now: int) -> "Iterator[TransactWriteItemTypeDef]":
        """From time to time, and once the retention has grown, have what the job wrote earlier kept for longer."""
        job = snapshot.job
        due = now - max(job.kept_at, job.created_at) >= self.retention.pass_seconds * times.SECOND
        if due or self.retention.grown(int(item["exp"]["N"]), before.updated_at // times.SECOND):
            job.kept_at = now
            yield Timer(EXTENSION, snapshot.key, now // times.SECOND).put_action(self.table, self.retention.seconds)

    def _version(self, snapshot: Snapshot, now: int) -> Version:
        return Version(self.table, snapshot, self.retention.snapshot(now // times.SECOND), self._beside(now))

    def _beside(self, now: int) -> int:
        return self.retention.beside(now // times.SECOND)

    @property
    def _past(self) -> PastDurationStore:
        return PastDurationStore(self.dynamodb, self.table)

    def _learn(self, key: JobKey, cancelled: Cancelled) -> None:
        """Remember the version that was in the way; of one that is not told, nothing."""
        if newer := cancelled.current_item(snapshot_key(key)):
            self._remember(key, newer)
        elif cancelled.refusal_at(0) or not cancelled.refusals:
            self.forget(key)

    def _create(
        self,
        actions: "Sequence[TransactWriteItemTypeDef]",
        by_id: Idempotency,
        response: Json,
        idempotency: Idempotency | None,
        now: int,
    ) -> tuple[Json, bool]:
        def write(more: "Sequence[TransactWriteItemTypeDef]") -> None:
            commit(self.dynamodb, [*actions, *more])

        try:
            return write_once(self.table, idempotency, response, now, write)
        except Cancelled as cancelled:
            if not cancelled.refusals:
                raise
            with suppress(IdempotencyMismatch):
                if (first := by_id.response_in(cancelled)) is not None:
                    return first, True
            raise Conflict("A job of this id exists and was made by another request.") from cancelled

    def _remember(self, key: JobKey, item: Item) -> None:
        self._cache.pop(key, None)
        while len(self._cache) >= _CACHED_SNAPSHOTS:
            self._cache.pop(next(iter(self._cache)), None)
        self._cache[key] = item

    def forget(self, key: JobKey) -> None:
        """Read the job anew at the next batch, as a process that has not yet written to it does."""
        self._cache.pop(key, None)

    @property
    def retention(self) -> Retention:
        """How long jobs are kept."""
        return Retention.days(self.retention_days)
