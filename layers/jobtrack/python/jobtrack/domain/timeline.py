"""Which records of the journal a timeline shows."""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from jobtrack.domain.journal.progress_minutes import without_replaced
from jobtrack.domain.journal.records import Family, Record

RESOURCE_CHANGES = frozenset({"resourceAllocated", "resourceReleased"})

Granularity = Literal["seconds", "minutes", "major_events"]

_PROGRESS: dict[Granularity, tuple[Family, ...]] = {
    "seconds": (Family.PROGRESS,),
    "minutes": (Family.MINUTE_PROGRESS,),
    "major_events": (),
}


class Scope(Struct, frozen=True):
    """The query of a timeline.

    Args:
        granularity: which progress updates: all (`seconds`), the last of each minute and stage (`minutes`), or none
            (`major_events`).
        sub_events: whether to show log lines of level WARN or ERROR and changes of resources.
    """

    granularity: Granularity = "minutes"
    sub_events: bool = False

    @property
    def families(self) -> tuple[Family, ...]:
        """The families of the journal to read."""
        logs = (Family.WARN, Family.ERROR) if self.sub_events else ()
        return (Family.EVENT, *_PROGRESS[self.granularity], *logs)

    def select(self, records: Sequence[Record], more: bool) -> list[Record]:
        """Return the records to show. If `more` follow, stop before the first record that they may replace."""
        return [record for record in without_replaced(records, more) if self._shows(record)]

    def _shows(self, record: Record) -> bool:
        return self.sub_events or record.family is not Family.EVENT or record.body["type"] not in RESOURCE_CHANGES
