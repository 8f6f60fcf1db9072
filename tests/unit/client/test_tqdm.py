"""tqdm bars, as programs use them, are stages of a job; none of these loops knows that it is tracked."""

import asyncio
import io
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from tqdm import tqdm, trange
from tqdm.auto import tqdm as auto

import jobtrack_client as jt
from jobtrack_client._loops import tracked_loop
from tests.unit.client.service import QUICK, Service, client

Bars = Callable[..., Any]


class Tracked:
    """The default job of the process."""

    def __init__(self) -> None:
        self.service = Service()
        self.job = client(self.service).job("Program", job_type="program", options=QUICK)

    def stages(self) -> list[tuple[str, int | None, str, int | None]]:
        """Return name, total, result and records of the stages, in order of their starts."""
        assert self.job.flush(20)
        found: dict[str, list[Any]] = {}
        for event in self.service.events:
            data = event.get("data", {})
            if event["type"] == "stageStarted":
                found[data["stageName"]] = [data.get("totalRecords"), "open", None]
            elif event["type"] == "progressUpdate":
                found[data["stageName"]][0] = data.get("totalRecords")
                found[data["stageName"]][2] = data["recordsProcessed"]
            elif event["type"].startswith("stage"):
                found[data["stageName"]][1:] = event["type"], data.get("recordsProcessed")
        return [(name, *rest) for name, rest in found.items()]

    def operations(self) -> list[str]:
        assert self.job.flush(20)
        told = [event["data"].get("operation") for event in self.service.events if event["type"] == "progressUpdate"]
        return [operation for i, operation in enumerate(told) if operation and told[i - 1] != operation]


@pytest.fixture
def tracked() -> Iterator[Tracked]:
    it = Tracked()
    with it.job, jt.install(it.job):
        yield it


def shown(bars: Bars, *args: Any, **kwargs: Any) -> Any:
    """A bar that is updated at every step, without output."""
    return bars(*args, file=io.StringIO(), mininterval=0, **kwargs)


@pytest.mark.parametrize("bars", [tqdm, auto])
def test_a_loop_is_a_stage_with_its_total_and_its_records(tracked: Tracked, bars: Bars) -> None:
    assert list(shown(bars, "abc", desc="Letters")) == ["a", "b", "c"]
    assert tracked.stages() == [("Letters", 3, "stageCompleted", 3)]


def test_what_is_shown_is_what_was_shown_before() -> None:
    def display() -> str:
        screen = io.StringIO()
        list(tqdm("abc", desc="Letters", file=screen, mininterval=0, bar_format="{desc} {n_fmt}/{total_fmt}"))
        return screen.getvalue()

    it, before = Tracked(), display()
    with it.job, jt.install(it.job):
        assert display() == before
    assert before.count("\r") == 5


def test_a_bar_that_is_disabled_is_tracked_all_the_same(tracked: Tracked) -> None:
    list(tqdm("abc", desc="Letters", disable=True))
    with tqdm(total=4, desc="Figures", disable=True) as bar:
        bar.update(3)
        bar.update()
    assert tracked.stages() == [("Letters", 3, "stageCompleted", 3), ("Figures", 4, "stageCompleted", 4)]


def test_a_bar_without_a_name_is_called_by_its_place(tracked: Tracked) -> None:
    for _ in shown(trange, 2):
        pass
    ((name, total, end, records),) = tracked.stages()
    assert name.startswith("test_tqdm.py:")
    assert (total, end, records) == (2, "stageCompleted", 2)


def test_a_bar_that_is_moved_by_hand_is_a_stage(tracked: Tracked) -> None:
    bar = shown(tqdm, total=10, desc="Bytes")
    bar.update(4)
    bar.n = 7
    bar.refresh()
    bar.update(3)
    bar.close()
    with shown(tqdm, desc="Unknown") as unknown:
        unknown.update(5)
    assert tracked.stages() == [("Bytes", 10, "stageCompleted", 10), ("Unknown", None, "stageCompleted", 5)]


def test_a_total_that_is_known_later_and_a_bar_that_begins_anew(tracked: Tracked) -> None:
    bar = shown(tqdm, desc="Pages")
    bar.update(5)
    bar.reset(total=8)
    bar.update(8)
    bar.close()
    assert tracked.stages() == [("Pages", 8, "stageCompleted", 8)]


def test_descriptions_and_postfixes_are_what_is_being_done(tracked: Tracked) -> None:
    bar = shown(tqdm, range(2), desc="Train")
    for number in bar:
        bar.set_description(f"step {number}")
        bar.set_postfix(loss=number / 2)
    assert tracked.operations() == ["step 0", "step 0 loss=0", "step 1 loss=0", "step 1 loss=0.5"]
    assert [name for name, *_ in tracked.stages()] == ["Train"]


def test_bars_within_a_bar_are_what_it_does(tracked: Tracked) -> None:
    for _ in shown(trange, 2, desc="Epochs"):
        for _ in shown(trange, 3, desc="Batches", leave=False):
            pass
    assert tracked.stages() == [("Epochs", 2, "stageCompleted", 2)]
    assert tracked.operations()[:3] == ["Batches 1/3", "Batches 2/3", "Batches 3/3"]


def test_bars_one_after_the_other_are_stages_whether_or_not_they_are_closed(tracked: Tracked) -> None:
    first = shown(tqdm, total=2, desc="First")
    first.update(2)
    second = shown(tqdm, total=2, desc="Second")
    second.update(2)
    assert [(name, records) for name, _, _, records in tracked.stages()] == [("First", 2), ("Second", 2)]
    first.close()
    second.close()


def test_bars_of_threads_are_stages_beside_each_other(tracked: Tracked) -> None:
    both = threading.Barrier(2)

    def work() -> None:
        for _ in shown(trange, 2, desc="Part"):
            both.wait(20)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(tracked.stages()) == [("Part", 2, "stageCompleted", 2), ("Part (2)", 2, "stageCompleted", 2)]


def test_a_job_has_no_more_names_than_the_service_takes(tracked: Tracked) -> None:
    for number in range(300):
        list(tqdm("ab", desc=f"Epoch {number}", disable=True))
    names = [name for name, *_ in tracked.stages()]
    assert len(names) == 101
    assert names[-1].startswith("test_tqdm.py:")


def test_what_the_items_raise_fails_the_stage(tracked: Tracked) -> None:
    def rows() -> Iterator[int]:
        yield 1
        raise ValueError("row 2")

    with pytest.raises(ValueError, match="row 2"):
        list(shown(tqdm, rows(), desc="Rows"))
    assert tracked.stages() == [("Rows", None, "stageFailed", 1)]


def test_what_is_raised_in_the_with_statement_of_a_bar_fails_the_stage(tracked: Tracked) -> None:
    def work() -> None:
        with shown(tqdm, total=3, desc="Rows") as bar:
            bar.update()
            raise ValueError("row 2")

    with pytest.raises(ValueError, match="row 2"):
        work()
    assert tracked.stages() == [("Rows", 3, "stageFailed", 1)]


def test_what_the_body_of_a_bar_s_loop_raises_fails_the_stage(tracked: Tracked) -> None:
    def work() -> None:
        bar = shown(trange, 3, desc="Rows")
        for _ in bar:
            raise ValueError("row 2")

    def zipped() -> None:
        for _ in zip("ab", shown(trange, 3, desc="Zipped"), strict=False):
            raise ValueError("row 2")

    for each in (work, zipped):
        with pytest.raises(ValueError, match="row 2"):
            each()
    assert [(name, end) for name, _, end, _ in tracked.stages()] == [
        *(("Rows", "stageFailed"), ("Zipped", "stageFailed"))
    ]


def test_a_bar_whose_items_were_all_handed_out_is_complete(tracked: Tracked) -> None:
    dict(zip("abc", shown(trange, 3, desc="Rows"), strict=False))
    assert tracked.stages() == [("Rows", 3, "stageCompleted", 3)]


def test_what_the_body_of_an_asynchronous_bar_raises_fails_the_stage(tracked: Tracked) -> None:
    async def letters() -> AsyncIterator[str]:
        yield "a"

    async def work() -> None:
        async for _ in shown(auto, letters(), desc="Letters", total=3):
            raise ValueError("row 1")

    with pytest.raises(ValueError, match="row 1"):
        asyncio.run(work())
    assert [(name, end) for name, _, end, _ in tracked.stages()] == [("Letters", "stageFailed")]


def test_a_bar_that_is_a_job_of_its_own_fails_as_its_body_does(monkeypatch: pytest.MonkeyPatch) -> None:
    from jobtrack_client.integrations.tqdm import trange as ours

    service = Service()
    monkeypatch.setattr(tracked_loop, "Client", lambda: client(service))

    def work() -> None:
        for _ in shown(ours, 3, desc="Rows"):
            raise ValueError("row 1")

    with pytest.raises(ValueError, match="row 1"):
        work()
    assert service.events[-1]["data"] == {"error": {"message": "row 1", "type": "ValueError"}}


def test_a_loop_that_is_left_stays_open_until_its_job_ends(tracked: Tracked) -> None:
    for _ in shown(trange, 3, desc="Search"):
        break
    shown(tqdm, total=3, desc="Dropped").update()
    assert tracked.job.current_stage is None
    assert [(name, end) for name, _, end, _ in tracked.stages()] == [("Search", "open"), ("Dropped", "open")]


def test_after_the_installation_bars_are_nobody_s_business() -> None:
    it = Tracked()
    with it.job:
        with jt.install(it.job):
            pass
        list(shown(tqdm, "abc"))
    assert it.service.types() == ["jobStarted", "jobCompleted"]


def test_a_bar_goes_on_whatever_its_tracking_meets(tracked: Tracked, caplog: pytest.LogCaptureFixture) -> None:
    with tqdm(total=3, desc="Odd", disable=True) as bar:
        bar.update("many")  # type: ignore[arg-type]
    assert "a loop is not tracked" in caplog.text


def test_an_asynchronous_loop_is_a_stage(tracked: Tracked) -> None:
    async def letters() -> AsyncIterator[str]:
        for letter in "abc":
            yield letter

    async def work() -> list[str]:
        return [letter async for letter in shown(auto, letters(), desc="Letters", total=3)]

    assert asyncio.run(work()) == ["a", "b", "c"]
    assert tracked.stages() == [("Letters", 3, "stageCompleted", 3)]


def test_imported_from_here_a_bar_is_tracked_without_an_installation() -> None:
    from jobtrack_client.integrations.tqdm import tqdm as ours
    from jobtrack_client.integrations.tqdm import trange as our_range

    it = Tracked()
    with it.job:
        list(shown(ours, "abc", desc="Letters"))
        list(shown(our_range, 2, desc="Figures"))
        list(shown(tqdm, "abc", desc="Others"))
        assert it.stages() == [("Letters", 3, "stageCompleted", 3), ("Figures", 2, "stageCompleted", 2)]


def test_without_a_job_such_a_bar_is_one_if_it_can_be(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from jobtrack_client.integrations.tqdm import tqdm as ours

    monkeypatch.delenv("JOBTRACK_URL", raising=False)
    assert list(shown(ours, "abc", desc="Letters")) == ["a", "b", "c"]
    assert "the loop 'Letters' is not tracked: base_url is missing" in caplog.text
