"""However a tracked program ends, its job's final status is right, or the job is marked as stalled."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import cast

import pytest

from tests.e2e.conftest import ENDINGS
from tests.e2e.endings.programs import BACKLOG_LINES
from tests.e2e.endings.runs import Seen, run
from tests.e2e.endings.table import COLUMNS, WAYS, Way
from tests.e2e.endings.tasks import ENDS as ENDS_OF_TASKS
from tests.e2e.endings.tasks import MORE_WAYS, NOT_APPLICABLE, POOLS
from tests.e2e.endings.workers import groups, run_together
from tests.e2e.running import Service

AT_ONCE = 6
"""Number of cells that run at the same time; most of the time each of them waits."""
HEARTBEAT_SECONDS = 300
CELLS = [
    *((way, column) for way in WAYS for column in (*COLUMNS, *POOLS)),
    *((way, column) for way in MORE_WAYS for column in POOLS),
]
PARAMETERS = [pytest.param(way, column, id=f"{way.name}-{column}") for way, column in CELLS]

pytestmark = pytest.mark.one_engine("sqlite", "a job's end is the client's work: the engine has no part in it")

Runs = dict[tuple[str, str], Callable[[], Seen]]


@pytest.fixture(scope="module")
def runs(hurried: Service, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Runs]:
    """Start every cell that is tested."""
    folder = tmp_path_factory.mktemp("programs")
    items = [item for item in request.session.items if item.path == Path(__file__)]
    chosen = [item.callspec.params for item in items if isinstance(item, pytest.Function)]
    cells = [(cast("Way", cell["way"]), str(cell["column"])) for cell in chosen]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        programs = {
            (way.name, column): pool.submit(run, hurried, folder, column, way).result
            for way, column in cells
            if column in COLUMNS
        }
        yield {**programs, **_tasks(pool, hurried, folder, cells)}


def _tasks(pool: ThreadPoolExecutor, service: Service, folder: Path, cells: list[tuple[Way, str]]) -> Runs:
    runs: Runs = {}
    for column in POOLS:
        for ways in groups(column, [way for way, other in cells if other == column]):
            result = pool.submit(run_together, service, folder, column, ways).result
            runs.update(((way.name, column), partial(_of, result, way.name)) for way in ways)
    return runs


def _of(result: Callable[[], dict[str, Seen]], name: str) -> Seen:
    return result()[name]


@pytest.mark.parametrize(("way", "column"), PARAMETERS)
def test_the_job_ends_as_its_program_does(
    way: Way, column: str, runs: Runs, record_property: Callable[[str, object], None]
) -> None:
    if reason := NOT_APPLICABLE.get((way.name, column)):
        record_property(ENDINGS, (way.name, column, reason))
        return
    seen = runs[way.name, column]()
    end = ENDS_OF_TASKS[way.name] if column in POOLS else way.expected(column)
    record_property(ENDINGS, (way.name, column, seen.status))
    assert (seen.status, seen.jobs) == (end.status, 1), seen
    assert end.error in seen.error, seen
    assert not end.line or any(end.line in line for line in seen.lines), seen
    assert end.code in (None, seen.code), seen
    assert way.name != "backlog" or len(seen.lines) < BACKLOG_LINES // 2, "the end has waited for the lines"
    assert seen.heartbeats == (HEARTBEAT_SECONDS,)
