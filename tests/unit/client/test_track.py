"""`for row in track(rows, "Import")`: a job, or a stage of the current one, that ends like the loop."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import nullcontext, suppress
from itertools import islice
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


Loop = Callable[[Any], object]


def raises_in_its_body(loop: Any) -> None:
    for _ in loop:
        raise ValueError("row 1")


def raises_in_a_library(loop: Any) -> None:
    for _ in loop:
        int("row 1")


def raises_within_try(loop: Any) -> None:
    try:
        for _ in loop:
            int("row 1")
    finally:
        str(loop)


def raises_within_with(loop: Any) -> None:
    with suppress(ZeroDivisionError), nullcontext():
        for _ in loop:
            int("row 1")


def raises_while_another_is_handled(loop: Any) -> None:
    try:
        int("row 0")
    except ValueError:
        for _ in loop:
            int("row 1")


def raises_within_enumerate(loop: Any) -> None:
    for _ in enumerate(loop):
        int("row 1")


def raises_within_zip(loop: Any) -> None:
    for _ in zip("abc", loop, strict=False):
        int("row 1")


def raises_around_an_expression(loop: Any) -> None:
    for _ in (row for row in loop):
        int("row 1")


def raises_around_a_generator(loop: Any) -> None:
    def rows() -> Iterator[Any]:
        for row in loop:
            yield row.upper()

    for _ in rows():
        int("row 1")


def raises_around_a_delegating_generator(loop: Any) -> None:
    def rows() -> Iterator[Any]:
        yield from loop

    for _ in rows():
        int("row 1")


def raises_deeper(loop: Any) -> None:
    def load(_: str) -> None:
        raises_in_a_library(loop)

    list(map(load, "a"))


def raises_after_others(loop: Any) -> None:
    errors = []
    for _ in loop:
        try:
            int("row 0")
        except ValueError as error:
            errors.append(error)
        if len(errors) == 2:
            int("row 1")


def raises_through_finally(loop: Any) -> None:
    for _ in loop:
        try:
            int("row 1")
        finally:
            str(loop)


def raises_through_with(loop: Any) -> None:
    for _ in loop:
        with nullcontext(), suppress(KeyError):
            int("row 1")


def raises_again(loop: Any) -> None:
    for _ in loop:
        try:
            int("row 1")
        except ValueError:
            str(loop)
            raise


def raises_another_from_it(loop: Any) -> None:
    for _ in loop:
        try:
            loop["row 1"]
        except TypeError as error:
            raise ValueError("row 1") from error


def raises_in_what_is_called(loop: Any) -> None:
    def load(_: object) -> None:
        int("row 1")

    list(map(load, loop))


RAISING = [
    raises_in_what_is_called,
    *(raises_through_finally, raises_through_with, raises_again, raises_another_from_it),
    *(raises_in_its_body, raises_in_a_library, raises_within_try, raises_within_with, raises_while_another_is_handled),
    *(raises_within_enumerate, raises_within_zip, raises_around_an_expression),
    *(raises_around_a_generator, raises_around_a_delegating_generator, raises_deeper, raises_after_others),
]


@pytest.mark.parametrize("work", RAISING)
def test_what_the_body_raises_fails_the_loop(work: Loop) -> None:
    service = Service()
    with pytest.raises(ValueError, match="row 1"):
        work(tracked(service, "abc"))
    assert service.types()[-2:] == ["stageFailed", "jobFailed"]
    error = service.events[-1]["data"]["error"]
    assert error["type"] == "ValueError"
    assert "row 1" in error["message"]


@pytest.mark.parametrize("work", RAISING)
def test_what_the_body_of_a_stage_raises_fails_the_stage(work: Loop) -> None:
    service = Service()
    with client(service).job("Nightly", job_type="n", options=QUICK):
        with suppress(ValueError):
            work(track("abc", "Letters"))
        list(track("abc", "Figures"))
    assert [kind for kind in service.types() if kind not in ("stageStarted", "progressUpdate")] == [
        *("jobStarted", "stageFailed", "stageCompleted", "jobCompleted")
    ]


@pytest.mark.parametrize(
    "work",
    [
        lambda loop: sum(int("row 1") for _ in loop),
        lambda loop: max(int("row 1") for _ in loop),
        lambda loop: [int("row 1") for _ in loop],
        lambda loop: {int("row 1") for _ in loop},
    ],
    ids=["sum", "max", "list comprehension", "set comprehension"],
)
def test_what_is_raised_within_a_comprehension_fails_the_loop(work: Loop) -> None:
    service = Service()
    with suppress(ValueError):
        work(tracked(service, "abc"))
    assert service.types()[-2:] == ["stageFailed", "jobFailed"]


def test_what_is_caught_around_the_loop_fails_it_and_the_program_goes_on() -> None:
    service = Service()
    for text in ("row 1", "row 2"):
        try:
            for _ in tracked(service, "abc"):
                int(text)
        except ValueError:
            pass
    errors = [event["data"]["error"]["message"] for event in service.events if event["type"] == "jobFailed"]
    assert [text.rpartition(" ")[2] for text in errors] == ["1'", "2'"]
    assert sys.gettrace() is None


@pytest.mark.parametrize(
    ("raised", "end", "data"),
    [
        (SystemExit(3), "jobFailed", {"error": {"message": "exit code 3", "type": "SystemExit", "exitCode": 3}}),
        (SystemExit(), "jobCompleted", None),
        (KeyboardInterrupt(), "jobCancelled", {"metrics": {"reason": "interrupted (KeyboardInterrupt)"}}),
        (StopIteration("row 1"), "jobFailed", {"error": {"message": "row 1", "type": "StopIteration"}}),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_an_exit_and_an_interruption_end_the_loop_as_they_end_a_job(
    raised: BaseException, end: str, data: object
) -> None:
    service = Service()

    def work() -> None:
        for _ in tracked(service, "abc"):
            raise raised

    with pytest.raises(type(raised)):
        work()
    assert (service.events[-1]["type"], service.events[-1].get("data")) == (end, data)


def breaks(loop: Any) -> None:
    for _ in loop:
        break


def breaks_after_an_error(loop: Any) -> None:
    for _ in loop:
        try:
            int("row 1")
        except ValueError:
            break


def breaks_with_an_error(loop: Any) -> None:
    errors = []
    for _ in loop:
        try:
            int("row 1")
        except ValueError as error:
            errors.append(error)
        if errors:
            break


def breaks_while_an_error_is_handled(loop: Any) -> None:
    try:
        int("row 1")
    except ValueError:
        for _ in loop:
            break


def returns(loop: Any) -> object:
    for row in loop:
        return row
    return None


def takes_one(loop: Any) -> None:
    next(iter(loop))


def is_a_shorter_slice(loop: Any) -> None:
    list(islice(loop, 1))


def is_short_circuited(loop: Any) -> None:
    any(row for row in loop)


LEAVING = [
    *(breaks, breaks_after_an_error, breaks_with_an_error, breaks_while_an_error_is_handled, returns, takes_one),
    *(is_a_shorter_slice, is_short_circuited),
]


@pytest.mark.parametrize("work", LEAVING)
@pytest.mark.parametrize(("items", "of"), [(list, " of 3"), (lambda text: (each for each in text), "")])
def test_a_loop_that_is_left_is_cancelled_with_how_far_it_came(work: Loop, items: Any, of: str) -> None:
    service = Service()
    work(tracked(service, items("abc")))
    assert service.types()[-1] == "jobCancelled"
    assert service.events[-1]["data"] == {"metrics": {"reason": f"the loop was left after 1{of} items"}}
    assert "stageCompleted" not in service.types()


@pytest.mark.parametrize(
    "work",
    [
        lambda loop: list(zip("abc", loop, strict=False)),
        lambda loop: list(zip(loop, "abc", strict=False)),
        lambda loop: list(islice(loop, 3)),
        lambda loop: dict(zip("abc", loop, strict=True)),
        lambda loop: [row for _, row in zip(range(3), loop, strict=False)],
        lambda loop: [next(rows) for rows in [iter(loop)] for _ in range(3)],
        lambda loop: list(enumerate(loop)),
        lambda loop: [*map(str, loop)],
        lambda loop: [None for _ in (row for _, row in zip("abc", loop, strict=False))],
    ],
    ids=["zip-second", "zip-first", "islice", "dict", "comprehension", "next", "enumerate", "map", "expression"],
)
def test_a_loop_whose_items_were_all_handed_out_is_complete(work: Loop) -> None:
    service = Service()
    work(tracked(service, "abc"))
    assert service.types()[-2:] == ["stageCompleted", "jobCompleted"]
    assert counts(service)[-1] == 3


def test_a_loop_that_raises_at_its_last_item_fails() -> None:
    service = Service()

    def work() -> None:
        for number, _ in zip(range(3), tracked(service, "abc"), strict=False):
            if number == 2:
                raise ValueError("row 2")

    with pytest.raises(ValueError, match="row 2"):
        work()
    assert service.types()[-1] == "jobFailed"


def test_loops_within_and_after_each_other_end_each_by_itself() -> None:
    service = Service()
    for _ in tracked(service, "ab"):
        with suppress(ValueError):
            raises_in_a_library(track("abc", "Inner"))
    list(tracked(service, "ab"))
    assert [kind for kind in service.types() if kind not in ("progressUpdate", "stageStarted")] == [
        *("jobStarted", "stageFailed", "stageFailed", "stageCompleted", "jobCompleted"),
        *("jobStarted", "stageCompleted", "jobCompleted"),
    ]


def test_what_leaves_loops_within_each_other_fails_each_with_its_type() -> None:
    service = Service()

    def work() -> None:
        for _ in tracked(service, "ab"):
            for _ in track("abc", "Inner"):
                for _ in track("abc", "Innermost"):
                    int("row 1")

    with pytest.raises(ValueError, match="row 1"):
        work()
    assert service.types()[-4:] == ["stageFailed", "stageFailed", "stageFailed", "jobFailed"]
    assert {event["data"]["error"]["type"] for event in service.events[-4:]} == {"ValueError"}
    assert sys.gettrace() is None


def test_below_a_tracer_what_was_raised_is_not_seen_but_that_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service()
    monkeypatch.setattr(sys, "gettrace", lambda: print)
    with pytest.raises(ValueError, match="row 1"):
        raises_in_a_library(tracked(service, "abc"))
    assert service.types()[-1] == "jobFailed"


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


async def letters() -> AsyncIterator[str]:
    for letter in "abc":
        await asyncio.sleep(0)
        yield letter


async def raises_asynchronously(service: Service) -> None:
    async for _ in tracked(service, letters()):
        await asyncio.sleep(0)
        int("row 1")


async def raises_in_a_coroutine_of_a_coroutine(service: Service) -> None:
    await raises_asynchronously(service)


async def raises_in_a_task(service: Service) -> None:
    await asyncio.gather(asyncio.create_task(raises_asynchronously(service)), asyncio.sleep(0))


async def is_caught(service: Service) -> None:
    try:
        async for _ in tracked(service, letters()):
            int("row 1")
    except ValueError:
        await asyncio.sleep(0)
    raise ValueError("row 2")


@pytest.mark.parametrize(
    "work", [raises_asynchronously, raises_in_a_coroutine_of_a_coroutine, raises_in_a_task, is_caught]
)
def test_what_the_body_of_an_asynchronous_loop_raises_fails_it(work: Callable[[Service], Any]) -> None:
    service = Service()
    with pytest.raises(ValueError, match="row"):
        asyncio.run(work(service))
    assert service.types()[-2:] == ["stageFailed", "jobFailed"]
    assert service.events[-1]["data"]["error"] == {
        **{"message": "invalid literal for int() with base 10: 'row 1'", "type": "ValueError"}
    }


async def raises_in_a_loop_of_a_task(service: Service) -> None:
    for _ in tracked(service, "abc"):
        await asyncio.sleep(0)
        int("row 1")


def test_what_the_body_of_a_loop_within_a_task_raises_fails_it() -> None:
    service = Service()
    with pytest.raises(ValueError, match="row 1"):
        asyncio.run(raises_in_a_loop_of_a_task(service))
    assert service.types()[-2:] == ["stageFailed", "jobFailed"]
    assert service.events[-1]["data"]["error"]["type"] == "ValueError"


def test_a_loop_within_a_task_that_is_cancelled_is_cancelled() -> None:
    service = Service()
    begun = asyncio.Event()

    async def work() -> None:
        for _ in tracked(service, "abc"):
            begun.set()
            await asyncio.sleep(60)

    async def cancelled() -> None:
        task = asyncio.create_task(work())
        await begun.wait()
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(cancelled())
    assert service.events[-1]["data"] == {"metrics": {"reason": "the task was cancelled (CancelledError)"}}


def test_an_asynchronous_loop_ends_where_no_thread_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service()

    def refuse(_: object) -> None:
        raise RuntimeError("can't start new thread")

    async def work() -> None:
        with monkeypatch.context() as patch:
            async for _ in tracked(service, letters(), total=3):
                patch.setattr("threading.Thread.start", refuse)
                break

    asyncio.run(work())
    assert service.types()[-1] == "jobCancelled"


@pytest.mark.parametrize("within", ["the items", "the body"])
def test_an_asynchronous_loop_whose_task_is_cancelled_is_cancelled(within: str) -> None:
    service = Service()
    begun = asyncio.Event()

    async def waiting() -> AsyncIterator[str]:
        yield "a"
        begun.set()
        await asyncio.sleep(60)

    async def work() -> None:
        async for _ in tracked(service, waiting()):
            if within == "the body":
                begun.set()
                await asyncio.sleep(60)

    async def cancelled() -> None:
        task = asyncio.create_task(work())
        await begun.wait()
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(cancelled())
    assert service.events[-1]["data"] == {"metrics": {"reason": "the task was cancelled (CancelledError)"}}


def test_an_asynchronous_loop_that_is_left_is_cancelled_and_in_a_with_statement_complete() -> None:
    service = Service()

    async def work() -> None:
        async for _ in tracked(service, letters(), total=3):
            break
        with tracked(service, letters()) as ours:
            async for _ in ours:
                break

    asyncio.run(work())
    assert [kind for kind in service.types() if kind.startswith("job")] == [
        *("jobStarted", "jobCancelled", "jobStarted", "jobCompleted")
    ]


def test_what_a_new_job_lacks_is_told_when_the_loop_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JOBTRACK_URL", raising=False)
    loop = track("abc", "Import")
    with pytest.raises(jt.ConfigurationError, match="base_url is missing"):
        list(loop)
