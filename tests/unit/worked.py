"""Jobs with their journals, as the store would keep them, on the table of one partition."""

from collections.abc import Iterable, Sequence

from jobtrack import times
from jobtrack.domain.events import Event
from jobtrack.domain.job import Job
from jobtrack.domain.journal.journal import Journal, pack_chunk
from jobtrack.domain.lifecycle import apply
from jobtrack.store.journal_reader import JournalReader
from jobtrack.store.snapshots import Snapshot

from .jobs import running
from .journals import KEY, Table


def worked(batches: Iterable[Sequence[Event]], job: Job | None = None) -> tuple[JournalReader, Table, Snapshot]:
    """The job after the batches of events."""
    job, table, journal = job or running("A", "B"), Table(), Journal()
    for batch in batches:
        _, records = apply(job, batch, max(event.time for event in batch))
        for chunk in journal.append(records, job.sequence):
            table.items[chunk.sort_key] = pack_chunk(chunk)
    return JournalReader(table, "jobs"), table, Snapshot(KEY, 1, job, journal)  # type: ignore[arg-type]


def cut(events: Sequence[Event], size: int) -> list[Sequence[Event]]:
    """Batches of so many."""
    return [events[start : start + size] for start in range(0, len(events), size)]


def clock(moment: int) -> str:
    """A moment as in the example's day: `10:32:15`."""
    return times.render(moment)[11:-1]
