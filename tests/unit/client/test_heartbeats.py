"""A quiet job is not marked as stalled while its worker lives, and no longer."""

import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import jobtrack_client as jt
from jobtrack_client._reporting.heartbeat import Heartbeat, silence
from tests.unit.client.service import GUID, QUICK, Service, client, problem, refuse_connection
from tests.unit.client.test_delivery import Line

Handler = Callable[[httpx.Request], httpx.Response]
SOON = 1
"""`heartbeatSeconds` with which heartbeats are sent every third of a second."""
PATIENCE_SECONDS = 20


class Watched:
    """A service, and a way to wait for its requests."""

    def __init__(self, answer: Handler) -> None:
        self._answer = answer
        self._got = threading.Condition()
        self.heartbeats: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        try:
            return self._answer(request)
        finally:
            if b'"heartbeat"' in request.content:
                self._note(request)

    def _note(self, request: httpx.Request) -> None:
        with self._got:
            self.heartbeats.append(request)
            self._got.notify_all()

    def wait(self, count: int) -> None:
        with self._got:
            assert self._got.wait_for(lambda: len(self.heartbeats) >= count, PATIENCE_SECONDS)


def job_of(handler: Handler, **more: Any) -> jt.Job:
    return client(handler).job("Import", job_type="import", options=QUICK, **more)


def test_a_job_is_watched_for_300_s_unless_it_says_otherwise() -> None:
    service = Service()
    for given_seconds in ({}, {"heartbeat_seconds": 60}, {"heartbeat_seconds": None}, {"heartbeat_seconds": 0}):
        with job_of(service, **given_seconds):
            pass
    assert [job.get("heartbeatSeconds") for job in service.jobs] == [300, 60, None, None]


@pytest.mark.parametrize(("seconds", "longest"), [(300, 100), (86_400, 100), (30, 10), (0, None), (None, None)])
def test_a_job_is_silent_for_100_s_at_most_or_a_third_of_its_interval(
    seconds: int | None, longest: float | None
) -> None:
    assert silence(seconds) == longest


@given(waits=st.lists(st.floats(0, 400), max_size=20))
def test_a_heartbeat_is_due_100_s_after_the_last_thing_that_was_accepted(waits: list[float]) -> None:
    now = [0.0]
    heartbeat = Heartbeat(100, clock=lambda: now[0])
    for wait in waits:
        now[0] += wait
        assert heartbeat.due_in == pytest.approx(max(0.0, 100 - wait))
        heartbeat.sent()
    heartbeat.stop()
    now[0] += 10**9
    assert heartbeat.due_in == float("inf")


@pytest.mark.parametrize("how", [{}, {"resume": True}, {"attach": True}], ids=["new", "resumed", "begun elsewhere"])
def test_a_quiet_job_sends_heartbeats_without_a_key_until_it_ends(how: dict[str, bool]) -> None:
    service = Watched(Service())
    with job_of(service, heartbeat_seconds=SOON, job_id=GUID, **how) as job:
        service.wait(2)
    assert {request.headers.get("Idempotency-Key") for request in service.heartbeats} == {None}
    assert service.heartbeats[0].content == b'{"events":[{"type":"heartbeat"}]}'
    assert "heartbeat" not in job.stats.reported


def test_an_attached_job_sends_them_too_but_not_that_of_jobtrack_run(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Watched(Service())
    with client(service).attach(GUID, heartbeat_seconds=SOON, options=QUICK):
        service.wait(1)
    monkeypatch.setenv("JOBTRACK_JOB_ID", GUID)
    sent = len(service.heartbeats)
    with client(service).attach(heartbeat_seconds=SOON, options=QUICK):
        time.sleep(0.8)
    assert len(service.heartbeats) == sent


def test_whatever_the_service_accepts_begins_the_silence_anew_and_a_failure_does_not() -> None:
    now = [0.0]
    heartbeat = Heartbeat(100, clock=lambda: now[0])
    line = Line(Service([refuse_connection]), heartbeat=heartbeat)
    line.report("good")
    batch = line.buffer.take()
    assert batch is not None
    now[0] = 90
    line.sender.attempt(batch)
    assert heartbeat.due_in == 10
    line.sender.attempt(batch)
    assert heartbeat.due_in == 100


def test_none_are_sent_after_the_end_though_the_job_is_not_closed() -> None:
    service = Watched(Service())
    with job_of(service, heartbeat_seconds=SOON) as job:
        job.complete()
        assert job.flush(PATIENCE_SECONDS)
        time.sleep(0.8)
    assert service.heartbeats == []


def test_while_the_service_is_away_they_do_not_pile_up() -> None:
    inner = Service()
    away = threading.Event()
    answers = Watched(lambda request: refuse_connection(request, inner) if away.is_set() else inner(request))
    with job_of(answers, heartbeat_seconds=SOON) as job:
        assert job.flush(PATIENCE_SECONDS)
        away.set()
        answers.wait(5)
        assert job.stats.waiting == 0
        away.clear()
        job.log("INFO", "back")
        assert job.flush(PATIENCE_SECONDS)
        assert inner.types().count("heartbeat") <= 1
    assert job.stats.dropped == {}


def test_they_stop_when_the_job_was_ended_elsewhere(caplog: pytest.LogCaptureFixture) -> None:
    inner = Service()
    service = Watched(inner)
    with client(service).attach(GUID, heartbeat_seconds=SOON, options=QUICK) as job:
        service.wait(1)
        inner.statuses[GUID] = "Cancelled"
        service.wait(2)
        time.sleep(0.8)
        assert len(service.heartbeats) <= 3
        job.log("INFO", "a late line")
    assert inner.lines() == ["a late line"]
    assert caplog.records == []


@pytest.mark.parametrize("status", [401, 403, 500])
def test_one_that_fails_is_sent_again_soon(status: int) -> None:
    inner = Service()
    failures = iter([problem(status)] * 3)

    def answer(request: httpx.Request) -> httpx.Response:
        failed = next(failures, None) if b'"heartbeat"' in request.content else None
        return inner(request) if failed is None else failed

    service = Watched(answer)
    with job_of(service, heartbeat_seconds=SOON):
        service.wait(4)
        service.wait(5)
    assert "heartbeat" in inner.types()
