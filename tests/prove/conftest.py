"""Shared by the proofs: the signing key's folder, and figures for the summary of the run."""

from collections.abc import Callable
from pathlib import Path

import pytest

Tell = Callable[[str], None]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the signing key."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Tell:
    """Adds a line to the summary of the run."""
    return lambda line: record_property("figure", line)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = terminalreporter.getreports("passed")
    for figure in (value for report in reports for name, value in report.user_properties if name == "figure"):
        terminalreporter.write_line(str(figure))
