"""What is stored about the resources and conditions that a job reports."""

import random
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from jobtrack import limits
from jobtrack.domain.dependencies import ReportedChanges
from jobtrack.domain.events import Event
from jobtrack.domain.journal.packing import unpack
from jobtrack.keys import JobKey
from jobtrack.store.dependencies import DependencyStore
from jobtrack.times import Micros
from tests.unit.job_builders import START
from tests.unit.memory_table import Table

KEY = JobKey("t", "p", "j")


def resource(kind: str, number: int, moment: int = START) -> Event:
    return Event(kind, Micros(moment), {"resourceType": "GPU", "resourceId": f"{number}"})


def condition(kind: str, text: str, moment: int = START) -> Event:
    return Event(kind, Micros(moment), {"condition": text})


changes = st.lists(
    st.builds(resource, st.sampled_from(["resourceAllocated", "resourceReleased"]), st.integers(0, 140))
    | st.builds(condition, st.sampled_from(["blocked", "unblocked"]), st.integers(0, 140).map(str)),
    max_size=300,
)


@given(changes, st.integers(1, 40))
def test_the_last_report_of_each_counts_and_of_too_many_those_that_are_over_go_first(
    events: list[Event], size: int
) -> None:
    changed = ReportedChanges()
    last: dict[str, tuple[int, str]] = {}
    for start in range(0, len(events), size):
        changed.apply(events[start : start + size])
    for place, event in enumerate(events):
        if "resourceId" in event.data:
            last[event.data["resourceId"]] = place, event.type
    shown = {each["resourceId"]: each["status"] for each in changed.resources}
    words = {"resourceAllocated": "Allocated", "resourceReleased": "Released"}
    assert all(status == words[last[name][1]] for name, status in shown.items())
    assert len(shown) == min(limits.RELATIONS, len(last))
    assert list(shown) == sorted(shown, key=lambda name: last[name][0]), "in the order of the last reports"
    assert len(changed.conditions) <= limits.RELATIONS


def test_a_job_that_holds_a_hundred_forgets_none_of_them_for_what_it_gave_back() -> None:
    changed = ReportedChanges()
    changed.apply(resource("resourceAllocated", number) for number in range(99))
    for number in range(200, 260):
        changed.apply([resource("resourceAllocated", number), resource("resourceReleased", number)])
    assert [each["resourceId"] for each in changed.resources] == [*map(str, range(99)), "259"]


def test_texts_that_are_too_long_together_leave_the_last_reported() -> None:
    table = Table()
    store = DependencyStore(table, "jobs")  # type: ignore[arg-type]
    rng = random.Random(1)
    texts = ["".join(chr(rng.randrange(0x4E00, 0x9FFF)) for _ in range(680)) for _ in range(200)]
    events = [
        Event("unblocked", START, {"condition": texts[number], "resolution": texts[100 + number]})
        for number in range(100)
    ]
    action: dict[str, Any]
    (action,) = cast("Any", store.change_actions(KEY, events, START))
    packed = action["Put"]["Item"]["d"]["B"]
    assert len(packed) <= limits.CHUNK_BYTES
    kept = [each["condition"] for each in unpack(packed)["conditions"]]
    assert kept == texts[100 - len(kept) : 100]
    assert len(kept) >= 50


def test_a_batch_that_changes_nothing_reads_and_writes_nothing() -> None:
    asked: list[None] = []
    store = DependencyStore(Table(lambda: asked.append(None)), "jobs")  # type: ignore[arg-type]
    assert list(store.change_actions(KEY, [Event("heartbeat", START, {})], START)) == []
    assert asked == []
