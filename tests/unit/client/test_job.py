"""A job as the service sees it: from its creation to its end, in order."""

import asyncio
import threading
from typing import Any

import pytest

import jobtrack_client as jt
from jobtrack_client.types import PlannedStage
from tests.unit.client.service import GUID, QUICK, Service, client


def run(service: Service, **more: Any) -> jt.Job:
    return client(service).job("Import", job_type="import", options=QUICK, **more)


def test_a_job_reports_its_start_its_stages_and_its_end() -> None:
    service = Service()
    with run(service, estimated_seconds=9, resources_allocated={"cpu_units": 2}) as job:
        with job.stage("Load", total=3) as stage:
            stage.advance(2)
            stage.advance()
            stage.metrics["dataValidated"] = True
        job.skip_stage("Clean")
        job.metrics["rows"] = 3
    assert [(event["type"], event.get("data")) for event in service.events] == [
        ("jobStarted", {"resourcesAllocated": {"cpuUnits": 2}, "estimatedSeconds": 9}),
        ("stageStarted", {"stageName": "Load", "totalRecords": 3}),
        ("progressUpdate", {"stageName": "Load", "totalRecords": 3, "recordsProcessed": 2}),
        ("progressUpdate", {"stageName": "Load", "totalRecords": 3, "recordsProcessed": 3}),
        ("stageCompleted", {"stageName": "Load", "recordsProcessed": 3, "metrics": {"dataValidated": True}}),
        ("stageSkipped", {"stageName": "Clean"}),
        ("jobCompleted", {"metrics": {"rows": 3}}),
    ]
    assert job.links == {"self": "/there"}
    assert service.most_at_once == 1


def test_a_job_is_created_as_it_was_described() -> None:
    service = Service()
    stages: list[str | PlannedStage] = ["Load", {"stage_name": "Save", "expected_seconds": 5}]
    described = {"priority": "High", "metadata": {"a": 1}, "heartbeat_seconds": 60, "total_records": 7}
    with run(service, job_id=GUID.upper(), description="Nightly", stages=stages, **described) as job:
        pass
    assert job.job_id == GUID
    assert service.jobs == [
        {
            "jobId": GUID,
            "jobName": "Import",
            "jobType": "import",
            "jobDescription": "Nightly",
            "priority": "High",
            "stages": [{"stageName": "Load"}, {"stageName": "Save", "expectedSeconds": 5}],
            "totalRecords": 7,
            "heartbeatSeconds": 60,
            "metadata": {"a": 1},
        }
    ]


def test_a_job_that_exists_is_only_started() -> None:
    service = Service()
    with run(service, job_id=GUID, attach=True) as job:
        pass
    assert (service.jobs, job.job_id) == ([], GUID)
    assert [event["type"] for event in service.events] == ["jobStarted", "jobCompleted"]
    with pytest.raises(jt.ConfigurationError, match="needs the job_id"):
        run(service, attach=True)


def test_everything_else_that_a_worker_may_report() -> None:
    service = Service()
    with run(service) as job:
        job.update(progress=5, operation="starting")
        job.log("WARN", "odd", component="Reader", stage="Load", details={"row": 1})
        job.milestone("half", rows=2)
        job.warning("slow")
        job.error("lost one", row=4)
        job.sample(cpu_usage=50.5, memory_bytes=1024, iops=None)
        job.quality(data_quality_score=99, validations_passed=3)
        job.heartbeat()
        job.resource_allocated("Dataset", "d1")
        job.resource_released("Dataset", "d1")
        job.blocked("lock")
        job.unblocked("lock", resolution="freed")
    assert [(event["type"], event.get("data")) for event in service.events[1:-1]] == [
        ("progressUpdate", {"progress": 5, "operation": "starting"}),
        (
            "log",
            {"level": "WARN", "message": "odd", "component": "Reader", "stage": "Load", "details": {"row": 1}},
        ),
        ("milestone", {"description": "half", "details": {"rows": 2}}),
        ("warning", {"description": "slow"}),
        ("error", {"description": "lost one", "details": {"row": 4}}),
        ("metricSample", {"cpuUsage": 50.5, "memoryBytes": 1024}),
        ("quality", {"dataQualityScore": 99, "validationsPassed": 3}),
        ("heartbeat", None),
        ("resourceAllocated", {"resourceType": "Dataset", "resourceId": "d1"}),
        ("resourceReleased", {"resourceType": "Dataset", "resourceId": "d1"}),
        ("blocked", {"condition": "lock"}),
        ("unblocked", {"condition": "lock", "resolution": "freed"}),
    ]


def test_an_exception_fails_the_stage_and_the_job_and_goes_on() -> None:
    service = Service()

    def work() -> None:
        with run(service) as job, job.stage("Load") as stage:
            stage.advance(6)
            raise ValueError("row 7 is broken")

    with pytest.raises(ValueError, match="row 7"):
        work()
    error = {"message": "row 7 is broken", "type": "ValueError"}
    assert [(event["type"], event["data"]) for event in service.events[-2:]] == [
        ("stageFailed", {"stageName": "Load", "recordsProcessed": 6, "error": error}),
        ("jobFailed", {"error": error}),
    ]


@pytest.mark.parametrize(
    ("interruption", "reason"),
    [
        (KeyboardInterrupt, "interrupted (KeyboardInterrupt)"),
        (asyncio.CancelledError, "the task was cancelled (CancelledError)"),
        (GeneratorExit, "the generator around it was closed (GeneratorExit)"),
    ],
)
def test_an_interruption_cancels_the_job_with_its_reason(interruption: type[BaseException], reason: str) -> None:
    service = Service()
    with pytest.raises(interruption), run(service) as job, job.stage("Load"):
        raise interruption
    assert service.types() == ["jobStarted", "stageStarted", "log", "jobCancelled"]
    assert service.events[-2]["data"] | {"stage": None} == {
        **{"level": "WARN", "message": f"cancelled: {reason}", "stage": None}
    }
    assert service.events[-1]["data"] == {"metrics": {"reason": reason}}


def test_a_job_is_cancelled_with_a_reason_or_without_and_keeps_its_metrics() -> None:
    service = Service()
    with run(service) as job:
        job.metrics["rows"] = 7
        job.cancel("no rows today")
    with run(service) as job:
        job.cancel()
    assert [event["data"] for event in service.events if event["type"] == "jobCancelled" and "data" in event] == [
        {"metrics": {"rows": 7, "reason": "no rows today"}}
    ]
    assert service.messages() == ["cancelled: no rows today"]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (3, {"message": "exit code 3", "type": "SystemExit", "exitCode": 3}),
        ("no input", {"message": "no input", "type": "SystemExit", "exitCode": 1}),
    ],
)
def test_an_exit_is_an_error_with_its_code(code: object, error: object) -> None:
    service = Service()
    with pytest.raises(SystemExit), run(service):
        raise SystemExit(code)
    assert service.events[-1]["data"] == {"error": error}


@pytest.mark.parametrize(("code", "end"), [(0, "jobCompleted"), (None, "jobCompleted"), (3, "jobFailed")])
def test_an_exit_ends_the_job_by_its_code(code: int | None, end: str) -> None:
    service = Service()
    with pytest.raises(SystemExit), run(service):
        raise SystemExit(code)
    assert service.types()[-1] == end


def test_an_end_is_reported_once() -> None:
    service = Service()
    with run(service) as job:
        job.fail("no data")
        job.complete()
    assert service.types() == ["jobStarted", "jobFailed"]
    assert service.events[-1]["data"] == {"error": {"message": "no data"}}


def test_logs_name_the_stage_that_runs() -> None:
    service = Service()
    with run(service) as job:
        job.log("INFO", "before")
        with job.stage("Load"):
            with job.stage("Parse"):
                job.log("INFO", "inner")
            job.log("INFO", "outer")
        job.log("nonsense", "after")  # type: ignore[arg-type]
    logs = [event["data"] for event in service.events if event["type"] == "log"]
    assert [log.get("stage") for log in logs] == [None, "Parse", "Load", None]
    assert logs[3]["level"] == "INFO"


def test_progress_that_was_held_back_is_sent_while_the_stage_runs() -> None:
    service = Service()
    seen = threading.Event()

    def answer(request: Any) -> Any:
        response = service(request)
        if any(event["data"].get("recordsProcessed") == 2 for event in service.events if "data" in event):
            seen.set()
        return response

    options = jt.ReporterOptions(flush_seconds=0.005, progress_seconds=0.05)
    job = client(answer).job("Import", job_type="import", options=options)
    with job, job.stage("Load") as stage:
        stage.advance()
        stage.advance()
        assert seen.wait(20)


def test_progress_that_was_held_back_is_sent_by_a_flush_and_before_the_end() -> None:
    service = Service()
    options = jt.ReporterOptions(flush_seconds=0.005, progress_seconds=1000)
    with client(service).job("Import", job_type="import", options=options) as job:
        with job.stage("Load") as stage:
            for _ in range(5):
                stage.advance()
            assert job.flush(20)
            assert [event["data"]["recordsProcessed"] for event in service.events[2:]] == [1, 5]
        job.update(10)
        job.update(90)
    assert service.types()[-3:] == ["progressUpdate", "progressUpdate", "jobCompleted"]
    assert service.events[-2]["data"]["progress"] == 90


def test_a_worker_may_report_from_many_threads() -> None:
    service = Service()
    with run(service) as job, job.stage("Load", total=4000) as stage:

        def work(name: int) -> None:
            for number in range(500):
                job.log("INFO", f"{name} {number}")
                stage.advance()

        threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for name in range(8):
        assert [text for text in service.messages() if text.startswith(f"{name} ")] == [
            f"{name} {number}" for number in range(500)
        ]
    counts = [event["data"]["recordsProcessed"] for event in service.events if event["type"] == "progressUpdate"]
    assert counts == sorted(counts)
    assert counts[-1] == 4000
    assert job.stats.acknowledged["log"] == job.stats.reported["log"] == 4000
    # If many events wait at the end, all updates of a stage but the last are left out.
    assert {*job.stats.reasons} <= {jt.Reason.SUPERSEDED}
    assert job.stats.waiting == 0
