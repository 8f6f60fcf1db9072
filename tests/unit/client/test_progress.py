"""Few updates are sent, and always the last one."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobtrack_client._jobs.progress import Progress
from jobtrack_client._runtime import log


class Watch:
    """A settable clock, and the reports made by it."""

    def __init__(self, total: int | None = None) -> None:
        self.now = 100.0
        self.sent: list[tuple[float, dict[str, Any]]] = []
        self.progress = Progress(self, "Load", total, every=0.5, clock=lambda: self.now)

    def __call__(self, type_: str, data: Mapping[str, object], moment: float | None = None) -> None:
        assert type_ == "progressUpdate"
        assert moment is not None
        self.sent.append((moment, {name: value for name, value in data.items() if value is not None}))


steps = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 9), st.booleans()), max_size=50)


@given(steps=steps)
def test_the_last_count_is_always_sent_and_updates_keep_their_distance(steps: list[tuple[float, int, bool]]) -> None:
    watch = Watch()
    for seconds, records, ticks in steps:
        watch.now += seconds
        watch.progress.advance(records)
        if ticks:
            watch.progress.tick()
    watch.progress.finish()
    counts = [data["records_processed"] for _, data in watch.sent]
    assert counts == sorted(counts)
    assert counts[-1:] == ([sum(records for _, records, _ in steps)] if steps else [])
    spent = sum(seconds for seconds, _, _ in steps)
    assert len(watch.sent) <= 2 + spent / 0.5


def test_a_held_update_is_sent_by_the_tick_with_the_time_it_was_told() -> None:
    watch = Watch(total=10)
    watch.progress.advance(1)
    watch.now = 100.1
    watch.progress.advance(2)
    watch.progress.tick()
    assert len(watch.sent) == 1
    watch.now = 100.6
    watch.progress.tick()
    watch.progress.tick()
    assert watch.sent[1:] == [(100.1, {"stage_name": "Load", "total_records": 10, "records_processed": 3})]


def test_a_clock_set_back_does_not_silence_the_stage() -> None:
    watch = Watch()
    watch.progress.advance(1)
    watch.now = 50.0
    watch.progress.advance(1)
    assert [moment for moment, _ in watch.sent] == [100.0, 50.0]


def test_what_was_told_stays_but_for_details() -> None:
    watch = Watch()
    watch.progress.update(40, {"operation": "parsing", "details": {"file": 1}})
    watch.now += 1
    watch.progress.update(None, {"component": "Parser"})
    assert watch.sent[1][1] == {"stage_name": "Load", "progress": 40, "operation": "parsing", "component": "Parser"}


def test_an_operation_alone_comes_with_a_measure() -> None:
    watch = Watch()
    watch.progress.update(None, {"operation": "opening"})
    assert watch.sent[0][1] == {"stage_name": "Load", "operation": "opening", "records_processed": 0}


@pytest.mark.parametrize(("told", "sent"), [(-1, 0), (101, 100), (33.3, 33.3)])
def test_a_percentage_stays_within_0_and_100(told: float, sent: float) -> None:
    watch = Watch()
    watch.progress.update(told, {})
    assert watch.sent[0][1]["progress"] == sent


def test_a_slip_of_the_worker_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    log._WARNED.clear()
    watch = Watch()
    watch.progress.advance("three")  # type: ignore[arg-type]
    watch.progress.update("50%", {})  # type: ignore[arg-type]
    watch.progress.update(float("nan"), {})
    watch.progress.finish()
    assert watch.sent[-1][1] == {"stage_name": "Load", "records_processed": 0}
    assert "'three' is not a number of records" in caplog.text
    assert "'50%' is not a percentage" in caplog.text
