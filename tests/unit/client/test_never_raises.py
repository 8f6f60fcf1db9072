"""Reporting never raises into the program: each public call, with any values and when anything may fail."""

import _thread
import asyncio
import errno
import inspect
import logging
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest

import jobtrack_client as jt
from jobtrack_client._jobs.log_handler import JobLogHandler
from tests.unit.client.service import QUICK, Service, client


def _evil(self: Any, *_: object) -> Any:
    raise RuntimeError("evil")


SPECIAL = ("str", "repr", "len", "iter", "bool", "eq", "hash", "int", "float", "index", "lt", "format", "length_hint")
Evil: Any = type("Evil", (), {**{f"__{name}__": _evil for name in SPECIAL}, "__class__": property(_evil)})


class Changing(Mapping[str, object]):
    """A mapping that another thread changes meanwhile."""

    def __getitem__(self, key: str) -> object:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("dictionary changed size during iteration")

    def __len__(self) -> int:
        return 1

    keys = items = values = _evil


class Unsayable(Exception):
    __str__ = __repr__ = _evil


LOOP: list[object] = []
LOOP.append(LOOP)
VALUES = {
    "evil": Evil(),
    "huge": 10**5000,
    "changing": Changing(),
    "itself": LOOP,
    "half a pair": "\ud800",
    "not a number": float("nan"),
    "bytes": b"\xff",
    "a class": Evil,
    "nothing": None,
}

Row = Callable[[jt.Job, jt.Stage, Any], object]


def run(work: Coroutine[Any, Any, object]) -> None:
    """Unlike `asyncio.run`, without an additional thread at the end."""
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(work)
    finally:
        loop.close()


def _with(enter: Callable[[], Any]) -> None:
    with enter():
        pass


def _log(job: jt.Job, value: Any) -> None:
    record = logging.LogRecord("program", logging.ERROR, __file__, 1, "%s %s", (value, value), None)
    record.details = value
    handler = JobLogHandler(job.log, lambda: None)
    handler.handleError = lambda record: None  # type: ignore[method-assign]
    handler.emit(record)


def _complete(job: jt.Job, value: Any) -> None:
    job.metrics["rows"] = value
    job.complete()


def _end(job: jt.Job, close: Callable[[float], None]) -> None:
    job.complete()
    close(0.5)


def _install(job: jt.Job) -> None:
    with jt.install(job):
        logging.getLogger("program").error("there")


async def _only(value: Any) -> AsyncIterator[Any]:
    yield value


async def _walk(value: Any) -> None:
    async for _ in jt.track(_only(value), value):
        pass


ROWS: dict[str, Row] = {
    "Job.__enter__": lambda job, stage, value: job.__enter__(),
    "Job.__exit__": lambda job, stage, value: job.__exit__(Unsayable, Unsayable(value), None),
    "Job.__aenter__": lambda job, stage, value: run(job.__aenter__()),
    "Job.__aexit__": lambda job, stage, value: run(job.__aexit__(Unsayable, Unsayable(value), None)),
    "Job.start": lambda job, stage, value: job.start(),
    "Job.stage": lambda job, stage, value: _with(lambda: job.stage(value, value)),
    "Job.update": lambda job, stage, value: job.update(value, value, value, value),
    "Job.log": lambda job, stage, value: job.log(
        value, value, component=value, stage=value, details=value, moment=value
    ),
    "Job.complete": lambda job, stage, value: _complete(job, value),
    "Job.fail": lambda job, stage, value: job.fail(value, more=value),
    "Job.cancel": lambda job, stage, value: job.cancel(value),
    "Job.conclude": lambda job, stage, value: job.conclude(Unsayable(value)),
    "Job.interrupt": lambda job, stage, value: job.interrupt(value),
    "Job.flush": lambda job, stage, value: job.flush(0.5),
    "Job.aflush": lambda job, stage, value: run(job.aflush(0.5)),
    "Job.close": lambda job, stage, value: _end(job, job.close),
    "Job.aclose": lambda job, stage, value: _end(job, lambda seconds: run(job.aclose(seconds))),
    "Job.logging_handler": lambda job, stage, value: job.logging_handler(),
    "Job.current_stage": lambda job, stage, value: job.current_stage,
    "Job.stats": lambda job, stage, value: job.stats,
    "Job.created": lambda job, stage, value: job.created,
    "Job.links": lambda job, stage, value: job.links,
    "Job.skip_stage": lambda job, stage, value: job.skip_stage(value),
    "Job.milestone": lambda job, stage, value: job.milestone(value, more=value),
    "Job.warning": lambda job, stage, value: job.warning(value, more=value),
    "Job.error": lambda job, stage, value: job.error(value, more=value),
    "Job.sample": lambda job, stage, value: job.sample(cpu_usage=value),
    "Job.quality": lambda job, stage, value: job.quality(value, value, value),
    "Job.heartbeat": lambda job, stage, value: job.heartbeat(),
    "Job.resource_allocated": lambda job, stage, value: job.resource_allocated(value, value),
    "Job.resource_released": lambda job, stage, value: job.resource_released(value, value),
    "Job.blocked": lambda job, stage, value: job.blocked(value),
    "Job.unblocked": lambda job, stage, value: job.unblocked(value, value),
    "Stage.__enter__": lambda job, stage, value: job.stage(value, value).__enter__(),
    "Stage.__exit__": lambda job, stage, value: stage.__exit__(Unsayable, Unsayable(value), None),
    "Stage.leave": lambda job, stage, value: stage.leave(),
    "Stage.advance": lambda job, stage, value: stage.advance(value),
    "Stage.reach": lambda job, stage, value: stage.reach(value),
    "Stage.update": lambda job, stage, value: stage.update(value, value, value, value, value),
    "Stage.tick": lambda job, stage, value: stage.tick(),
    "Stage.flush": lambda job, stage, value: stage.flush(),
    "Track.__enter__": lambda job, stage, value: _with(lambda: jt.track([], value, total=value)),
    "Track.__exit__": lambda job, stage, value: jt.track([], "Rows").__exit__(None, None, None),
    "Track.__iter__": lambda job, stage, value: list(jt.track([value], value)),
    "Track.__aiter__": lambda job, stage, value: run(_walk(value)),
    "JobLogHandler.emit": lambda job, stage, value: _log(job, value),
    "track": lambda job, stage, value: jt.track(value, value, total=value),
    "install": lambda job, stage, value: _install(job),
    "current_job": lambda job, stage, value: jt.current_job(),
}
NO_REPORTING = {"AsyncClient", "Client", "JobTracker", "models", "types", "verify_webhook"}
"""Public names that talk to the service while their caller waits; those calls raise."""
PLAIN = {"Backoff", "Fault", "Reason", "ReporterOptions", "Stats"}
"""Values without calls of their own."""
DUNDERS = ("__enter__", "__exit__", "__aenter__", "__aexit__", "__iter__", "__aiter__")


def surface() -> Iterator[str]:
    """Return the names that the module exports for reporting."""
    for name in (*jt.__all__, "JobLogHandler"):
        value = getattr(jt, name, JobLogHandler)
        if name in NO_REPORTING | PLAIN or (inspect.isclass(value) and issubclass(value, Exception)):
            continue
        yield from (f"{name}.{each}" for each in members(value)) if inspect.isclass(value) else [name]


def members(kind: type) -> Iterator[str]:
    for base in kind.__mro__:
        if base.__module__.startswith("jobtrack_client"):
            yield from (name for name in vars(base) if not name.startswith("_") or name in DUNDERS)


@contextmanager
def nothing(patch: pytest.MonkeyPatch) -> Iterator[None]:
    yield


@contextmanager
def no_threads(patch: pytest.MonkeyPatch) -> Iterator[None]:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("can't start new thread")

    with patch.context() as patched:
        patched.setattr(threading.Thread, "start", fail)
        patched.setattr(_thread, "start_new_thread", fail)
        yield


@contextmanager
def no_memory(patch: pytest.MonkeyPatch) -> Iterator[None]:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    with patch.context() as patched:
        for name in ("make_event", "snapshot"):
            patched.setattr(f"jobtrack_client._reporting.reporter.{name}", fail)
        patched.setattr("jobtrack_client._reporting.buffer.make_line", fail)
        yield


@contextmanager
def no_descriptors(patch: pytest.MonkeyPatch) -> Iterator[None]:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    with patch.context() as patched:
        patched.setattr("jobtrack_client._reporting.reporter.Relay", fail)
        patched.setattr(httpx.Client, "send", fail)
        yield


class Broken(logging.Handler):
    def handle(self, record: logging.LogRecord) -> bool:
        raise RuntimeError("evil")


@contextmanager
def a_broken_log(patch: pytest.MonkeyPatch) -> Iterator[None]:
    handler = Broken()
    logging.getLogger("jobtrack_client").addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger("jobtrack_client").removeHandler(handler)


SURROUNDINGS = [nothing, no_threads, no_memory, no_descriptors, a_broken_log]


def report(row: Row, value: object, options: jt.ReporterOptions, around: Callable[[], Any]) -> Service:
    """A job within which the call is made."""
    service = Service()
    with client(service).job("Import", job_type="import", options=options) as job, ExitStack() as stack:
        stage = stack.enter_context(job.stage("Load"))
        with around():
            row(job, stage, value)
    return service


def test_every_public_call_has_a_row() -> None:
    assert sorted(ROWS) == sorted({*surface()})


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("name", ROWS)
def test_a_call_with_any_value_does_not_raise_and_the_job_ends(name: str, value: str) -> None:
    service = report(ROWS[name], VALUES[value], QUICK, ExitStack)
    assert not {"jobCompleted", "jobFailed", "jobCancelled"}.isdisjoint(service.types())


@pytest.mark.parametrize("surroundings", SURROUNDINGS)
@pytest.mark.parametrize("name", ROWS)
def test_a_call_in_any_surroundings_does_not_raise_and_the_job_ends(
    name: str, surroundings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In some of them nothing can be sent, and waiting for the end would be useless.
    options = replace(QUICK, close_seconds=0.5)
    report(ROWS[name], "text", options, lambda: surroundings(monkeypatch))


@pytest.mark.parametrize("now", [None, float("nan"), 1e300, -1, "now", RuntimeError()], ids=repr)
def test_a_clock_and_a_key_that_fail_cost_no_event(now: Any) -> None:
    def answer() -> Any:
        if isinstance(now, Exception):
            raise now
        return now

    options = replace(QUICK, clock=answer, key=lambda: str(_evil(None)))
    service = report(lambda job, stage, value: stage.advance(), None, options, ExitStack)
    assert service.types() == ["jobStarted", "stageStarted", "progressUpdate", "stageCompleted", "jobCompleted"]


@pytest.mark.parametrize("error", [RuntimeError, OSError, MemoryError, SystemExit, KeyboardInterrupt])
def test_a_transport_that_raises_anything_ends_no_reporting(error: type[BaseException]) -> None:
    service, raised = Service(), iter([None, None, error(3)])

    def answer(request: httpx.Request) -> httpx.Response:
        if failure := next(raised, None):
            raise failure
        return service(request)

    with client(answer).job("Import", job_type="import", options=QUICK) as job:
        assert job.flush(20)
        job.log("INFO", "one")
        job.flush(20)
        job.log("INFO", "two")
    assert service.types()[-1] == "jobCompleted"
    assert "two" in service.messages()


@pytest.mark.parametrize("frames", range(5, 61, 8))
@pytest.mark.parametrize(
    "name", ["Job.log", "Job.update", "Job.milestone", "Stage.advance", "Job.flush", "current_job"]
)
def test_a_call_with_little_stack_left_does_not_raise(name: str, frames: int) -> None:
    def dive(left: int) -> None:
        if left:
            dive(left - 1)
        else:
            ROWS[name](job, stage, 1)

    with client(Service()).job("Import", job_type="import", options=QUICK) as job, job.stage("Load") as stage:
        depth = len(inspect.stack(0))
        dive(sys.getrecursionlimit() - depth - frames - 8)


def test_a_job_for_which_no_thread_can_be_started_is_sent_at_its_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    service = Service()
    with no_threads(monkeypatch), client(service).job("Import", job_type="import", options=QUICK) as job:
        job.log("INFO", "there")
    assert service.types() == ["jobStarted", "log", "jobCompleted"]
    assert "events are only sent at the job's end: can't start new thread" in caplog.text


def test_a_call_with_arguments_that_it_does_not_take_is_an_error_of_the_program() -> None:
    with client(Service()).job("Import", job_type="import", options=QUICK) as job:
        with pytest.raises(TypeError, match="unexpected keyword argument 'levle'"):
            job.log("INFO", "there", levle=3)  # type: ignore[call-arg]
        with pytest.raises(TypeError, match="missing 1 required positional argument"):
            job.milestone()  # type: ignore[call-arg]


def test_what_fails_is_logged_once_in_a_while(caplog: pytest.LogCaptureFixture) -> None:
    with client(Service()).job("Import", job_type="import", options=QUICK) as job:
        for _ in range(100):
            job.update(operation=Evil(), details=Evil())
            job.log("INFO", "odd", component=Evil())
    assert len(caplog.records) <= 3
