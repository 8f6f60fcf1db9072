"""What a timeline shows of a job's journal."""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from jobtrack.domain.journal.journal import Family, Record
from jobtrack.domain.journal.progress_minutes import settled

RESOURCE_CHANGES = frozenset({"resourceAllocated", "resourceReleased"})

Granularity = Literal["seconds", "minutes", "major_events"]

_PROGRESS: dict[Granularity, tuple[Family, ...]] = {
    "seconds": (Family.PROGRESS,),
    "minutes": (Family.MINUTE_PROGRESS,),
    "major_events": (),
}


class Scope(Struct, frozen=True):
    """Which events: every progress (`seconds`), the last of each minute and stage (`minutes`), none (`major_events`).

    Sub-events are log lines of WARN and above and resource changes.
    """

    granularity: Granularity = "minutes"
    sub_events: bool = False

    @property
    def families(self) -> tuple[Family, ...]:
        """The families of the journal that hold them."""
        logs = (Family.WARN, Family.ERROR) if self.sub_events else ()
        return (Family.EVENT, *_PROGRESS[self.granularity], *logs)

    def shown(self, records: Sequence[Record], more: bool) -> list[Record]:
        """Those shown of the records read so far; where `more` follow, only as far as these can change nothing."""
        return [record for record in settled(records, more) if self._shows(record)]

    def _shows(self, record: Record) -> bool:
        return self.sub_events or record.family is not Family.EVENT or record.body["type"] not in RESOURCE_CHANGES
