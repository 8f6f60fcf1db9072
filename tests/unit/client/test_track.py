"""`for row in track(rows, "Import")`: a job, or a stage of the one that runs, that ends as the loop does."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

import jobtrack_client as jt
from jobtrack_client import track
from tests.unit.client.service import QUICK, Service, client


def tracked(service: Service, items: Any, **more: Any) -> Any:
    return track(items, "Import", client=client(service), options=QUICK, **more)


def counts(service: Service) -> list[int]:
    return [event["data"]["recordsProcessed"] for event in service.events if event["type"] == "progressUpdate"]


def test_a_loop_is_a_job_that_completes_when_the_items_are_through() -> None:
    service = Service()
    assert list(tracked(service, "abc", description="letters")) == ["a", "b", "c"]
    described = {"jobName": "Import", "jobType": "Import", "jobDescription": "letters", "heartbeatSeconds": 300}
    assert service.jobs[0] | {"jobId": None} == {"jobId": None, **described}
    assert service.types() == [
        *("jobStarted", "stageStarted", "progressUpdate", "progressUpdate", "progressUpdate"),
        *("stageCompleted", "jobCompleted"),
    ]
    assert service.events[1]["data"] == {"stageName": "Import", "totalRecords": 3}
    assert counts(service) == [1, 2, 3]


def test_an_item_counts_when_the_next_is_asked_for_and_the_body_runs_within_its_stage() -> None:
    service = Service()
    for done, _ in enumerate(tracked(service, "abc", job_type="import")):
        job = jt.current_job()
        assert job is not None
        assert job.current_stage == "Import"
        assert job.flush(20)
        assert counts(service) == list(range(1, done + 1))
    assert service.jobs[0]["jobType"] == "import"


@pytest.mark.parametrize(
    ("items", "given", "total"),
    [([1, 2], None, 2), (iter([1, 2]), None, 2), ([1, 2], 7, 7), ((i for i in "ab"), None, None)],
)
def test_the_total_is_how_many_there_are_where_that_is_known(items: Any, given: int | None, total: int | None) -> None:
    service = Service()
    list(tracked(service, items, total=given))
    assert service.events[1]["data"].get("totalRecords") == total


def test_within_a_job_a_loop_is_a_stage() -> None:
    service = Service()
    with client(service).job("Nightly", job_type="n", options=QUICK) as job:
        for letter in track("ab", "Letters"):
            job.log("INFO", letter)
        job.log("INFO", "after")
    assert len(service.jobs) == 1
    assert [event["data"].get("stage") for event in service.events if event["type"] == "log"] == [
        *("Letters", "Letters", None)
    ]
    assert service.types()[-3:] == ["stageCompleted", "log", "jobCompleted"]


def fails(error: Exception) -> Iterator[int]:
    yield 1
    raise error


def test_what_the_items_raise_fails_the_loop() -> None:
    service = Service()
    with pytest.raises(ValueError, match="row 2"):
        list(tracked(service, fails(ValueError("row 2"))))
    assert service.types()[-2:] == ["stageFailed", "jobFailed"]


def test_a_loop_that_is_left_is_cancelled_since_nobody_knows_why() -> None:
    service = Service()
    for _ in tracked(service, "abc"):
        break
    assert service.types()[-1] == "jobCancelled"
    assert "stageCompleted" not in service.types()


def test_a_stage_that_is_left_is_left_to_the_end_of_its_job() -> None:
    service = Service()
    with client(service).job("Nightly", job_type="n", options=QUICK) as job:
        for _ in track("abc", "Letters"):
            break
        assert job.current_stage is None
    assert service.types() == ["jobStarted", "stageStarted", "jobCompleted"]


def test_in_a_with_statement_a_loop_that_is_left_completes() -> None:
    service = Service()
    with tracked(service, "abc") as letters:
        for _ in letters:
            break
    assert service.types()[-2:] == ["stageCompleted", "jobCompleted"]


def test_in_a_with_statement_a_loop_fails_as_its_body_does() -> None:
    service = Service()

    def work() -> None:
        with tracked(service, "abc") as letters:
            for _ in letters:
                raise ValueError("row 2")

    with pytest.raises(ValueError, match="row 2"):
        work()
    assert service.types()[-2:] == ["stageFailed", "jobFailed"]


def test_an_asynchronous_loop_is_tracked_alike() -> None:
    service = Service()

    async def letters() -> AsyncIterator[str]:
        for letter in "abc":
            await asyncio.sleep(0)
            yield letter

    async def work() -> list[str]:
        return [letter async for letter in tracked(service, letters(), total=3)]

    assert asyncio.run(work()) == ["a", "b", "c"]
    assert counts(service) == [1, 2, 3]
    assert service.types()[-2:] == ["stageCompleted", "jobCompleted"]


def test_what_a_new_job_lacks_is_told_when_the_loop_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JOBTRACK_URL", raising=False)
    loop = track("abc", "Import")
    with pytest.raises(jt.ConfigurationError, match="base_url is missing"):
        list(loop)
