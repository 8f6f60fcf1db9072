"""The levels at which functions log."""

import logging
from collections.abc import Iterator

import pytest

from jobtrack import log_filter

LAMBDA = {"AWS_LAMBDA_FUNCTION_NAME": "f"}


@pytest.fixture(autouse=True)
def levels() -> Iterator[None]:
    """Restore the levels after the test."""
    loggers = [logging.getLogger(), log_filter.counted]
    before = [each.level for each in loggers]
    yield
    for each, level in zip(loggers, before, strict=True):
        each.setLevel(level)


@pytest.mark.parametrize(("level", "logged"), [("DEBUG", 10), ("INFO", 20), ("WARNING", 30), ("ERROR", 40)])
def test_in_lambda_the_variable_decides_but_not_about_what_alarms_count(level: str, logged: int) -> None:
    log_filter.set_levels({**LAMBDA, "LOG_LEVEL": level})
    assert logging.getLogger("jobtrack.push.delivery.deliverer").getEffectiveLevel() == logged
    assert log_filter.counted.isEnabledFor(logging.INFO)


@pytest.mark.parametrize("env", [{}, {"LOG_LEVEL": "DEBUG"}, {"LOG_LEVEL": "no level of Python's"}])
def test_elsewhere_nothing_is_set(env: dict[str, str]) -> None:
    logging.getLogger().setLevel(logging.WARNING)
    log_filter.set_levels(env)
    assert logging.getLogger().level == logging.WARNING
    assert not log_filter.counted.isEnabledFor(logging.INFO)
