"""However a tracked program ends, its job's final status is right, or the job is marked stalled."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import cast

import pytest

from tests.e2e.conftest import ENDINGS
from tests.e2e.endings.runs import Seen, run
from tests.e2e.endings.table import COLUMNS, WAYS, Way
from tests.e2e.running import Service

AT_ONCE = 6
"""Cells that run side by side: most of the time each of them waits."""
HEARTBEAT_SECONDS = 300
CELLS = [pytest.param(way, column, id=f"{way.name}-{column}") for way in WAYS for column in COLUMNS]

pytestmark = pytest.mark.one_engine("a job's end is the client's work: the engine has no part in it")

Runs = dict[tuple[str, str], "Future[Seen]"]


@pytest.fixture(scope="module")
def runs(hurried: Service, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Runs]:
    """Every cell that is tested, under way."""
    folder = tmp_path_factory.mktemp("programs")
    items = [item for item in request.session.items if item.path == Path(__file__)]
    chosen = [item.callspec.params for item in items if isinstance(item, pytest.Function)]
    cells = [(cast("Way", cell["way"]), str(cell["column"])) for cell in chosen]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {(way.name, column): pool.submit(run, hurried, folder, column, way) for way, column in cells}


@pytest.mark.parametrize(("way", "column"), CELLS)
def test_the_job_ends_as_its_program_does(
    way: Way, column: str, runs: Runs, record_property: Callable[[str, object], None]
) -> None:
    seen, end = runs[way.name, column].result(), way.expected(column)
    record_property(ENDINGS, (way.name, column, seen.status))
    assert (seen.status, seen.jobs) == (end.status, 1), seen
    assert end.error in seen.error, seen
    assert not end.line or any(end.line in line for line in seen.lines), seen
    assert end.code in (None, seen.code), seen
    assert seen.heartbeats == (HEARTBEAT_SECONDS,)
