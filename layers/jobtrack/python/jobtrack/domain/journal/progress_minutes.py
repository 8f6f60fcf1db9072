"""The last progress of each clock minute and stage, which is what a timeline by minutes shows.

The newest minute of a stage is open: it is kept in the job, and becomes a record once a newer one begins or the stage
ends. A late update of an older minute is a record at once, so that a minute may have several: the one of the greatest
time (then sequence) is its last.
"""

from collections.abc import Sequence

from jobtrack import times
from jobtrack.domain.job import Job, Json
from jobtrack.domain.journal.journal import Family, Record

Minute = tuple[str | None, int]


def add(job: Job, stage: str | None, moment: int, shown: Json) -> list[Record]:
    """Take one update in (`None`: of the whole job), as the job's present sequence; answers what is no longer open."""
    update = {"time": moment, "sequence": job.sequence, "body": shown}
    held = job.progress_minutes.get(stage or "")
    if held and moment // times.MINUTE < held["time"] // times.MINUTE:
        return [_record(update)]
    if held and moment < held["time"]:
        return []
    job.progress_minutes[stage or ""] = update
    return [_record(held)] if held and moment // times.MINUTE > held["time"] // times.MINUTE else []


def close(job: Job) -> list[Record]:
    """End every open minute."""
    closed = open_minutes(job)
    job.progress_minutes = {}
    return closed


def close_stage(job: Job, stage: str) -> list[Record]:
    """End the stage's open minute, if there is one."""
    held = job.progress_minutes.pop(stage, None)
    return [_record(held)] if held else []


def open_minutes(job: Job) -> list[Record]:
    """What the journal does not hold yet."""
    return [_record(held) for held in job.progress_minutes.values()]


def settled(records: Sequence[Record], more: bool) -> list[Record]:
    """Of records in order of place, those that are shown: of each minute and stage only the last progress.

    Where more records follow, the list ends before the first progress that one of them may still replace.
    """
    last = {minute_of(record): record.place for record in records if record.family is Family.MINUTE_PROGRESS}
    reached = records[-1].time // times.MINUTE if records else 0
    found: list[Record] = []
    for record in records:
        if record.family is Family.MINUTE_PROGRESS:
            if record.place != last[minute_of(record)]:
                continue
            if more and record.time // times.MINUTE == reached:
                break
        found.append(record)
    return found


def minute_of(record: Record) -> Minute:
    """The stage and the clock minute of a progress."""
    return record.body.get("stage"), record.time // times.MINUTE


def _record(update: Json) -> Record:
    return Record(Family.MINUTE_PROGRESS, update["time"], update["sequence"], update["body"])
