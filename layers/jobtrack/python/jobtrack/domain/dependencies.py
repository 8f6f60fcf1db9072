"""What a job waits for: other jobs, resources, conditions; as declared, and as reported since."""

from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct, field

from jobtrack import limits
from jobtrack.domain.events import Event
from jobtrack.domain.job import Job, Json

ConditionStatus = Literal["Active", "Resolved"]

_RESOURCES = {"resourceAllocated": "Allocated", "resourceReleased": "Released"}
_CONDITIONS: dict[str, ConditionStatus] = {"blocked": "Active", "unblocked": "Resolved"}
CHANGES = frozenset({*_RESOURCES, *_CONDITIONS})
"""The events that change a resource or a condition."""


class Changed(Struct):
    """The last that was reported of each resource and condition, in the order of their last reports; times in µs.

    Of more than a hundred, those are forgotten first that are released or resolved, and of these the longest ago.
    """

    resources: list[Json] = field(default_factory=list)
    conditions: list[Json] = field(default_factory=list)

    def take(self, events: Iterable[Event]) -> None:
        """Change what the events say, in their order."""
        for event in events:
            if event.type in _RESOURCES:
                self._resource(event)
            elif event.type in _CONDITIONS:
                self._condition(event)
        self.forget(limits.RELATIONS)

    def forget(self, limit: int) -> None:
        """Keep at most so many of each."""
        self.resources = _kept(self.resources, "releasedAt", limit)
        self.conditions = _kept(self.conditions, "resolvedAt", limit)

    def dump(self) -> Json:
        """What to store."""
        return {"resources": self.resources, "conditions": self.conditions}

    def _resource(self, event: Event) -> None:
        names = ("resourceType", "resourceId", "resourceName", "status")
        given = {name: event.data[name] for name in names if event.data.get(name) is not None}
        held = _taken(self.resources, given, "resourceType", "resourceId")
        at = "allocatedAt" if event.type == "resourceAllocated" else "releasedAt"
        allocated = {"allocatedAt": held.get("allocatedAt"), "releasedAt": None, at: event.time}
        self.resources.append(held | {"status": _RESOURCES[event.type]} | given | allocated)

    def _condition(self, event: Event) -> None:
        given = {"condition": event.data["condition"], "resolution": event.data.get("resolution")}
        _taken(self.conditions, given, "condition")
        resolved = event.time if event.type == "unblocked" else None
        self.conditions.append(given | {"status": _CONDITIONS[event.type], "resolvedAt": resolved})


class Relations(Struct):
    """What is stored of a job's resources and conditions: as declared with it, and as changed since."""

    resources: list[Json] = field(default_factory=list)
    conditions: list[Json] = field(default_factory=list)
    changed: Changed = field(default_factory=Changed)


class Edge(Struct, frozen=True):
    """A job waits for another, for what `reason` says; found `distance` steps from the job that was asked about."""

    prerequisite: str
    dependent: str
    reason: str | None
    distance: int


class Graph(Struct):
    """What a job waits for, directly and further up, and what waits for it.

    `jobs` by id, in the order in which they were found; None where a job is not kept any longer. Not `complete` where
    more jobs are related than an answer shows.
    """

    jobs: dict[str, Job | None]
    above: list[Edge] = field(default_factory=list)
    below: list[Edge] = field(default_factory=list)
    complete: bool = True

    def admit(self, job_ids: Iterable[str]) -> list[str]:
        """Take in those of the jobs that are new and for which there is room, their state not known yet."""
        new = [job_id for job_id in dict.fromkeys(job_ids) if job_id not in self.jobs]
        room = max(0, limits.GRAPH_JOBS - len(self.jobs))
        self.complete = self.complete and len(new) <= room
        self.jobs |= dict.fromkeys(new[:room])
        return new[:room]


def _taken(held: list[Json], given: Json, *names: str) -> Json:
    """What is held under the same names, taken out of the list; empty where nothing is."""
    index = next((place for place, each in enumerate(held) if all(each[name] == given[name] for name in names)), None)
    return {} if index is None else held.pop(index)


def _kept(held: Sequence[Json], over: str, limit: int) -> list[Json]:
    surplus = len(held) - limit
    if surplus <= 0:
        return list(held)
    first = sorted(range(len(held)), key=lambda place: (held[place][over] is None, place))
    return [each for place, each in enumerate(held) if place not in set(first[:surplus])]
