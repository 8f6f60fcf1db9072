"""The reporter waits out failures, reports what it must drop, and never delays the job."""

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import jobtrack_client as jt
from tests.unit.client.service import (
    OUTAGES,
    QUICK,
    Failure,
    Service,
    client,
    fail_with,
    problem,
    refuse_connection,
)

Handler = Callable[[httpx.Request], httpx.Response]


def job_of(handler: Handler, options: jt.ReporterOptions = QUICK, **more: Any) -> jt.Job:
    return client(handler).job("Import", job_type="import", options=options, **more)


def refuse_all(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


class Gate:
    """Blocks requests until it is opened."""

    def __init__(self, service: Service) -> None:
        self.open = threading.Event()
        self._service = service

    def __call__(self, request: httpx.Request) -> httpx.Response:
        return self._service(request) if self.open.is_set() else refuse_all(request)


class Unsayable:
    def keys(self) -> Iterator[str]:
        raise RuntimeError("no keys today")


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(failures=st.lists(st.none() | st.sampled_from(OUTAGES), max_size=12), count=st.integers(0, 40))
def test_a_job_arrives_whole_over_any_outage(failures: list[Failure | None], count: int) -> None:
    service = Service(failures)
    with job_of(service) as job:
        for number in range(count):
            job.log("INFO", str(number))
    assert service.messages() == [str(number) for number in range(count)]
    # If the last tries fail, the end is sent before the lines.
    assert [type_ for type_ in service.types() if type_ != "log"] == ["jobStarted", "jobCompleted"]
    assert len(service.jobs) == 1
    assert job.stats.acknowledged == job.stats.reported
    assert job.stats.dropped == {}


def test_a_job_begins_while_the_service_is_away_and_is_created_later() -> None:
    service = Service()
    gate = Gate(service)
    with job_of(gate) as job:
        job.log("INFO", "before")
        assert service.jobs == []
        assert job.links == {}
        gate.open.set()
        assert job.flush(20)
        assert service.messages() == ["before"]
        assert job.links == {"self": "/there"}


def test_flush_waits_for_what_was_reported_and_says_whether_it_arrived() -> None:
    service = Service()
    gate = Gate(service)
    with job_of(gate) as job:
        assert not job.flush(0.01)
        gate.open.set()
        job.log("INFO", "there")
        assert job.flush(20)
        assert service.messages() == ["there"]
        assert job.flush(0)


def test_the_end_waits_only_so_long_for_a_service_that_stays_away(caplog: pytest.LogCaptureFixture) -> None:
    with job_of(refuse_all, replace(QUICK, close_seconds=0.05)) as job:
        job.log("INFO", "lost")
    assert job.stats.dropped == {"jobStarted": 1, "log": 1, "jobCompleted": 1}
    assert job.stats.reasons == {jt.Reason.UNDELIVERED: 3}
    assert "3 of the job's events are lost (undelivered 3)" in caplog.text
    job.log("INFO", "later")
    assert job.stats.reasons[jt.Reason.CLOSED] == 1


def test_an_end_that_is_not_waited_for_is_sent_meanwhile() -> None:
    service = Service()
    gate = Gate(service)
    job = job_of(gate).start()
    job.log("INFO", "before")
    job.complete()
    job.close(wait=False)
    assert service.types() == []
    gate.open.set()
    job.close()
    assert service.types() == ["jobStarted", "log", "jobCompleted"]


def test_memory_is_bounded_and_the_gap_is_told(caplog: pytest.LogCaptureFixture) -> None:
    service = Service()
    gate = Gate(service)
    with job_of(gate, replace(QUICK, max_events=10)) as job:
        for number in range(100):
            job.log("DEBUG" if number % 2 else "ERROR", str(number))
        gate.open.set()
        assert job.flush(20)
    dropped = job.stats.reasons[jt.Reason.MEMORY]
    assert dropped >= 91
    assert sum(job.stats.acknowledged.values()) + dropped == sum(job.stats.reported.values())
    assert [type_ for type_ in service.types() if type_ != "log"] == ["jobStarted", "jobCompleted"]
    told = [event["data"] for event in service.events if event.get("data", {}).get("component") == "jobtrack_client"]
    assert "log lines were lost so far, because the buffer was full" in caplog.text
    assert {log["level"] for log in told} == {"WARN"}
    assert service.notes()[-1] == f"{dropped} log lines were lost in total (memory {dropped})"
    assert len(service.lines()) + dropped == 100
    assert "the service is unreachable or too slow" in caplog.text
    kept = [int(text) for text in service.messages() if text.isdigit()]
    assert kept == sorted(kept)
    assert all(number % 2 == 0 for number in kept)


def test_a_bad_event_does_not_take_its_neighbours_along(caplog: pytest.LogCaptureFixture) -> None:
    for names_the_bad in (True, False):
        service = Service(names_the_bad=names_the_bad)
        with job_of(service) as job:
            for text in ("one", "bad", "two"):
                job.log("INFO", text)
        assert service.messages() == ["one", "two"]
        assert job.stats.dropped == {"log": 1}
        assert job.stats.reasons[jt.Reason.REFUSED] == 1
    assert "1 events (log) were refused and are lost: 422 some_code: out of contract" in caplog.text


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_job_that_is_refused_runs_untracked(status: int, caplog: pytest.LogCaptureFixture) -> None:
    service = Service([fail_with(status)])
    with job_of(service) as job:
        job.log("INFO", "unheard")
    assert len(service.requests) == 1
    assert job.stats.dropped == job.stats.reported
    assert "the service refused the job; it goes on, but is not tracked" in caplog.text


def test_a_job_that_must_be_tracked_does_not_begin_when_it_is_refused() -> None:
    job = job_of(Service([fail_with(422)]), required=True)
    with pytest.raises(jt.Unprocessable), job:
        pytest.fail("it began")


def test_a_job_that_must_be_tracked_does_not_begin_when_nobody_answers() -> None:
    job = job_of(refuse_all, replace(QUICK, close_seconds=0.05), required=True)
    with pytest.raises(jt.Unreachable), job:
        pytest.fail("it began")


def test_a_job_that_must_be_tracked_waits_for_its_creation() -> None:
    service = Service([refuse_connection, refuse_connection])
    with job_of(service, required=True):
        assert len(service.jobs) == 1


def test_a_job_that_exists_is_reported_to(caplog: pytest.LogCaptureFixture) -> None:
    service = Service([fail_with(409)])
    with job_of(service) as job:
        job.log("INFO", "on with it")
    assert service.messages() == ["on with it"]
    assert "exists already" in caplog.text


def test_what_a_worker_cannot_say_is_no_error_of_its_job(caplog: pytest.LogCaptureFixture) -> None:
    service = Service()
    with job_of(service) as job:
        job.log("INFO", "odd", details=Unsayable())  # type: ignore[arg-type]
        job.milestone(None)  # type: ignore[arg-type]
        job.log(30, "number")  # type: ignore[arg-type]
    assert service.types()[0] == "jobStarted"
    assert service.types()[-1] == "jobCompleted"


def test_an_outage_is_told_once_and_its_end_too(caplog: pytest.LogCaptureFixture) -> None:
    service = Service([None, refuse_connection, refuse_connection, refuse_connection])
    with job_of(service):
        pass
    told = [record.getMessage() for record in caplog.records if record.name == "jobtrack_client"]
    assert len(told) == 2
    assert "the job goes on, and its events are sent later" in told[0]
    assert "reporting works again after" in told[1]


def test_a_transport_that_breaks_in_odd_ways_ends_neither_job_nor_reporting() -> None:
    service = Service()
    answers = iter([None, RuntimeError("odd"), None])

    def answer(request: httpx.Request) -> httpx.Response:
        if isinstance(error := next(answers, None), Exception):
            raise error
        return service(request)

    with job_of(answer) as job:
        assert job.flush(20)
        job.log("INFO", "still here")
    assert service.types() == ["jobStarted", "log", "jobCompleted"]
    assert job.stats.dropped == {}


def test_secrets_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    def answer(request: httpx.Request) -> httpx.Response:
        return problem(401)

    with job_of(answer):
        pass
    assert caplog.records
    assert "secret" not in caplog.text
