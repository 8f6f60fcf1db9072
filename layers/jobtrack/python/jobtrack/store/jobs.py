"""Writes jobs to DynamoDB: each batch of events is one conditional transaction."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from msgspec import field

from jobtrack import times
from jobtrack.domain.events import AppliedEvent, Event
from jobtrack.domain.job import JobStatus
from jobtrack.domain.journal.records import Record
from jobtrack.domain.lifecycle import apply
from jobtrack.domain.stalled import is_overdue, mark_stalled, report_deadline
from jobtrack.errors import Conflict, IdempotencyMismatch, InvalidTransition, Unprocessable, UnreadableFormat
from jobtrack.keys import JobKey
from jobtrack.retry import RETRY, Retry
from jobtrack.store import open_job_counters, write_marks
from jobtrack.store.dependencies import DependencyStore
from jobtrack.store.idempotency import Idempotency, Response, creation, write_once
from jobtrack.store.job_reader import JobReader
from jobtrack.store.job_versions import JobDraft, NextVersion
from jobtrack.store.past_durations import PastDurationStore
from jobtrack.store.snapshots import Snapshot, read_snapshot_item, snapshot_key
from jobtrack.store.timers import EXTENSION, RETENTION, Timer
from jobtrack.store.too_many_requests import write_with_retries
from jobtrack.store.transactions import Cancelled, Item, commit
from jobtrack.store.ttl import Retention, decode_job_expiry
from jobtrack.times import Micros

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from jobtrack.views.responses.events import Accepted

_MAX_CACHED_SNAPSHOTS = 256


class JobStore(JobReader, eq=False):
    """Reads and writes jobs. Several threads and processes may write to the same job at once.

    The newest version of each job is cached, so that a batch usually needs no read. A cached version may be outdated:
    the condition of the write then fails, and returns the stored version, and the write is retried with it.
    """

    retention_days: int = 90
    now: Callable[[], Micros] = times.now
    retry: Retry = RETRY
    _cache: dict[JobKey, Item] = field(default_factory=dict)

    def create(
        self,
        snapshot: Snapshot,
        fingerprint: str,
        response: Response,
        idempotency: Idempotency | None = None,
        actions: "Sequence[TransactWriteItemTypeDef]" = (),
        write_ahead: Callable[[], None] = lambda: None,
    ) -> tuple[Response, bool]:
        """Write a new job; return the response, and whether it is that of an earlier request.

        Args:
            snapshot: the job, queued; its creation becomes the event `jobQueued`.
            fingerprint: the hash of the request body: the same job id with the same fingerprint is the same request.
            response: the response if this is the first request.
            idempotency: the client's key, if it sent one.
            actions: more actions of the same transaction.
            write_ahead: writes the items that must exist before the job; it is called right before the job is written.

        Raises:
            Conflict: another request created a job with this id.
            IdempotencyMismatch: the key was used for another job.
            JobBusy: other writers were faster until the time limit.
        """
        draft = JobDraft({}, snapshot.job, snapshot, self.now())
        self._past_durations.add_past_durations(snapshot.key, snapshot.job)
        applied, records = apply(snapshot.job, [Event("jobQueued", snapshot.job.created_at, {})], draft.now)
        version = self._version(draft)
        by_id = creation(snapshot.key, fingerprint, self.retention.item_seconds)
        parts = [*version.beside_actions(applied, records, draft.now), *actions]
        attributes = version.attributes()
        counting = self._counting_actions(draft, attributes)
        by_id_put = by_id.put_action(self.table, response, draft.now)
        all_actions = [version.create_action(attributes), *parts, *counting, by_id_put]
        write_ahead()
        return write_with_retries(
            self.retry, lambda: self._create(all_actions, by_id, response, idempotency, draft.now)
        )

    def report(
        self, key: JobKey, events: Sequence[Event], idempotency: Idempotency | None = None
    ) -> "tuple[Accepted, bool]":
        """Store a batch of events, all or none; return the response, and whether it is that of an earlier request.

        Raises:
            NotFound: there is no such job.
            InvalidTransition: the job's status does not allow one of the events.
            IdempotencyMismatch: the key was used for another batch.
            JobBusy: other writers were faster until the time limit.
        """
        return write_with_retries(self.retry, lambda: self._report(key, events, idempotency))

    def mark_stalled(self, key: JobKey, timer: Timer) -> bool:
        """Mark a job as stalled and delete its timer, unless it has reported; return whether it is stalled.

        The write replaces the version that was read, so a report that was accepted before always wins.

        Raises:
            NotFound: there is no such job.
            JobBusy: other writers were faster until the time limit.
        """
        return write_with_retries(self.retry, lambda: self._mark_stalled(key, timer))

    def forget(self, key: JobKey) -> None:
        """Remove the job from the cache, so that the next batch reads it."""
        self._cache.pop(key, None)

    @property
    def retention(self) -> Retention:
        """How long jobs are kept."""
        return Retention.days(self.retention_days)

    def _create(
        self,
        actions: "Sequence[TransactWriteItemTypeDef]",
        by_id: Idempotency,
        response: Response,
        idempotency: Idempotency | None,
        now: Micros,
    ) -> tuple[Response, bool]:
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
            raise Conflict("Another request created a job with this id.") from cancelled

    def _report(self, key: JobKey, events: Sequence[Event], idempotency: Idempotency | None) -> "tuple[Accepted, bool]":
        is_cached = key in self._cache
        item = self._cache.get(key) or read_snapshot_item(self.dynamodb, self.table, key)
        try:
            draft = JobDraft.from_item(key, item, self.now())
        except UnreadableFormat:
            self.forget(key)
            raise
        job = draft.snapshot.job
        if job.status is JobStatus.QUEUED and any(event.type == "jobStarted" for event in events):
            self._past_durations.add_past_durations(key, job)
        try:
            changes = apply(job, events, draft.now)
        except (InvalidTransition, Unprocessable):
            if first := idempotency and idempotency.read_response(self.dynamodb, self.table, draft.now):
                return first, True
            if is_cached:  # another writer may have changed the job since: retry with the stored version
                self.forget(key)
                raise Cancelled([]) from None
            raise
        response: Accepted = {"accepted": len(events), "lastSequence": job.sequence}
        dependencies = DependencyStore(self.dynamodb, self.table)
        actions = list(dependencies.change_actions(key, events, self.retention.item_expiry(draft.now)))
        return write_once(
            self.table,
            idempotency,
            response,
            draft.now,
            lambda more: self._write(draft, changes, [*actions, *more]),
        )

    def _mark_stalled(self, key: JobKey, timer: Timer) -> bool:
        draft = JobDraft.from_item(key, read_snapshot_item(self.dynamodb, self.table, key), self.now())
        if not is_overdue(draft.before, draft.now):
            return False
        self._write(draft, mark_stalled(draft.snapshot.job, draft.now), [timer.delete_action(self.table)])
        return True

    def _write(
        self,
        draft: JobDraft,
        changes: tuple[list[AppliedEvent], list[Record]],
        actions: "Sequence[TransactWriteItemTypeDef]",
    ) -> None:
        """Write the job's next version with all other items, if the version that was read is still stored.

        Raises:
            Cancelled: another version is stored, or the transaction was cancelled for another reason.
        """
        snapshot, mark = draft.snapshot, write_marks.new_mark()
        version = self._version(draft)
        # These actions read the job, so they come first: `beside_actions` moves its larger members out.
        beside = [*self._transition_actions(draft), *self._extension_actions(draft)]
        parts = version.beside_actions(*changes, draft.now)
        snapshot.marks = write_marks.add_mark(snapshot.marks, mark)
        attributes = version.attributes()
        try:
            counting = self._counting_actions(draft, attributes)
            commit(self.dynamodb, [version.update_action(attributes), *parts, *beside, *counting, *actions], mark)
        except Cancelled as cancelled:
            self._cache_stored_version(snapshot.key, cancelled)
            raise
        self._cache_item(snapshot.key, {**draft.item, **attributes})

    def _counting_actions(self, draft: JobDraft, attributes: Mapping[str, Any]) -> "Iterator[TransactWriteItemTypeDef]":
        """Update the counters. An open job that was not counted before gets a timer for its expiry."""
        key = draft.snapshot.key
        yield from open_job_counters.change_actions(self.table, key, draft.item, attributes)
        if not draft.snapshot.job.status.ended and not open_job_counters.is_counted(draft.item):
            expires = self.retention.snapshot_expiry(draft.now)
            yield Timer(RETENTION, key, expires).put_action(self.table, self.retention.seconds)

    def _transition_actions(self, draft: JobDraft) -> "Iterator[TransactWriteItemTypeDef]":
        """Count the duration of a completed job. A job that must send heartbeats from now on gets a timer."""
        key, job, before = draft.snapshot.key, draft.snapshot.job, draft.before
        if job.status is JobStatus.COMPLETED and before.status is not JobStatus.COMPLETED:
            yield from self._past_durations.completion_actions(key, job, self.retention.snapshot_expiry(draft.now))
        if (deadline := report_deadline(job)) is not None and report_deadline(before) is None:
            yield Timer.for_heartbeat(key, deadline).put_action(self.table, self.retention.seconds)

    def _extension_actions(self, draft: JobDraft) -> "Iterator[TransactWriteItemTypeDef]":
        """Put a timer for the TTL extension of older items, if it is time for it or if the retention has grown."""
        job = draft.snapshot.job
        seconds = times.seconds_between(max(job.kept_at, job.created_at), draft.now)
        expires = decode_job_expiry(draft.item)
        if seconds >= self.retention.extension_seconds or self.retention.has_grown(expires, draft.before.updated_at):
            job.kept_at = draft.now
            yield Timer(EXTENSION, draft.snapshot.key, draft.now).put_action(self.table, self.retention.seconds)

    def _version(self, draft: JobDraft) -> NextVersion:
        retention, now = self.retention, draft.now
        return NextVersion(self.table, draft.snapshot, retention.snapshot_expiry(now), retention.item_expiry(now))

    @property
    def _past_durations(self) -> PastDurationStore:
        return PastDurationStore(self.dynamodb, self.table)

    def _cache_stored_version(self, key: JobKey, cancelled: Cancelled) -> None:
        """Cache the stored version that made a write fail. If it is unknown, remove the job from the cache."""
        if item := cancelled.current_item(snapshot_key(key)):
            self._cache_item(key, item)
        elif cancelled.refusal_at(0) or not cancelled.refusals:
            self.forget(key)

    def _cache_item(self, key: JobKey, item: Item) -> None:
        self._cache.pop(key, None)
        while len(self._cache) >= _MAX_CACHED_SNAPSHOTS:
            self._cache.pop(next(iter(self._cache)), None)
        self._cache[key] = item
