"""No report is lost or repeated, whatever fails."""

from collections.abc import Callable
from time import monotonic

import httpx
from hypothesis import given
from hypothesis import strategies as st

from jobtrack_client._api._sync.http import Http
from jobtrack_client._api.requests import Request
from jobtrack_client._api.retries import Backoff
from jobtrack_client._api.settings import Settings
from jobtrack_client._reporting.batches import Batch
from jobtrack_client._reporting.buffer import Buffer
from jobtrack_client._reporting.creation import Creation
from jobtrack_client._reporting.event_queue import EventQueue
from jobtrack_client._reporting.heartbeat import Heartbeat
from jobtrack_client._reporting.notices import Notices
from jobtrack_client._reporting.queued_events import make_event
from jobtrack_client._reporting.sender import Sender
from tests.unit.client.service import GUID, OUTAGES, TOKEN_REFUSED, Failure, Service, fail_with, refuse_connection

failures = st.lists(st.none() | st.sampled_from([*OUTAGES, *TOKEN_REFUSED]), max_size=30)
steps = st.lists(st.sampled_from(["good", "good", "good", "bad", "send"]), max_size=60)


class Line:
    """The parts between the job and the service, without the sending thread."""

    def __init__(
        self,
        service: Callable[[httpx.Request], httpx.Response],
        clock: Callable[[], float] = monotonic,
        heartbeat: Heartbeat | None = None,
    ) -> None:
        http = Http(
            Settings("http://service.test", GUID, GUID, "secret"),
            timeout=1,
            clock=lambda: 0.0,
            transport=httpx.MockTransport(service),
        )

        def post(batch: Batch, remaining: float | None) -> None:
            http.send(Request("POST", "/job/x/events", body=batch.body, key=batch.key))

        self.buffer = Buffer(EventQueue(10_000, 10_000_000), clock=clock)
        self.sender = Sender(
            self.buffer,
            Creation(lambda remaining: None),
            post,
            notices=Notices("job"),
            make_note=lambda message: make_event("log", {"level": "WARN", "message": message}, 0),
            backoff=Backoff(),
            flush_seconds=0,
            heartbeat=heartbeat or Heartbeat(None),
        )

    def report(self, message: str) -> None:
        self.buffer.put(make_event("log", {"level": "INFO", "message": message}, 0))

    def send(self) -> None:
        while batch := self.buffer.take():
            while self.sender.attempt(batch) is not None:
                pass


def run(line: Line, steps: list[str]) -> list[str]:
    reported = [f"{step} {number}" for number, step in enumerate(steps) if step != "send"]
    for number, step in enumerate(steps):
        if step == "send":
            line.send()
        else:
            line.report(f"{step} {number}")
    line.send()
    return reported


@given(steps=steps, failures=failures, names_the_bad=st.booleans())
def test_each_good_event_arrives_once_and_in_order(
    steps: list[str], failures: list[Failure | None], names_the_bad: bool
) -> None:
    service = Service(failures, names_the_bad=names_the_bad)
    line = Line(service)
    reported = run(line, steps)
    good = [message for message in reported if message.startswith("good")]
    assert service.messages() == good
    stats = line.buffer.stats
    assert stats.reported.get("log", 0) == len(reported)
    assert stats.acknowledged.get("log", 0) == len(good)
    assert stats.dropped.get("log", 0) == sum(stats.reasons.values()) == len(reported) - len(good)
    assert stats.waiting == 0


@given(outages=st.lists(st.sampled_from([*OUTAGES, *TOKEN_REFUSED]), min_size=1, max_size=10))
def test_a_batch_keeps_its_key_and_body_until_it_is_settled(outages: list[Failure]) -> None:
    service = Service(outages)
    line = Line(service)
    run(line, ["good"] * 3)
    assert len(service.requests) == len(outages) + 1
    assert len({(request.headers["Idempotency-Key"], request.content) for request in service.requests}) == 1


@given(count=st.integers(1, 1700))
def test_a_request_holds_at_most_500_events(count: int) -> None:
    service = Service()
    run(Line(service), ["good"] * count)
    assert len(service.requests) == -(-count // 500)


def test_a_request_is_at_most_one_mebibyte() -> None:
    service = Service()
    line = Line(service)
    for _ in range(100):
        line.report("x" * 32_000)
    line.send()
    assert len(service.messages()) == 100
    assert 1_000_000 < max(len(request.content) for request in service.requests) <= 1024 * 1024


def test_the_limit_of_a_request_holds_to_the_byte() -> None:
    service = Service()
    line = Line(service)
    size, count = 32 * 1024, 32
    empty = len(make_event("log", {"level": "INFO", "message": ""}, 0).body)
    for _ in range(count):
        line.report("x" * (size - empty - 1))
    line.send()
    assert [len(request.content) <= size * count for request in service.requests] == [True, True]


def test_tries_come_closer_once_the_job_has_ended() -> None:
    line = Line(Service([refuse_connection] * 20))
    line.report("good")
    batch = line.buffer.take()
    assert batch is not None
    waits = [line.sender.attempt(batch) or 0 for _ in range(10)]
    assert 5 <= waits[-1] <= 10
    line.buffer.close(deadline=float("inf"))
    assert 1 <= (line.sender.attempt(batch) or 0) <= 2


def test_after_a_success_the_waits_begin_anew() -> None:
    line = Line(Service([refuse_connection] * 9 + [None, refuse_connection]))
    line.report("good")
    line.send()
    line.report("good")
    batch = line.buffer.take()
    assert batch is not None
    assert 0.25 <= (line.sender.attempt(batch) or 0) <= 0.5


def test_events_that_the_service_names_are_left_out_at_once() -> None:
    service = Service()
    line = Line(service)
    run(line, ["good", "bad", "good", "bad", "good"])
    assert len(service.requests) == 2
    assert service.messages() == ["good 0", "good 2", "good 4"]


def test_a_batch_refused_as_a_whole_is_not_tried_again() -> None:
    service = Service([fail_with(415)])
    line = Line(service)
    run(line, ["good"] * 3)
    assert len(service.requests) == 1
    assert line.buffer.stats.dropped == {"log": 3}
