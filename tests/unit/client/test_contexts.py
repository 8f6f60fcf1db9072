"""The stage of a line and the job of code: by thread and task, independent of other threads."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from multiprocessing.pool import ThreadPool
from queue import SimpleQueue
from typing import Any

import pytest

import jobtrack_client as jt
from tests.unit.client.service import QUICK, Service, client


def run(service: Service, **more: Any) -> jt.Job:
    return client(service).job("Import", job_type="import", options=QUICK, **more)


def stages(service: Service) -> dict[str, str | None]:
    """Return the stage of each line."""
    return {event["data"]["message"]: event["data"].get("stage") for event in service.events if event["type"] == "log"}


def elsewhere(call: Callable[[], object]) -> None:
    """Call it in a thread without a context."""
    thread = threading.Thread(target=call)
    thread.start()
    thread.join()


def test_a_task_s_lines_bear_the_stage_that_the_task_is_in() -> None:
    service = Service()

    async def part(job: jt.Job, name: str, others: asyncio.Barrier) -> None:
        with job.stage(name):
            await others.wait()
            job.log("INFO", f"in {name}")
            await asyncio.to_thread(job.log, "INFO", f"in a thread of {name}")
            await others.wait()
        job.log("INFO", f"after {name}")

    async def work() -> None:
        others = asyncio.Barrier(2)
        async with run(service) as job:
            tasks = asyncio.gather(part(job, "A", others), part(job, "B", others))
            job.log("INFO", "beside them")
            await tasks

    asyncio.run(work())
    assert stages(service) == {
        **{"beside them": None, "in A": "A", "in B": "B", "in a thread of A": "A", "in a thread of B": "B"},
        **{"after A": None, "after B": None},
    }


def test_a_thread_s_lines_bear_the_stage_that_the_thread_is_in() -> None:
    service = Service()
    others = threading.Barrier(2)

    def part(job: jt.Job, name: str) -> None:
        with job.stage(name):
            others.wait(20)
            job.log("INFO", f"in {name}")
            others.wait(20)

    with run(service) as job, ThreadPoolExecutor(2) as pool, job.stage("All"):
        list(pool.map(lambda name: part(job, name), "AB"))
        job.log("INFO", "outside")
    assert stages(service) == {"in A": "A", "in B": "B", "outside": "All"}


def test_a_thread_that_knows_of_no_stage_is_in_the_one_that_runs_if_there_is_only_one() -> None:
    service = Service()
    with run(service) as job:
        elsewhere(lambda: job.log("INFO", "before"))
        with job.stage("Load"):
            elsewhere(lambda: job.log("INFO", "in Load"))
            with job.stage("Parse"):
                elsewhere(lambda: job.log("INFO", "in Parse"))
        beside = job.stage("Beside")
        copy_context().run(beside.__enter__)
        old = Older()
        with job.stage("Save"):
            elsewhere(lambda: job.log("INFO", "started in one of two"))
            old.call(lambda: job.log("INFO", "in one of two"))
        beside.leave()
        with job.stage("Sort"):
            old.call(lambda: job.log("INFO", "in the only one"))
    assert stages(service) == {
        **{"before": None, "in Load": "Load", "in Parse": "Parse"},
        **{"started in one of two": "Save", "in one of two": None, "in the only one": "Sort"},
    }


def test_a_stage_that_a_thread_began_is_nobody_else_s() -> None:
    service = Service()
    with run(service) as job:
        mine = job.stage("Mine")
        elsewhere(mine.__enter__)
        elsewhere(lambda: job.log("INFO", "another"))
        job.log("INFO", "here")
        mine.leave()
    assert stages(service) == {"another": None, "here": None}


def test_a_stage_that_ends_elsewhere_than_it_began_has_ended() -> None:
    service = Service()
    with run(service) as job:
        stage = job.stage("Load")
        stage.__enter__()
        elsewhere(stage.leave)
        job.log("INFO", "after")
        with job.stage("Save"):
            job.log("INFO", "saving")
        job.log("INFO", "at last")
    assert stages(service) == {"after": None, "saving": "Save", "at last": None}


def test_the_current_job_is_that_of_the_innermost_with() -> None:
    service = Service()
    assert jt.current_job() is None
    with run(service) as outer:
        assert jt.current_job() is outer
        with run(service) as inner, inner.stage("Load"):
            assert jt.current_job() is inner
            assert outer.current_stage is None
        assert jt.current_job() is outer
    assert jt.current_job() is None


def found(call: Callable[[Callable[[], None]], object]) -> jt.Job | None:
    """Return the current job of code that is called like this."""
    jobs: list[jt.Job | None] = []
    call(lambda: jobs.append(jt.current_job()))
    return jobs[0]


def in_executor(call: Callable[[], None]) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(call).result(20)


def in_executor_of_loop(call: Callable[[], None]) -> None:
    async def work() -> None:
        await asyncio.get_running_loop().run_in_executor(None, call)

    asyncio.run(work())


def in_thread_of_task(call: Callable[[], None]) -> None:
    asyncio.run(asyncio.to_thread(call))


def in_thread_of_thread(call: Callable[[], None]) -> None:
    elsewhere(lambda: elsewhere(call))


def in_thread_pool(call: Callable[[], None]) -> None:
    with ThreadPool(1) as pool:
        pool.apply(call)


ELSEWHERE = [elsewhere, in_executor, in_executor_of_loop, in_thread_of_task, in_thread_of_thread, in_thread_pool]


@pytest.mark.parametrize("way", ELSEWHERE)
def test_code_that_a_job_starts_elsewhere_belongs_to_it_however_many_run(way: Callable[..., object]) -> None:
    service = Service()
    together = threading.Barrier(2)

    def work() -> bool:
        together.wait(20)
        with run(service) as job:
            together.wait(20)
            mine = found(way) is job
            together.wait(20)
        return mine and found(way) is None

    with ThreadPoolExecutor(2) as pool:
        assert [each.result(60) for each in [pool.submit(work), pool.submit(work)]] == [True, True]


def test_an_executor_s_thread_belongs_to_the_job_of_each_call_and_to_none_that_has_ended() -> None:
    service = Service()
    with ThreadPoolExecutor(1) as pool:

        def in_pool(call: Callable[[], None]) -> None:
            pool.submit(call).result(20)

        def with_stage(job: jt.Job) -> None:
            with job.stage("Load"):
                pass

        with run(service) as first:
            assert found(in_pool) is first
            pool.submit(with_stage, first).result(20)
            with run(service) as second:
                assert found(in_pool) is second
            assert found(in_pool) is first
        assert found(in_pool) is None


class Older:
    """A thread that was started before it got its work."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._done: SimpleQueue[bool] = SimpleQueue()
        threading.Thread(target=self._run, daemon=True).start()

    def call(self, call: Callable[[], None]) -> None:
        self._calls.put(call)
        self._done.get(timeout=20)

    def _run(self) -> None:
        while True:
            self._calls.get()()
            self._done.put(True)


def test_a_thread_that_was_there_before_belongs_to_the_job_of_the_main_thread_and_to_no_other_s() -> None:
    service = Service()
    old = Older()
    with run(service) as job:
        assert found(old.call) is job
        started_in_job = Older()
    assert (found(old.call), found(started_in_job.call)) == (None, None)
    with run(service) as job:
        assert found(started_in_job.call) is job

    def beside() -> bool:
        with run(service):
            return found(old.call) is None

    async def task() -> bool:
        return beside()

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(beside).result(20)
    assert asyncio.run(task())


def test_a_thread_s_lines_bear_the_stage_that_it_was_started_in() -> None:
    service = Service()
    with run(service) as job, ThreadPoolExecutor(1) as pool:
        for name in "AB":
            with job.stage(name), job.stage(f"{name}, part"):
                pool.submit(job.log, "INFO", name).result(20)
    assert stages(service) == {"A": "A, part", "B": "B, part"}


def test_an_event_loop_goes_on_while_a_job_begins_is_flushed_and_ends() -> None:
    service = Service()
    waiting = threading.Semaphore(0)

    def answer(request: Any) -> Any:
        assert waiting.acquire(timeout=20), "the loop stood still"
        return service(request)

    async def beat() -> None:
        while True:
            waiting.release()
            await asyncio.sleep(0.001)

    async def work() -> None:
        heart = asyncio.create_task(beat())
        async with client(answer).job("Import", job_type="import", options=QUICK) as job:
            assert len(service.jobs) == 1
            with job.stage("Load"):
                job.log("INFO", "there")
                assert await job.aflush(20)
                assert service.messages() == ["there"]
        heart.cancel()

    asyncio.run(work())
    assert service.types() == ["jobStarted", "stageStarted", "log", "stageCompleted", "jobCompleted"]


@pytest.mark.parametrize(("seconds", "end"), [(60, "jobCancelled"), (0.01, "jobFailed")])
def test_a_cancelled_task_cancels_its_job_and_a_timeout_fails_it(seconds: float, end: str) -> None:
    service = Service()

    async def work() -> None:
        async with run(service), asyncio.timeout(seconds):
            await asyncio.sleep(60)

    async def cancelled() -> None:
        task = asyncio.create_task(work())
        await asyncio.wait([task], timeout=0.1)
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(cancelled())
    assert service.types()[-1] == end
