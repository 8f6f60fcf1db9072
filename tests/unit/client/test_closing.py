"""The time to close: the job's end is reported within it, however slow, throttled or unavailable the service is."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import httpx
import pytest

import jobtrack_client as jt
from tests.unit.client.service import (
    QUICK,
    Failure,
    Service,
    client,
    fail_with,
    lose_answer,
    refuse_connection,
)
from tests.unit.client.test_delivery import Line

PATIENT = replace(QUICK, backoff=jt.Backoff(), close_seconds=1.5, request_seconds=0.3)
Handler = Callable[[httpx.Request], httpx.Response]


def job_of(handler: Handler, options: jt.ReporterOptions = PATIENT, **more: Any) -> jt.Job:
    return client(handler).job("Import", job_type="import", options=options, **more)


def lost(service: Service) -> int:
    """Return the number of lost lines in the job's log."""
    return int(service.notes()[-1].partition(" log lines ")[0]) if service.notes() else 0


class Slow:
    """Responds late."""

    def __init__(self, service: Service, seconds: float) -> None:
        self._service = service
        self._seconds = seconds

    def __call__(self, request: httpx.Request) -> httpx.Response:
        time.sleep(self._seconds)
        return self._service(request)


class Away:
    """Fails for a number of seconds from its first failure."""

    def __init__(self, service: Service, failure: Failure, seconds: float) -> None:
        self.begins = False
        self._until: float | None = None
        self._service = service
        self._failure = failure
        self._seconds = seconds

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.begins and self._until is None:
            self._until = time.monotonic() + self._seconds
        if self._until is not None and time.monotonic() < self._until:
            return self._failure(request, self._service)
        return self._service(request)


@pytest.mark.parametrize(
    ("lines", "size"), [(10_000, 1), (500, 30_000)], ids=["more events than a batch", "more bytes than a batch"]
)
def test_a_backlog_goes_after_the_end_and_what_is_lost_is_counted(lines: int, size: int) -> None:
    service = Service()
    job = job_of(Slow(service, 0.1), replace(PATIENT, close_seconds=1.5))

    def work() -> None:
        with job:
            for number in range(lines):
                job.log("INFO", f"{number} {'x' * size}")
            with job.stage("Load") as stage:
                stage.advance(6)
                raise ValueError("row 7")

    with pytest.raises(ValueError, match="row 7"):
        work()
    assert service.statuses[job.job_id] == "Failed"
    state = [type_ for type_ in service.types() if type_ != "log"]
    assert state == ["jobStarted", "stageStarted", "progressUpdate", "stageFailed", "jobFailed"]
    texts = [int(text.partition(" ")[0]) for text in service.lines()]
    assert len(set(texts)) == len(texts)
    assert texts == sorted(texts)
    assert texts[-1] == lines - 1, "the newest lines go with the last batch"
    assert len(texts) + lost(service) == lines
    assert job.stats.acknowledged["log"] == len(texts)


def test_lines_that_memory_had_no_room_for_are_counted_too() -> None:
    service = Service()
    options = replace(PATIENT, close_seconds=1.5, max_events=1000)
    with job_of(Slow(service, 0.1), options) as job:
        for number in range(6000):
            job.log("INFO", f"{number}")
    assert service.statuses[job.job_id] == "Completed"
    assert job.stats.reasons[jt.Reason.MEMORY] > 0
    assert len(service.lines()) + lost(service) == 6000


def hang(request: httpx.Request, service: Service) -> httpx.Response:
    time.sleep(request.extensions["timeout"]["read"])
    raise httpx.ReadTimeout("too late", request=request)


AWAY = [
    hang,
    refuse_connection,
    lose_answer,
    fail_with(503, **{"Retry-After": "3600"}),
    fail_with(429),
    *map(fail_with, (401, 403)),
]


@pytest.mark.parametrize("failure", AWAY, ids=["hangs", "refused", "answer lost", "503", "429", "401", "403"])
def test_a_service_that_is_back_just_before_the_deadline_gets_the_end(failure: Failure) -> None:
    service = Service()
    away = Away(service, failure, 0.9)
    with job_of(away) as job:
        assert job.flush(20)
        away.begins = True
        for number in range(1200):
            job.log("INFO", str(number))
    assert service.statuses[job.job_id] == "Completed"
    keys = {(request.headers["Idempotency-Key"], request.content) for request in service.requests}
    assert len({key for key, _ in keys}) == len(keys), "a key is used for one body only"
    assert len(service.lines()) == len(set(service.lines()))


@pytest.mark.parametrize("failure", [hang, refuse_connection, fail_with(503, **{"Retry-After": "3600"})])
def test_so_does_one_that_was_away_since_before_the_job(failure: Failure) -> None:
    service = Service()
    away = Away(service, failure, 0.9)
    away.begins = True
    with job_of(away) as job:
        for number in range(1200):
            job.log("INFO", str(number))
        time.sleep(0.2)
    assert service.statuses[job.job_id] == "Completed"


def test_a_second_close_may_bring_the_deadline_forward() -> None:
    service = Service()
    job = job_of(Slow(service, 0.1), replace(PATIENT, close_seconds=3600)).start()
    for number in range(20_000):
        job.log("INFO", str(number))
    job.complete()
    job.close(wait=False)
    job.close(1.5)
    assert job.stats.waiting == 0
    assert service.statuses[job.job_id] == "Completed"
    assert len(service.lines()) + lost(service) == 20_000


def test_an_end_is_sent_before_the_lines_even_if_the_job_is_not_closed() -> None:
    service = Service()
    slow = Slow(service, 0.05)
    job = job_of(slow).start()
    for number in range(8_000):
        job.log("INFO", str(number))
    job.complete()
    assert job.flush(60)
    ended = service.types().index("jobCompleted")
    assert ended < 4_000
    job.close()
    assert len(service.lines()) == 8_000


def waits(line: Line, failures: int) -> Iterator[float]:
    line.report("good")
    batch = line.buffer.take()
    assert batch is not None
    for _ in range(failures):
        yield line.sender.attempt(batch) or 0


def test_tries_come_closer_to_each_other_towards_the_deadline() -> None:
    now = [0.0]
    line = Line(Service([refuse_connection] * 30), clock=lambda: now[0])
    line.buffer.close(15.0)
    moments = []
    for wait in waits(line, 30):
        now[0] += wait
        moments.append(now[0])
    before = [moment for moment in moments if moment < 15]
    assert all(later - earlier <= 2 for earlier, later in pairwise(before))
    assert 15 - before[-1] <= 0.1


@pytest.mark.parametrize(("asked", "least", "most"), [("5", 5, 5.5), ("60", 0, 2), ("14", 0, 2)])
def test_what_the_service_asks_to_wait_is_kept_to_while_there_is_time(asked: str, least: float, most: float) -> None:
    line = Line(Service([fail_with(503, **{"Retry-After": asked})] * 3), clock=lambda: 0.0)
    line.buffer.close(14.2)
    assert least <= next(waits(line, 1)) <= most
