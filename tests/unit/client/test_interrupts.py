"""Signals that end a process: the client's handler is set while a job runs, and other handlers are kept."""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest

import jobtrack_client as jt
from jobtrack_client._jobs import interrupts
from tests.unit.client.service import GUID, QUICK, Service, client

HANDLED = (signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def default_actions(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Begin without jobs: other tests of this process may have left some open."""
    monkeypatch.setattr(interrupts._GUARD, "jobs", {})
    before = {number: signal.signal(number, signal.SIG_DFL) for number in HANDLED}
    yield
    for number, action in before.items():
        signal.signal(number, action)


def run(service: Service) -> jt.Job:
    return client(service).job("Import", job_type="import", options=QUICK)


def actions() -> list[Any]:
    return [signal.getsignal(number) for number in HANDLED]


def test_the_default_action_is_replaced_while_any_job_runs() -> None:
    service = Service()
    with run(service):
        ours = actions()
        assert signal.SIG_DFL not in ours
        with run(service):
            assert actions() == ours
        assert actions() == ours
    assert actions() == [signal.SIG_DFL, signal.SIG_DFL]


def test_a_handler_of_the_program_and_an_ignored_signal_stay() -> None:
    def own(number: int, frame: FrameType | None) -> None:
        """The program's own handler."""

    signal.signal(signal.SIGTERM, own)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with run(Service()):
        assert actions() == [own, signal.SIG_IGN]
    assert actions() == [own, signal.SIG_IGN]


def test_a_handler_that_the_program_sets_while_a_job_runs_stays() -> None:
    with run(Service()):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    assert actions() == [signal.SIG_IGN, signal.SIG_DFL]


def test_the_handlers_of_an_event_loop_come_first() -> None:
    async def work() -> list[str]:
        heard: list[str] = []
        async with run(Service()):
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, heard.append, "SIGTERM")
            os.kill(os.getpid(), signal.SIGTERM)
            while not heard:
                await asyncio.sleep(0)
            asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)
        return heard

    assert asyncio.run(work()) == ["SIGTERM"]


def test_a_job_of_another_thread_runs_without_a_handler() -> None:
    seen: list[list[Any]] = []

    def work() -> None:
        with run(Service()):
            seen.append(actions())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [[signal.SIG_DFL, signal.SIG_DFL]]


class Dying:
    """A process that records the signals that would end it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.died: list[int] = []
        self.waited: list[float] = []
        self.actions: list[Any] = []
        monkeypatch.setattr(interrupts, "_die", self.died.append)
        monkeypatch.setattr(interrupts, "sleep", self.waited.append)
        monkeypatch.setattr(interrupts, "start_new_thread", self._start)

    def _start(self, call: Any, arguments: tuple[Any, ...]) -> None:
        self.actions = actions()
        call(*arguments)


def test_it_cancels_every_open_job_of_the_process_and_a_second_signal_ends_it_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service, dying = Service(), Dying(monkeypatch)
    with run(service), run(service), client(service).attach(GUID, options=QUICK) as joined:
        joined.log("INFO", "sent too")
        signal.raise_signal(signal.SIGTERM)
        ended = service.types()
    assert dying.actions == [signal.SIG_DFL, signal.SIG_DFL]
    assert dying.died[0] == signal.SIGTERM
    assert ended.count("jobCancelled") == 2
    assert service.messages().count("cancelled: received SIGTERM") == 2
    assert "sent too" in service.messages()


def test_a_job_that_has_ended_stays_as_it_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    service, _ = Service(), Dying(monkeypatch)
    with run(service) as job:
        job.complete()
        signal.raise_signal(signal.SIGHUP)
    assert service.types() == ["jobStarted", "jobCompleted"]


class Raising(logging.Handler):
    """A function that a signal interrupts."""

    def emit(self, record: logging.LogRecord) -> None:
        """Raise the interruption."""
        signal.raise_signal(signal.SIGTERM)


def test_a_job_that_another_process_may_go_on_with_is_not_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    service, _ = Service(), Dying(monkeypatch)
    with client(service).job("Import", job_type="import", job_id=GUID, resume=True, options=QUICK):
        signal.raise_signal(signal.SIGTERM)
        ended = service.types()
    assert ended == ["jobStarted", "log"]
    assert service.messages() == ["interrupted: received SIGTERM"]


def test_the_program_holds_still_meanwhile_unless_it_may_hold_a_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    dying = Dying(monkeypatch)
    with run(Service()):
        signal.raise_signal(signal.SIGTERM)
    assert dying.waited == [interrupts.SECONDS]
    with run(Service()):
        Raising().handle(logging.makeLogRecord({}))
    assert dying.died.count(signal.SIGTERM) == 3
    assert dying.waited == [interrupts.SECONDS]
