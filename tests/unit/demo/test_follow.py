from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import pytest

from jobtrack_client import Client
from jobtrack_client.commands.board import Picture
from jobtrack_demo.follow import Watch, read_answers, received
from jobtrack_demo.receiver import Gate, Inbox, Pushed
from jobtrack_local.errors import LocalError
from tests.unit.client.answered import line, progress
from tests.unit.demo.answers import logs

JOB = "cc0e8400-e29b-41d4-a716-446655440000"


@dataclass
class Process:
    """A process that runs, or has ended."""

    name: str = "service"
    exit_code: int | None = None
    last_words: str = "bye"


@dataclass
class Shown:
    """A display that records what it shows."""

    views: list[Picture] = field(default_factory=list)

    def __enter__(self) -> "Shown":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, view: Picture) -> None:
        self.views.append(view)


@dataclass
class Time:
    """A clock that advances only during a sleep; a callback runs then."""

    now: float = 0.0
    then: Callable[[float], None] = lambda _: None

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.then(self.now)


def client(answer: Callable[[httpx.Request], object]) -> Client:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json=answer(request)))
    return Client("http://service", "token", JOB, JOB, transport=transport, attempts=1)


def answering(statuses: list[str]) -> Client:
    def answer(request: httpx.Request) -> object:
        if request.url.path.endswith("/logs"):
            return logs(line(1))
        return progress(statuses.pop(0) if len(statuses) > 1 else statuses[0])

    return client(answer)


def watching(reader: Client, time: Time, service: Process | None = None) -> tuple[Watch, Shown, Gate]:
    shown, gate = Shown(), Gate("bearer")
    return Watch(reader, JOB, gate, shown, service or Process(), time.sleep, time.clock), shown, gate


def test_follows_until_the_job_ends() -> None:
    watch, shown, _ = watching(answering(["Queued", "Running", "Running", "Failed", "Completed"]), Time())
    assert watch.until_ended(Process("worker")) == "Failed"
    assert [view.progress["status"] for view in shown.views] == ["Queued", "Running", "Running", "Failed"]
    assert [entry["sequence"] for entry in shown.views[0].lines] == [1]


def test_looks_once_more_after_the_worker_ended() -> None:
    watch, shown, _ = watching(answering(["Running"]), Time())
    assert watch.until_ended(Process("worker", exit_code=-9)) == "Running"
    assert len(shown.views) == 1


def test_a_service_that_ended_is_told() -> None:
    def refuse(_: httpx.Request) -> object:
        raise httpx.ConnectError("refused")

    watch, _, _ = watching(client(refuse), Time(), Process(exit_code=-9))
    with pytest.raises(LocalError, match="the service ended with code -9; its last words: bye"):
        watch.look()


def test_waits_for_every_message_and_a_moment_for_others() -> None:
    time = Time()
    watch, _, gate = watching(answering(["Completed"]), time)

    def arrive(now: float) -> None:
        if now < 5:
            gate.inbox.messages[f"msg_{now}"] = Pushed("log", round(now * 10))
            gate.inbox.arrivals[f"msg_{now}"] += 1

    time.then = arrive
    inbox = watch.until_pushed(3, quiet=60, settle=2)
    assert len(inbox.messages) == len(gate.inbox.messages) > 3, "those beyond the expected were waited for"
    assert 6.5 < time.now < 8


def test_gives_up_when_nothing_comes_for_long() -> None:
    time = Time()
    watch, _, gate = watching(answering(["Completed"]), time)
    gate.inbox.messages["msg_1"] = Pushed("log", 1)
    gate.inbox.arrivals["msg_1"] += 1
    assert len(watch.until_pushed(2, quiet=60, settle=2).messages) == 1
    assert 60 <= time.now < 61


def test_reads_every_page_of_the_logs() -> None:
    def answer(request: httpx.Request) -> object:
        if request.url.path.endswith("/progress"):
            return progress()
        assert request.url.params["level"] == "DEBUG"
        if request.url.params.get("cursor") == "older":
            return logs(line(1, "DEBUG"), line(2))
        return logs(line(3, "WARN"), line(4), cursor="older")

    answers = read_answers(client(answer), JOB)
    assert answers.lines == {"DEBUG": 1, "INFO": 2, "WARN": 1}
    assert sorted(answers.sequences.elements()) == [1, 2, 3, 4]


def test_tells_of_repeats_and_refusals() -> None:
    inbox = Inbox()
    for number in range(2):
        inbox.messages[f"msg_{number}"] = Pushed("log", number)
        inbox.arrivals[f"msg_{number}"] = 1
    inbox.arrivals["msg_1"] += 3
    inbox.refused.append("bad")
    assert received(inbox) == "webhooks: 2 received and verified, 3 repeated, 1 refused"
