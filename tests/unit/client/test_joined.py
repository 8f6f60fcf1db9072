"""One job, not two: code that would create a job adds to the one of its process."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

import jobtrack_client as jt
from jobtrack_client import track
from jobtrack_client._api import settings
from jobtrack_client._loops import tracked_loop
from tests.unit.client.service import GUID, QUICK, Service, client, problem

OTHER = "cc0e8400-e29b-41d4-a716-446655440001"


class Surrounded(Service):
    """A service in which the surrounding job runs."""

    def __init__(self) -> None:
        super().__init__()
        self.statuses[GUID] = "Running"


@pytest.fixture(autouse=True)
def surrounding(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("JOBTRACK_JOB_ID", GUID)
    yield
    settings._warn_about.cache_clear()


def run(service: Service, **more: Any) -> jt.Job:
    return client(service).job("Import", job_type="import", options=QUICK, **more)


def lines(service: Service) -> list[tuple[str, str]]:
    return [(event["data"]["level"], event["data"]["message"]) for event in service.events if event["type"] == "log"]


def test_a_job_adds_its_stages_and_lines_and_ends_nothing() -> None:
    service = Surrounded()
    with run(service, stages=["Load"], description="not sent") as job, job.stage("Load", total=1) as stage:
        stage.advance()
        job.log("INFO", "here")
    assert job.job_id == GUID
    assert service.jobs == []
    assert service.types() == ["stageStarted", "progressUpdate", "log", "stageCompleted"]
    assert {request.url.path.split("/")[-2] for request in service.requests} == {GUID}


@pytest.mark.parametrize(("place", "joins"), [(f"{GUID}/{GUID}", True), (f"{GUID}/{OTHER}", False)])
def test_only_a_client_of_the_same_project_joins_the_job(
    place: str, joins: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOBTRACK_JOB_IN", place)
    service = Surrounded()
    with run(service) as job:
        job.log("INFO", "here")
    list(track("ab", "Letters", client=client(service), options=QUICK))
    assert (job.job_id == GUID) is joins
    assert len(service.jobs) == (0 if joins else 2)


def test_an_exception_is_a_line_of_the_log() -> None:
    service = Surrounded()
    with pytest.raises(ValueError, match="row 7"), run(service):
        raise ValueError("row 7")
    assert lines(service) == [("ERROR", "Import: ValueError: row 7")]
    assert "Traceback" in service.events[0]["data"]["details"]["exception"]


def test_an_interruption_is_a_line_of_the_log() -> None:
    service = Surrounded()
    with pytest.raises(KeyboardInterrupt), run(service):
        raise KeyboardInterrupt
    assert lines(service) == [("WARN", "Import: cancelled: interrupted (KeyboardInterrupt)")]


@pytest.mark.parametrize(
    "end",
    [lambda job: job.complete(), lambda job: job.cancel(), lambda job: job.fail("no data", rows=3)],
    ids=["complete", "cancel", "fail"],
)
def test_what_ends_a_job_of_its_own_does_not_end_the_surrounding_one(end: Any) -> None:
    service = Surrounded()
    with run(service) as job:
        end(job)
    assert [kind for kind in service.types() if kind != "log"] == []
    assert lines(service) in ([], [("ERROR", "Import: no data")])


def test_loops_and_bars_are_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    from jobtrack_client.integrations.tqdm import tqdm

    service = Surrounded()
    monkeypatch.setattr(tracked_loop, "Client", lambda: client(service))
    list(track("ab", "Loop", options=QUICK))
    list(tqdm("ab", desc="Bar", disable=True))
    for _ in track("abc", "Left", options=QUICK):
        break
    with pytest.raises(ValueError, match="row 1"):
        fails(track("abc", "Broken", options=QUICK))
    assert service.jobs == []
    stages = [(event["type"], event["data"]["stageName"]) for event in service.events if "stage" in event["type"]]
    assert [stage for stage in stages if stage[0] != "stageStarted"] == [
        *(("stageCompleted", "Loop"), ("stageCompleted", "Bar"), ("stageFailed", "Broken"))
    ]
    assert lines(service) == [
        ("WARN", "Left: cancelled: the loop was left after 1 of 3 items"),
        ("ERROR", "Broken: ValueError: row 1"),
    ]


def fails(loop: Any) -> None:
    for _ in loop:
        raise ValueError("row 1")


def test_within_its_process_the_job_is_shared() -> None:
    service = Surrounded()
    with client(service).attach(options=QUICK) as outer:
        with run(service) as inner, inner.stage("Load"):
            assert jt.current_job() is outer
            outer.log("INFO", "of the stage")
            track_in = list(track("ab", "Loop"))
        assert jt.current_job() is outer
        outer.log("INFO", "goes on")
    assert track_in == ["a", "b"]
    assert [event["data"].get("stage") for event in service.events if event["type"] == "log"] == ["Load", None]
    assert service.types().count("stageCompleted") == 2


def test_it_is_joined_in_asynchronous_code_too() -> None:
    service = Surrounded()

    async def work() -> None:
        async with client(service).attach(options=QUICK) as outer, run(service) as inner:
            inner.log("INFO", "here")
            assert jt.current_job() is outer
        async with run(service) as alone:
            alone.log("INFO", "there")

    asyncio.run(work())
    assert service.messages() == ["here", "there"]


@pytest.mark.parametrize("more", [{"job_id": OTHER}, {"job_id": OTHER, "attach": True}])
def test_a_job_that_is_named_is_another(more: dict[str, Any]) -> None:
    service = Surrounded()
    with run(service, **more) as job:
        assert job.job_id == OTHER
    assert service.types() == ["jobStarted", "jobCompleted"]


def test_within_another_job_that_is_named_a_loop_is_a_stage_of_that() -> None:
    service = Surrounded()
    with run(service, job_id=OTHER):
        list(track("ab", "Loop"))
    assert {request.url.path.split("/")[-2] for request in service.requests[1:]} == {OTHER}


def test_nonsense_is_told_once_and_ignored(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("JOBTRACK_JOB_ID", "nonsense")
    service = Surrounded()
    for _ in range(2):
        with run(service) as job:
            assert job.job_id not in ("nonsense", GUID)
    assert len(service.jobs) == 2
    assert [record.getMessage() for record in caplog.records] == [
        "JOBTRACK_JOB_ID is ignored: it must be a GUID, not 'nonsense'"
    ]


def test_when_the_surrounding_job_has_ended_the_program_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    service = Surrounded()

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return problem(409, "the job has ended", pointers=["/events/0"])
        service.statuses[GUID] = "Completed"
        return service(request)

    with client(answer).job("Import", job_type="import", options=QUICK) as job, job.stage("Load"):
        pass
    assert job.stats.reasons == {jt.Reason.REFUSED: 2}
    assert "were refused and are lost" in caplog.text
