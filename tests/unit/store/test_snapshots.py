"""A stored job has all its members, whether or not they have their default values."""

from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct, ValidationError

from jobtrack.domain.job import Job, JobStatus, Json, Priority, Stage, StageStatus
from jobtrack.domain.journal.journal import Journal
from jobtrack.domain.journal.packing import pack, unpack
from jobtrack.domain.past_durations import PastDurations
from jobtrack.store.snapshots import State
from jobtrack.times import Micros
from tests.unit.job_builders import queued

INTEGERS = st.integers(-(2**53), 2**53)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
OBJECTS = st.dictionaries(st.text(), st.none() | st.booleans() | INTEGERS | FLOATS | st.text() | st.lists(st.text()))
MEMBERS: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(),
    int: INTEGERS,
    Micros: INTEGERS,
    float: FLOATS,
    bool: st.booleans(),
    Json: OBJECTS,
    Priority: st.sampled_from(["Critical", "High", "Normal", "Low"]),
    JobStatus: st.sampled_from(JobStatus),
    StageStatus: st.sampled_from(StageStatus),
    PastDurations: st.builds(PastDurations, INTEGERS, FLOATS, st.none() | FLOATS, st.lists(FLOATS)),
    dict[str, str]: st.dictionaries(st.text(), st.text()),
    dict[str, Json]: st.dictionaries(st.text(), OBJECTS),
    dict[str, list[int | float]]: st.dictionaries(st.text(), st.lists(INTEGERS | FLOATS)),
    list[float]: st.lists(FLOATS),
    type(None): st.none(),
}


def values(kind: type[Struct]) -> st.SearchStrategy[Any]:
    members = {name: member(hint) for name, hint in get_type_hints(kind).items()}
    return st.fixed_dictionaries({}, optional=members).map(lambda given: build(kind, given))


def member(hint: Any) -> st.SearchStrategy[Any]:
    kinds = [hint] if hint in MEMBERS else hint.__args__
    return st.one_of(*(MEMBERS[kind] for kind in kinds))


def build(kind: type[Struct], members: dict[str, Any]) -> Struct:
    required = {"name": "", "job_id": "", "type": "", "created_at": 0} if kind is Job else {"name": ""}
    return kind(**{**required, **members})


MEMBERS[list[Stage]] = st.lists(values(Stage), max_size=3)


@given(values(Job))
def test_a_stored_job_is_the_same_job(job: Job) -> None:
    stored = unpack(pack(State(job, Journal().stored())), State)
    assert stored.job == job


def test_a_count_stays_an_integer() -> None:
    job = queued()
    job.usage["memoryBytes"] = [1, 3.5, 2**33]
    assert [type(number) for number in unpack(pack(job), Job).usage["memoryBytes"]] == [int, float, int]


def test_members_at_their_defaults_are_not_stored() -> None:
    assert unpack(pack(Stage("Load"))) == {"name": "Load"}


def test_unknown_members_are_ignored_and_wrong_types_refused() -> None:
    assert unpack(pack({"name": "Load", "later": 1}), Stage) == Stage("Load")
    with pytest.raises(ValidationError, match="progress"):
        unpack(pack({"name": "Load", "progress": "half"}), Stage)
