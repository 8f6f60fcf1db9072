"""A persistent problem is logged at a limited rate, and does not end a poller."""

import errno
import logging
from itertools import pairwise

import pytest
from botocore.exceptions import EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st

from jobtrack_local.pollers import control as control_module
from jobtrack_local.pollers.control import PollerControl
from jobtrack_local.rate_limited_log import SECONDS, RateLimitedLog, RateLimitFilter

log = logging.getLogger(__name__)


class Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


@given(st.lists(st.integers(0, 3 * int(SECONDS)), min_size=1, max_size=100))
def test_a_trouble_is_logged_at_once_and_then_once_a_minute_and_nothing_is_uncounted(pauses: list[int]) -> None:
    now, lines, logger = 0.0, Lines(), logging.Logger("seldom")
    logger.addHandler(lines)
    complaint = RateLimitedLog(logger, clock=lambda: now)
    told: list[float] = []
    for pause in pauses:
        now += pause
        before = len(lines.said)
        complaint.warning("no %s", "room")
        told += [now] * (len(lines.said) - before)
    assert lines.said[0] == "no room"
    assert all(later - sooner >= SECONDS for sooner, later in pairwise(told))
    counted = sum(int(line.split("(")[1].split()[0]) for line in lines.said if "(" in line)
    assert counted + len(lines.said) <= len(pauses)
    complaint = RateLimitedLog(logger, clock=lambda: now)
    complaint.warning("again")
    assert lines.said[-1] == "again"


def test_a_filter_limits_the_warnings_of_a_logger_and_no_errors() -> None:
    now, lines, logger = 0.0, Lines(), logging.Logger("limited")
    logger.addHandler(lines)
    logger.addFilter(RateLimitFilter(clock=lambda: now))
    for number in range(3):
        logger.warning("no %s", number)
        logger.error("error %s", number)
    now += SECONDS
    logger.warning("no %s", 3)
    assert lines.said == ["no 0", "error 0", "error 1", "error 2", "no 3 (2 more since the last line)"]


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EMFILE, "Too many open files"),
        RuntimeError("can't start new thread"),
        MemoryError(),
        EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_fails_is_tried_again_and_told_of_once(
    error: Exception, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_module, "RETRY_SECONDS", 0)
    control, left = PollerControl(), [error] * 100

    def action() -> None:
        if left:
            raise left.pop()

    tries = 1
    with caplog.at_level(logging.WARNING):
        while not control.attempt(action):
            tries += 1
    assert tries == 101
    assert [record.name for record in caplog.records] == ["jobtrack_local.pollers.control"]
