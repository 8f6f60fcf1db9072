"""The last progress of each clock minute and stage, for timelines by minutes.

The newest minute of a stage is open: the job stores it, and it becomes a record when a newer one begins or the stage
ends. A late update of an older minute becomes a record at once, so a minute may have several records; the last is the
one with the latest time, then sequence.
"""

from collections.abc import Sequence

from jobtrack import times
from jobtrack.domain.job import Job, Json
from jobtrack.domain.journal.records import Family, Record
from jobtrack.times import Micros

Minute = tuple[str | None, int]


def add(job: Job, stage: str | None, moment: Micros, body: Json) -> list[Record]:
    """Add an update of a stage (`None`: the whole job) at the job's current sequence. Return the completed records."""
    update = {"time": moment, "sequence": job.sequence, "body": body}
    last = job.progress_minutes.get(stage or "")
    if last and moment // times.MINUTE < last["time"] // times.MINUTE:
        return [_record(update)]
    if last and moment < last["time"]:
        return []
    job.progress_minutes[stage or ""] = update
    return [_record(last)] if last and moment // times.MINUTE > last["time"] // times.MINUTE else []


def close(job: Job) -> list[Record]:
    """Complete every open minute, and return their records."""
    closed = open_minutes(job)
    job.progress_minutes = {}
    return closed


def close_stage(job: Job, stage: str) -> list[Record]:
    """Complete the open minute of a stage, if there is one, and return its record."""
    last = job.progress_minutes.pop(stage, None)
    return [_record(last)] if last else []


def open_minutes(job: Job) -> list[Record]:
    """Return the records of the open minutes, which are not in the journal yet."""
    return [_record(update) for update in job.progress_minutes.values()]


def without_replaced(records: Sequence[Record], more: bool) -> list[Record]:
    """Return the records without progress that a later update of the same minute and stage replaces.

    The records are in the order of their time. If `more` records follow, the result ends before the first progress that
    one of these may still replace.
    """
    last = {minute_of(record): record.place for record in records if record.family is Family.MINUTE_PROGRESS}
    last_minute = records[-1].time // times.MINUTE if records else 0
    remaining: list[Record] = []
    for record in records:
        if record.family is Family.MINUTE_PROGRESS:
            if record.place != last[minute_of(record)]:
                continue
            if more and record.time // times.MINUTE == last_minute:
                break
        remaining.append(record)
    return remaining


def minute_of(record: Record) -> Minute:
    """Return the stage and the clock minute of a progress record."""
    return record.body.get("stage"), record.time // times.MINUTE


def _record(update: Json) -> Record:
    return Record(Family.MINUTE_PROGRESS, update["time"], update["sequence"], update["body"])
