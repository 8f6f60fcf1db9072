"""What the tests of faults share: the stack in moto, and figures that are told at the end of the run."""

from collections.abc import Callable

import pytest

from tests.functions.conftest import stack

__all__ = ["stack"]

FIGURES = pytest.StashKey[list[str]]()
Tell = Callable[[str], None]


@pytest.fixture
def tell(pytestconfig: pytest.Config) -> Tell:
    """Notes a line that the run closes with."""
    return pytestconfig.stash.setdefault(FIGURES, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    figures = config.stash.get(FIGURES, [])
    if figures:
        terminalreporter.section("figures")
        for line in figures:
            terminalreporter.line(line)
