"""Parsing of events: which bodies are valid, and what the lifecycle receives."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from jobtrack import limits
from jobtrack.api.schemas import fields
from jobtrack.api.schemas.events import EventBatch
from jobtrack.api.schemas.jobs import JobRequest
from jobtrack.api.validation_errors import faults, summary
from jobtrack.domain.events import Event
from jobtrack.times import Micros
from tests.unit.job_builders import START

ARRIVAL = Micros(START + 7)


def reported(*events: object) -> list[Event]:
    body = {"events": list(events)}
    return EventBatch.model_validate(body).reported(body, ARRIVAL)


def refused(body: Any, model: type[EventBatch | JobRequest] = EventBatch) -> dict[str, str]:
    """Return the errors by pointer."""
    with pytest.raises(ValidationError) as error:
        model.model_validate(body)
    located = [{**each, "loc": ("body", *each["loc"])} for each in error.value.errors()]
    return {fault.pointer: fault.detail for fault in faults(located, body)}


def test_data_come_as_they_were_reported_and_times_default_to_the_arrival() -> None:
    told = {"stageName": "A", "metrics": {"models": 3}, "algorithm": "Alpha Miner"}
    first, second = reported(
        {"type": "stageStarted", "data": told, "time": "2024-01-20T19:30:00+09:00"}, {"type": "heartbeat"}
    )
    assert first == Event("stageStarted", START, told)
    assert second == Event("heartbeat", Micros(ARRIVAL), {})


def test_of_samples_and_quality_only_known_figures_are_kept() -> None:
    sample, quality = reported(
        {"type": "metricSample", "data": {"cpuUsage": 67, "iops": None, "mine": [1] * 100}},
        {"type": "quality", "data": {"validationsPassed": 15, "mine": {}}},
    )
    assert sample.data == {"cpuUsage": 67}
    assert quality.data == {"validationsPassed": 15}


@pytest.mark.parametrize("kind", ["jobStarted", "jobCompleted", "jobCancelled", "heartbeat"])
def test_events_without_needs_take_no_data_null_and_nothing(kind: str) -> None:
    for event in ({"type": kind}, {"type": kind, "data": None}, {"type": kind, "data": {}}):
        assert reported(event)[0].data == {}


def data(kind: str, **members: object) -> dict[str, object]:
    return {"type": kind, "data": members}


@pytest.mark.parametrize(
    ("event", "pointer", "detail"),
    [
        (data("log", level="INFO"), "/data/message", "is required"),
        (data("log", level="info", message=""), "/data/level", "must be 'DEBUG', 'INFO', 'WARN' or 'ERROR'"),
        ({"type": "log", "data": 5}, "/data", "must be an object"),
        ({"type": "log"}, "/data", "is required"),
        ({}, "/type", "is required"),
        (None, "", "must be an object"),
        ({"type": "heartbeat", "time": 1705746600}, "/time", "must be an RFC 3339 time with an offset, as a string"),
        (data("progressUpdate", progress="5"), "/data/progress", "must be a number"),
        (data("progressUpdate", progress=100.5), "/data/progress", "must be at most 100"),
        (data("progressUpdate", progress=-0.5), "/data/progress", "must be at least 0"),
        (data("progressUpdate"), "/data", "needs progress or recordsProcessed"),
        (data("progressUpdate", progress=1, details=[]), "/data/details", "must be an object, or must be a string"),
        (data("metricSample", memoryBytes=2**53 + 1), "/data/memoryBytes", "must be at most 9007199254740992"),
        (data("metricSample", memoryBytes=False), "/data/memoryBytes", "must be an integer"),
        (
            data("jobStarted", resourcesAllocated={"memoryGB": 0}),
            "/data/resourcesAllocated/memoryGB",
            "must be greater than 0",
        ),
        (data("stageStarted", stageName=""), "/data/stageName", "must be at least 1 character long"),
        (data("stageStarted", stageName="x" * 201), "/data/stageName", "must be at most 200 characters long"),
        (data("stageStarted", stage_name="A"), "/data/stageName", "is required"),
        ({"error": {"description": 1}, **data("error", description=1)}, "/data/description", "must be a string"),
        ({"x": "x" * 65536, **data("heartbeat")}, "", "must be at most 65536 bytes, is 65573"),
    ],
)
def test_each_wrong_value_is_pointed_at_and_told_once(event: object, pointer: str, detail: str) -> None:
    assert refused({"events": [{"type": "heartbeat"}, event]}) == {f"/events/1{pointer}": detail}


def test_metrics_that_come_with_progress_are_checked() -> None:
    data = {"progress": 5, "metrics": {"bottlenecksIdentified": 8}}
    EventBatch.model_validate({"events": [{"type": "progressUpdate", "data": data}]})
    with pytest.raises(ValidationError, match="metrics"):
        EventBatch.model_validate({"events": [{"type": "progressUpdate", "data": {**data, "metrics": [1]}}]})


def test_an_unknown_type_is_told_the_known_ones() -> None:
    for kind in ("type", "jobQueued", 5):
        ((pointer, detail),) = refused({"events": [{"type": kind}]}).items()
        assert pointer == "/events/0/type"
        assert "'jobStarted', 'stageStarted'," in detail


def test_every_wrong_value_is_told_and_the_first_few_summed_up() -> None:
    found = refused({"events": [{"type": "log", "data": {}}, {"type": "quality", "data": 1}, {"type": "no"}]})
    assert list(found) == ["/events/0/data/level", "/events/0/data/message", "/events/1/data", "/events/2/type"]


def test_the_summary_names_three_and_counts_the_rest() -> None:
    with pytest.raises(ValidationError) as error:
        EventBatch.model_validate({"events": [{}, {}, {}, {}, {}]})
    located = [{**each, "loc": ("body", *each["loc"])} for each in error.value.errors()]
    told = summary(faults(located, {"events": [{}] * 5}))
    assert told == "/events/0/type is required; /events/1/type is required; /events/2/type is required; and 2 more."


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ([], {"": "must be an object"}),
        ({}, {"/events": "is required"}),
        ({"events": "x"}, {"/events": "must be a list"}),
        ({"events": []}, {"/events": "must have at least 1 item"}),
        ({"events": [{"type": "heartbeat"}] * 501}, {"/events": "must have at most 500 items, has 501"}),
    ],
)
def test_a_body_that_is_no_batch(body: object, found: dict[str, str]) -> None:
    assert refused(body) == found


@pytest.mark.parametrize(
    ("member", "found"),
    [
        ({"jobId": "x"}, {"/jobId": "must be a GUID"}),
        ({"stages": [{"stageName": "A", "labels": {"ja": 1}}]}, {"/stages/0/labels/ja": "must be a string"}),
        ({"stages": [{"stageName": "A"}, {"stageName": "A"}]}, {"": "stages must have different names"}),
        (
            {"resources": [{"resourceType": "t", "resourceId": 1, "type": "resourceId"}]},
            {"/resources/0/resourceId": "must be a string"},
        ),
        ({"metadata": {"a": "x" * 8192}}, {"/metadata": "must be at most 8192 bytes in UTF-8, is 8200"}),
        ({"jobName": None}, {"/jobName": "is required"}),
    ],
)
def test_a_job_out_of_contract(member: dict[str, object], found: dict[str, str]) -> None:
    assert refused({"jobName": "n", "jobType": "t", **member}, JobRequest) == found


def test_a_pointer_escapes_what_json_pointers_escape() -> None:
    error = {"type": "string_type", "loc": ("body", "a/b~c", 0), "msg": ""}
    assert faults([error], {"a/b~c": [5]})[0].pointer == "/a~1b~0c/0"


@given(
    st.recursive(
        st.none() | st.integers(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    )
)
def test_depth_is_that_of_a_recursive_walk(value: object) -> None:
    def walk(part: object) -> int:
        children = list(part.values()) if isinstance(part, dict) else part if isinstance(part, list) else None
        return 0 if children is None else 1 + max(map(walk, children), default=0)

    assert fields.depth(value) == walk(value)


def test_no_depth_is_too_deep_to_measure() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert fields.depth(deep) == 100_001


@given(st.integers(0, 40), st.booleans())
def test_details_may_be_32_levels_deep(levels: int, in_list: bool) -> None:
    inner: Any = 1
    for _ in range(levels):
        inner = [inner] if in_list else {"a": inner}
    event = {"type": "milestone", "data": {"description": "d", "details": {"a": inner}}}
    if levels < limits.DETAILS_DEPTH:
        assert reported(event)[0].data == event["data"]
    else:
        assert list(refused({"events": [event]})) == ["/events/0/data/details"]
