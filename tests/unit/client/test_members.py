"""Whatever a program passes, the service accepts what is sent, or the call itself raises."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any, get_args
from uuid import UUID

import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

import jobtrack_client as jt
from jobtrack import limits
from jobtrack.api.schemas import event_data, events, job_queries, jobs
from jobtrack.api.schemas import subscriptions as push
from jobtrack.domain.events import EventName
from jobtrack.domain.job import JobStatus
from jobtrack.views import metrics
from jobtrack_client._api import bodies
from jobtrack_client._runtime import log
from jobtrack_client._values.members import table
from tests.unit.client.service import GUID, QUICK, Service, client

OTHER = "dd0e8400-e29b-41d4-a716-446655440000"


class Colour(StrEnum):
    RED = "red"


class Sulky:
    def __str__(self) -> str:
        raise RuntimeError("no")


ODD: list[Any] = [
    *(None, True, False, 0, 1, -1, 7, 2**53, 2**53 + 1, 2**63, 2**70, 10**400, -(2**70)),
    *(0.0, -0.0, 10.0, 12.5, 1.5e9, 1e300, float("nan"), float("inf"), -float("inf"), 101.5),
    *(Decimal("5.5"), Decimal("NaN"), Decimal("sNaN"), Decimal("1e999"), Fraction(1, 3), Fraction(10**400)),
    *(np.int64(7), np.float32(0.5), np.bool_(True), np.array(3), np.array([1, 2]), np.float64("nan"), np.str_("x")),
    *("", " ", "x", "12", "12.5", "nan", "-3", "high", "\0", "\ud800", "x" * 201, "語" * 3000, "😀\n" * 40_000, b"x"),
    *(
        Colour.RED,
        Sulky(),
        object(),
        datetime(2024, 1, 20, tzinfo=UTC),
        datetime.max,
        datetime.min,
        UUID(GUID),
        OTHER,
        GUID,
    ),
    *([], [None], ["a", "a"], ["a\ud800", "a\udfff"], [1, {}], ("x" * 300, "x" * 299 + "y"), {"a"}, range(300)),
    *({}, {"a": 1}, {1: 2}, {"a": float("nan")}, {"a": "x" * 100_000}, {str(i): i for i in range(5000)}),
    *([{"stage_name": "a", "weight": "2", "expected_seconds": -1, "labels": {"ja": ""}}], [{"job_id": OTHER}] * 2),
    *([{"condition": "c"}], [{"condition": None, "status": "active"}], [{"resource_type": "", "resource_id": None}]),
    [{"resource_type": "t", "resource_id": 7, "last_modified": "2024-01-20"}],
    [{"resource_type": "t", "resource_id": 7, "more": {"a": "x" * 20_000}}],
    [{"subscription_type": "websocket", "events": ["log", "LOG"], "filters": {"min_progress_increment": 7.5}}],
    [{"subscription_type": "webhook", "webhook_url": "https://a.test", "expires_in_seconds": 1e9, "language": "JA"}],
    {"cpu_units": 0, "memory_gb": "8", "worker_node": "n" * 300},
    {"message": 5, "type": Colour.RED, "stack": "x" * 100_000},
]
for _make in (lambda inner: {"in": inner}, lambda inner: [inner]):
    _nested: Any = 1
    for _ in range(40):
        _nested = _make(_nested)
    ODD.append(_nested)
values = st.sampled_from(ODD) | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.text(max_size=3))
REFUSALS = (TypeError, ValueError, jt.ConfigurationError)


class Strict(Service):
    """Accepts only what the service's own models accept."""

    def answer(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        if request.url.path.endswith("/jobs"):
            jobs.JobRequest.model_validate(body)
        elif request.url.path.endswith("/events"):
            events.EventBatch.model_validate(body)
        elif "/worker/" in request.url.path:
            jobs.WorkerHeartbeat.model_validate(body)
            return httpx.Response(204)
        return super().answer(request)


JOB_MEMBERS = {
    "name": "jobName",
    "job_type": "jobType",
    "stages": "stages",
    "description": "jobDescription",
    "priority": "priority",
    "submitted_by": "submittedBy",
    "prerequisites": "prerequisites",
    "resources": "resources",
    "blocking_conditions": "blockingConditions",
    "subscriptions": "subscriptions",
    "metadata": "metadata",
    "heartbeat_seconds": "heartbeatSeconds",
    "estimated_seconds": None,
    "total_records": "totalRecords",
    "resources_allocated": None,
    "job_id": "jobId",
}
DATA = ("name", "job_type", "description", "submitted_by", "total_records")
API = client(lambda request: httpx.Response(500))


def created(**members: Any) -> dict[str, Any]:
    """Return the job that is sent."""
    body = API.job(**{"name": "n", "job_type": "t", **members})._reporter._job.body
    assert body is not None
    jobs.JobRequest.model_validate_json(body)
    parsed: dict[str, Any] = json.loads(body)
    return parsed


@pytest.mark.parametrize("member", JOB_MEMBERS)
def test_a_job_is_sent_as_the_service_takes_it_or_refused_at_once(member: str) -> None:
    for value in ODD:
        try:
            created(**{member: value})
        except REFUSALS:
            # Only what a program writes itself may be refused, not what its data contain.
            assert member not in DATA, value


@given(members=st.fixed_dictionaries({}, optional=dict.fromkeys(JOB_MEMBERS, values)))
@settings(max_examples=200, suppress_health_check=list(HealthCheck))
def test_no_job_is_refused_by_the_service(members: dict[str, Any]) -> None:
    try:
        created(**members)
    except REFUSALS:
        return


@pytest.mark.parametrize(
    ("member", "value", "sent"),
    [
        ("name", "x" * 201, "x" * 150 + "… [51 characters cut, b317db35]"),
        ("name", "", "unnamed"),
        ("job_type", " \n", "unnamed"),
        ("name", "\0", "\0"),
        ("submitted_by", " ", None),
        ("total_records", 10.0, 10),
        ("total_records", 12.5, 12),
        ("total_records", "1200", 1200),
        ("total_records", np.int64(7), 7),
        ("total_records", -1, None),
        ("total_records", float("nan"), None),
        ("heartbeat_seconds", 5, 10),
        ("heartbeat_seconds", 1e9, 86400),
        ("priority", "high", "High"),
        ("metadata", {1: Decimal("5.5")}, {"1": 5.5}),
        (
            "stages",
            ["Load", {"stage_name": "X", "weight": "2"}],
            [{"stageName": "Load"}, {"stageName": "X", "weight": 2}],
        ),
        ("prerequisites", [{"job_id": OTHER.upper()}], [{"jobId": OTHER}]),
        ("blocking_conditions", [{"condition": "c"}], [{"condition": "c", "status": "Active"}]),
        ("job_id", UUID(GUID), GUID),
    ],
)
def test_what_is_sent_of_a_member(member: str, value: Any, sent: Any) -> None:
    assert created(**{member: value}).get(str(JOB_MEMBERS[member])) == sent


def test_long_texts_of_a_job_are_shortened_with_a_mark() -> None:
    job = created(description="d" * 3000, metadata={"note": "m" * 9 * 1024, "n": 1})
    assert "characters cut" in job["jobDescription"]
    assert len(job["jobDescription"].encode()) <= limits.DESCRIPTION_BYTES
    assert "characters cut" in job["metadata"]["note"]
    assert job["metadata"]["n"] == 1


def test_stages_stay_as_many_as_they_are() -> None:
    long = "s" * 199
    names = [f"{long}{end}" for end in ("", "a", "ab", "b" * 100)]
    plan = [stage["stageName"] for stage in created(stages=names)["stages"]]
    assert len(set(plan)) == 4
    service = Strict()
    with client(service) as api, api.job("n", job_type="t", stages=names) as job:
        for name in names:
            with job.stage(name):
                pass
    assert [event["data"]["stageName"] for event in service.events if event["type"] == "stageStarted"] == plan


def test_more_than_the_service_takes_is_cut_off_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    log._WARNED.clear()
    assert len(created(stages=[f"s{i}" for i in range(300)])["stages"]) == 200
    assert "only the first 200 stages are sent" in caplog.text
    created(total_records="many")
    created(total_records="many")
    assert caplog.text.count("the value 'many' of 'total_records' cannot be sent") == 1


@pytest.mark.parametrize(
    ("members", "error", "told"),
    [
        ({"priority": "urgent"}, ValueError, "priority: must be one of Critical, High, Normal, Low, not 'urgent'"),
        ({"stages": "Load"}, TypeError, "stages: must be a list, not 'Load'"),
        ({"stages": {"Load": 1}}, TypeError, "stages: must be a list"),
        ({"stages": 5}, TypeError, "stages: must be a list"),
        ({"stages": [{"name": "Load"}]}, TypeError, "stages: stage_name must be given"),
        ({"metadata": "x"}, TypeError, "metadata: must be a mapping"),
        ({"prerequisites": [{"job_id": "x"}]}, jt.ConfigurationError, "job_id must be a GUID"),
        ({"prerequisites": [{"job_id": GUID}], "job_id": GUID}, ValueError, "cannot wait for itself"),
        ({"resources": [{"resource_type": "t"}]}, TypeError, "resources: resource_id must be given"),
        ({"resources_allocated": 4}, TypeError, "resources_allocated: must be a mapping"),
        ({"subscriptions": [{"subscription_type": "mail"}]}, ValueError, "subscription_type: must be one of webhook"),
        ({"subscriptions": [{"subscription_type": "webhook", "webhook_url": "x" * 3000}]}, ValueError, "has 3000"),
        ({"subscriptions": [{"subscriptionType": "webhook"}]}, TypeError, "subscription_type must be given"),
        ({"jobDescription": "d"}, TypeError, "unknown: jobDescription; allowed: description, "),
        ({"job_id": 5}, jt.ConfigurationError, "job_id must be a GUID, not 5"),
    ],
)
def test_a_mistake_of_the_program_raises_before_anything_is_sent(
    members: dict[str, Any], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        created(**members)


CALLS: dict[str, Callable[[jt.Job, Any], object]] = {
    "log": lambda job, value: job.log("INFO", value, component=value, stage=value, details=value, moment=value),
    "level": lambda job, value: job.log(value, "m"),
    "update": lambda job, value: job.update(value, value, value, value),
    "skip_stage": lambda job, value: job.skip_stage(value),
    "milestone": lambda job, value: job.milestone(value, more=value),
    "warning": lambda job, value: job.warning(value, more=value),
    "error": lambda job, value: job.error(value, more=value),
    "sample": lambda job, value: job.sample(**dict.fromkeys(table(jt.types.Sample), value)),
    "quality": lambda job, value: job.quality(value, value, value),
    "resource_allocated": lambda job, value: job.resource_allocated(value, value, status=value),
    "resource_released": lambda job, value: job.resource_released(value, value, resource_name=value),
    "blocked": lambda job, value: job.blocked(value),
    "unblocked": lambda job, value: job.unblocked(value, value),
    "fail": lambda job, value: job.fail(value, message=value, more=value),
    "stage": lambda job, value: in_stage(job, value),
}


def in_stage(job: jt.Job, value: Any) -> None:
    with job.stage(value, value) as stage:
        stage.advance(value)
        stage.reach(value)
        stage.update(value, value, value, value, value)
        stage.metrics = value
    job.metrics = value


@pytest.mark.parametrize("call", CALLS)
def test_no_event_is_refused_by_the_service_and_no_value_raises(call: str) -> None:
    service = Strict()
    with client(service) as api, api.job("n", job_type="t", options=QUICK) as job:
        for value in ODD:
            CALLS[call](job, value)
        job.log("INFO", "the last")
        assert job.flush(30)
        stats = job.stats
    assert service.messages()[-1] == "the last"
    assert stats.dropped == {}


@given(calls=st.lists(st.tuples(st.sampled_from(sorted(CALLS)), values), max_size=5))
@settings(max_examples=50, suppress_health_check=list(HealthCheck))
def test_no_value_of_any_call_is_refused(calls: list[tuple[str, Any]]) -> None:
    made: list[Any] = []
    with client(Service()) as api:
        job = api.job("n", job_type="t")
        job._reporter.put = made.append
        job._report("jobStarted", {})
        for call, value in calls:
            CALLS[call](job, value)
        job.complete()
    from jobtrack_client._reporting.queued_events import make_line

    bodies = [json.loads(item.body if hasattr(item, "body") else make_line(item).body) for item in made]
    events.EventBatch.model_validate({"events": bodies})


def test_measures_that_the_service_does_not_know_are_refused() -> None:
    with client(Service()) as api, api.job("n", job_type="t") as job:
        with pytest.raises(TypeError, match=r"unknown: loss; allowed: cpu_usage, memory_bytes, .*retries"):
            job.sample(loss=0.3)  # type: ignore[call-arg]
        with pytest.raises(TypeError, match="resource_id"):
            job.resource_allocated("GPU")  # type: ignore[call-arg]


def test_samples_are_converted_and_empty_ones_not_sent() -> None:
    service = Strict()
    with client(service) as api, api.job("n", job_type="t") as job:
        job.sample(memory_bytes=1.5e9, cpu_usage=Decimal("12.5"), retries=None)  # type: ignore[arg-type]
        job.sample(cpu_usage=float("nan"))
        job.quality()
    sent = [event["data"] for event in service.events if event["type"] in ("metricSample", "quality")]
    assert sent == [{"memoryBytes": 1_500_000_000, "cpuUsage": 12.5}]


def test_direct_calls_are_protected_too() -> None:
    service = Strict()
    with client(service) as typed:
        api: Any = typed  # wrong on purpose from here on
        api.create_job("x" * 300, job_type="t", total_records=10.0, metadata={"a": "x" * 9000})
        api.put_worker("n", cpu_units="8", memory_gb=Decimal(32), max_concurrent_jobs=4.0)
        api.report_events(
            GUID, [{"type": "log", "time": datetime(2024, 1, 20), "data": {"level": "info", "message": 5}}]
        )
        with pytest.raises(ValueError, match="priority"):
            api.create_job("n", job_type="t", priority="urgent")
        with pytest.raises(TypeError, match="job_type"):
            api.create_job("n")
        with pytest.raises(TypeError, match="data: unknown: loss; allowed:"):
            api.report_events(GUID, [{"type": "metricSample", "data": {"loss": 0.3}}])
        with pytest.raises(TypeError, match="unknown: jobName; allowed: description, priority"):
            api.create_job("n", job_type="t", jobName=3)
        with pytest.raises(TypeError, match="stages: unknown: expected; allowed: stage_name"):
            api.create_job("n", job_type="t", stages=[{"stage_name": "Load", "expected": 5}])
        with pytest.raises(TypeError, match="must be a mapping, not 'x'"):
            api.report_events(GUID, ["x"])
        with pytest.raises(TypeError, match="unknown: events_names; allowed: subscription_type"):
            api.subscribe(GUID, subscription_type="websocket", events_names=[])
        with pytest.raises(TypeError, match="subscription_type must be given"):
            api.subscribe(GUID, events=[])
        with pytest.raises(TypeError, match="unexpected keyword argument 'lines'"):
            api.logs(GUID, lines=5)
    assert service.messages() == ["5"]


def test_free_form_data_keeps_its_names() -> None:
    free = {"snake_case": 1, "camelCase": {"inner_name": 2}}
    assert created(metadata=free)["metadata"] == free
    service = Strict()
    with client(service) as api, api.job("n", job_type="t", options=QUICK) as job:
        job.log("INFO", "m", details=free)
        job.milestone("half", **free)
        with job.stage("Load") as stage:
            stage.metrics.update(free)
            stage.update(details=free)
        job.metrics.update(free)
        job.fail("no", row_number=3)
    data = {event["type"]: event["data"] for event in service.events if event.get("data")}
    assert [data[type_]["details"] for type_ in ("log", "milestone", "progressUpdate")] == [free] * 3
    assert [data[type_]["metrics"] for type_ in ("stageCompleted", "jobFailed")] == [free] * 2
    assert data["jobFailed"]["error"] == {"message": "no", "row_number": 3}


@pytest.mark.parametrize("character", ["\x01", '"', "\\", "x", "日"])
def test_an_event_of_a_direct_call_fits_though_its_members_are_many(character: str) -> None:
    long = character * 40_000
    error = {"message": long, "trace": long}
    sent: list[Any] = []

    def take(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content))
        return httpx.Response(202, json={"accepted": 2, "lastSequence": 2})

    with client(take) as api:
        failed: jt.types.Event = {"type": "jobFailed", "data": {"error": error, "metrics": {"m": long}}}
        line: jt.types.Event = {"type": "log", "data": {"level": "ERROR", "message": long, "details": {"d": long}}}
        api.report_events(GUID, [failed, line])
    taken = events.EventBatch.model_validate(sent[0]).events
    assert [event.type for event in taken] == ["jobFailed", "log"]
    assert sent[0]["events"][0]["data"]["error"]["message"].startswith(character)


def fields(model: type[BaseModel]) -> set[str]:
    return {str(field.alias or name) for name, field in model.model_fields.items()}


def names(shape: Any) -> set[str]:
    """Return the names of a TypedDict's members in JSON."""
    return {member.wire for member in table(shape).values()}


@pytest.mark.parametrize(
    ("shape", "model"),
    [
        (bodies._Job, jobs.JobRequest),
        (bodies._Worker, jobs.WorkerHeartbeat),
        (jt.types.PlannedStage, jobs.PlannedStage),
        (jt.types.StageLabels, jobs.Labels),
        (jt.types.Prerequisite, jobs.Prerequisite),
        (jt.types.Resource, jobs.Resource),
        (jt.types.BlockingCondition, jobs.BlockingCondition),
        (jt.types.Subscription, push.SubscribeRequest),
        (jt.types.Filters, push.FiltersRequest),
        (jt.types.Authentication, push.Authentication),
        (jt.types.Allocation, event_data.Allocation),
        (jt.types.ResourceData, event_data.ResourceData),
        (jt.types.StartedData, event_data.JobStartedData),
        (jt.types.StageData, event_data.StageData),
        (jt.types.ProgressData, event_data.ProgressData),
        (jt.types.LogData, event_data.LogData),
        (jt.types.Sample, event_data.SampleData),
        (jt.types.QualityData, event_data.QualityData),
        (jt.types.NoteData, event_data.NoteData),
        (jt.types.ConditionData, event_data.ConditionData),
        (jt.types.FailedData, event_data.FailedData),
        (jt.types.EndedData, event_data.EndedData),
    ],
)
def test_each_type_has_the_members_that_the_service_knows(shape: Any, model: type[BaseModel]) -> None:
    assert names(shape) == fields(model)


def test_enumerations_are_those_of_the_service() -> None:
    assert set(get_args(jt.types.EventName)) == set(get_args(EventName))
    assert get_args(jt.types.JobStatus) == tuple(JobStatus)
    assert get_args(jt.types.MetricGroup) == metrics.GROUPS
    queries: dict[str, type[BaseModel]] = {"level": job_queries.LogQuery, "direction": job_queries.LogQuery}
    queries |= {"granularity": job_queries.TimelineQuery, "interval": job_queries.MetricsQuery}
    asked = {name: get_args(query.model_fields[name].annotation) for name, query in queries.items()}
    assert asked == {
        "level": get_args(jt.types.LogLevel),
        "direction": get_args(jt.types.PageDirection),
        "granularity": get_args(jt.types.Granularity),
        "interval": get_args(jt.types.Interval),
    }


def test_the_events_are_those_of_the_service() -> None:
    models = get_args(get_args(events.AnyEvent)[0])
    assert {name for shape in get_args(jt.types.Event) for name in get_args(shape.__annotations__["type"])} == {
        name for model in models for name in get_args(model.model_fields["type"].annotation)
    }
