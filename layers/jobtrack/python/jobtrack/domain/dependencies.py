"""What a job waits for: other jobs, resources and conditions, as declared at its creation and as reported since."""

from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct, field

from jobtrack import limits
from jobtrack.domain.events import Event
from jobtrack.domain.job import Job, Json

ConditionStatus = Literal["Active", "Resolved"]

_RESOURCE_STATUS = {"resourceAllocated": "Allocated", "resourceReleased": "Released"}
_CONDITION_STATUS: dict[str, ConditionStatus] = {"blocked": "Active", "unblocked": "Resolved"}
CHANGE_EVENTS = frozenset({*_RESOURCE_STATUS, *_CONDITION_STATUS})
"""The events that change a resource or a condition."""


class ReportedChanges(Struct):
    """The last report of each resource and condition, in the order of the reports.

    The number of resources is limited, and so is the number of conditions. Beyond the limit, entries are removed:
    released resources and resolved conditions first, then the oldest.
    """

    resources: list[Json] = field(default_factory=list)
    conditions: list[Json] = field(default_factory=list)

    def apply(self, events: Iterable[Event]) -> None:
        """Apply events in their order; events that change neither a resource nor a condition are ignored."""
        for event in events:
            if event.type in _RESOURCE_STATUS:
                self._apply_resource(event)
            elif event.type in _CONDITION_STATUS:
                self._apply_condition(event)
        self.trim(limits.RELATIONS)

    def trim(self, limit: int) -> None:
        """Keep at most `limit` resources and `limit` conditions."""
        self.resources = _trim(self.resources, "releasedAt", limit)
        self.conditions = _trim(self.conditions, "resolvedAt", limit)

    def _apply_resource(self, event: Event) -> None:
        names = ("resourceType", "resourceId", "resourceName", "status")
        reported = {name: event.data[name] for name in names if event.data.get(name) is not None}
        before = _pop(self.resources, reported, "resourceType", "resourceId")
        at = "allocatedAt" if event.type == "resourceAllocated" else "releasedAt"
        times = {"allocatedAt": before.get("allocatedAt"), "releasedAt": None, at: event.time}
        self.resources.append(before | {"status": _RESOURCE_STATUS[event.type]} | reported | times)

    def _apply_condition(self, event: Event) -> None:
        reported = {"condition": event.data["condition"], "resolution": event.data.get("resolution")}
        _pop(self.conditions, reported, "condition")
        resolved_at = event.time if event.type == "unblocked" else None
        self.conditions.append(reported | {"status": _CONDITION_STATUS[event.type], "resolvedAt": resolved_at})


class Relations(Struct):
    """The resources and conditions of a job: as declared at its creation, and the changes reported since."""

    resources: list[Json] = field(default_factory=list)
    conditions: list[Json] = field(default_factory=list)
    changed: ReportedChanges = field(default_factory=ReportedChanges)


class Edge(Struct, frozen=True):
    """A job that waits for another, `distance` steps away from the job of the request."""

    prerequisite: str
    dependent: str
    reason: str | None
    distance: int


class Graph(Struct):
    """The jobs that a job waits for, directly or indirectly (`above`), and the jobs that wait for it (`below`).

    Args:
        jobs: the jobs by id, in the order in which they were found; `None` if a job is no longer stored.
        complete: whether the graph has all related jobs. If not, the limit of a response was reached.
    """

    jobs: dict[str, Job | None]
    above: list[Edge] = field(default_factory=list)
    below: list[Edge] = field(default_factory=list)
    complete: bool = True

    def add_jobs(self, job_ids: Iterable[str]) -> list[str]:
        """Add jobs without their state, up to the limit of the graph. Return the added jobs."""
        new = [job_id for job_id in dict.fromkeys(job_ids) if job_id not in self.jobs]
        room = max(0, limits.GRAPH_JOBS - len(self.jobs))
        self.complete = self.complete and len(new) <= room
        self.jobs |= dict.fromkeys(new[:room])
        return new[:room]


def _pop(entries: list[Json], reported: Json, *names: str) -> Json:
    """Remove and return the entry whose values of these names are as reported, or return an empty entry."""
    for index, entry in enumerate(entries):
        if all(entry[name] == reported[name] for name in names):
            return entries.pop(index)
    return {}


def _trim(entries: Sequence[Json], end: str, limit: int) -> list[Json]:
    surplus = len(entries) - limit
    if surplus <= 0:
        return list(entries)
    # Ended entries are removed first, then the oldest.
    order = sorted(range(len(entries)), key=lambda index: (entries[index][end] is None, index))
    removed = set(order[:surplus])
    return [entry for index, entry in enumerate(entries) if index not in removed]
