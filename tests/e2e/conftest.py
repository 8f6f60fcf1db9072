"""End to end: the suite runs against one `jobtrack serve`, on the engine that `--engine` names, or a deployed stack."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import cast

import httpx
import pytest

from jobtrack_local.pollers.scheduler import INTERVAL_VARIABLE
from tests.e2e.browsing import browser, project, visit
from tests.e2e.running import DEPLOYED, Service, running

__all__ = ["browser", "project", "visit"]

ENGINES = ("sqlite", "dynamodb-local", DEPLOYED)
TALLIES = pytest.StashKey[Counter[str]]()
ENDINGS = "ending"
"""The property of a test's report that is a cell of the table of endings."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--engine", default=ENGINES[0], choices=ENGINES)
    parser.addoption("--examples", default=15, type=int, help="random requests that schemathesis makes of each kind")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"not_deployed(why): skipped with --engine {DEPLOYED}")
    config.addinivalue_line("markers", "one_engine(engine, why): skipped on other engines")
    config.stash[TALLIES] = Counter()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip tests that the engine cannot run or need not run, with the reason."""
    for item in items:
        for reason in _skip_reasons(item, str(config.getoption("--engine"))):
            item.add_marker(pytest.mark.skip(reason=reason))


def _skip_reasons(item: pytest.Item, engine: str) -> Iterator[str]:
    """Tests that do not depend on the engine are divided between the runs, so that both end at about the same time."""
    if engine == DEPLOYED:
        yield from (mark.args[0] for mark in item.iter_markers("not_deployed"))
    for chosen, why in (mark.args for mark in item.iter_markers("one_engine")):
        assert chosen in ENGINES, f"no run is on the engine {chosen}"
        if chosen != engine:
            yield f"{why}: run with --engine {chosen}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the counts of the tests, and how jobs ended."""
    for what, count in config.stash[TALLIES].items():
        terminalreporter.write_line(f"{count:,} {what}")
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)]
    cells = [value for report in reports for name, value in report.user_properties if name == ENDINGS]
    for line in _table(cells):
        terminalreporter.write_line(line)


def _table(cells: Sequence[object]) -> Iterator[str]:
    """Yield the cells (row, column, text) as lines."""
    known = {
        (row, column): text
        for row, column, text in (tuple(map(str, cast("tuple[object, ...]", cell))) for cell in cells)
    }
    columns = [*dict.fromkeys(column for _, column in known)]
    if columns:
        yield "".join(f"{name:22}" for name in ("", *columns))
    for row in dict.fromkeys(row for row, _ in known):
        yield "".join(f"{text:22}" for text in (row, *(known.get((row, column), "") for column in columns)))


@pytest.fixture(scope="session")
def tally(pytestconfig: pytest.Config) -> Callable[[int, str], None]:
    """Count something for the summary of the run: `tally(3, "cells")`."""

    def count(more: int, what: str) -> None:
        pytestconfig.stash[TALLIES][what] += more

    return count


@pytest.fixture(scope="session")
def engine(pytestconfig: pytest.Config) -> str:
    """Return the engine of this run."""
    return str(pytestconfig.getoption("--engine", ENGINES[0]))


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the signing key that all services of the session share."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def service(engine: str, home: Path) -> Iterator[Service]:
    """Run a service with temporary data for the session."""
    with running(home, engine) as found:
        yield found


@pytest.fixture(scope="session")
def hurried(home: Path, engine: str) -> Iterator[Service]:
    """Run a service that calls scheduled functions every second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(INTERVAL_VARIABLE, "1")
        with running(home, engine) as found:
            yield found


@pytest.fixture
def api(service: Service) -> Iterator[httpx.Client]:
    """Return a client of a tenant and project of the test's own."""
    with service.client() as client:
        yield client
