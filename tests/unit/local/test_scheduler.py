"""How often the scheduler calls a function, and with which event."""

from typing import Any

import pytest

from jobtrack_local.errors import LocalError
from jobtrack_local.pollers.control import PollerControl, Stopped
from jobtrack_local.pollers.scheduler import INTERVAL_VARIABLE, SchedulePoller, interval_seconds
from jobtrack_local.runtime.function import Function
from jobtrack_local.template.cloudformation import FunctionProperties

PROPERTIES = FunctionProperties.model_validate({"CodeUri": "x"})


class Clock(PollerControl):
    """Moves time by each pause, and stops after a number of pauses."""

    def __init__(self, pauses: int) -> None:
        super().__init__()
        self.time, self.left = 0.0, pauses

    def pause(self, seconds: float) -> None:
        if not self.left:
            raise Stopped
        self.left -= 1
        self.time += seconds


def called(seconds: float, took: float, pauses: int, fails: bool = False) -> tuple[list[float], list[dict[str, Any]]]:
    """Return the times and events of the calls of a function that takes this long."""
    clock, moments, events = Clock(pauses), list[float](), list[dict[str, Any]]()

    def handler(event: dict[str, object], context: object) -> None:
        moments.append(clock.time)
        events.append(event)
        clock.time += took
        if fails:
            raise ValueError("broken")

    SchedulePoller(Function("Test", handler, PROPERTIES), seconds, clock, lambda: clock.time).run()
    return moments, events


def test_it_calls_on_time_however_long_a_call_takes() -> None:
    assert called(60, 7, 4)[0] == [60, 120, 180, 240]


def test_runs_that_were_missed_are_not_made_up_for() -> None:
    assert called(60, 130, 3)[0] == [60, 240, 420]


def test_a_call_that_fails_is_told_and_the_next_one_made(caplog: pytest.LogCaptureFixture) -> None:
    assert called(60, 0, 2, fails=True)[0] == [60, 120]
    assert "Test: ValueError: broken" in caplog.text


def test_the_event_has_the_schedulers_shape() -> None:
    (event,) = called(60, 0, 1)[1]
    assert (event["source"], event["detail-type"], event["detail"]) == ("aws.scheduler", "Scheduled Event", "{}")


RATES = {"rate(1 minute)": 60, "rate(5 minutes)": 300, "rate(2 hours)": 7200, "rate(1 day)": 86400}


@pytest.mark.parametrize(("rate", "seconds"), RATES.items())
def test_rates_in_seconds(rate: str, seconds: float) -> None:
    assert interval_seconds(rate, {}) == seconds
    assert interval_seconds(rate, {INTERVAL_VARIABLE: "0.5"}) == 0.5


@pytest.mark.parametrize("expression", ["cron(0 1 * * ? *)", "rate(0 minutes)", "rate(1 week)", ""])
def test_what_is_no_rate_is_refused(expression: str) -> None:
    with pytest.raises(LocalError, match="supports only rate"):
        interval_seconds(expression, {})


@pytest.mark.parametrize("given", ["", "0", "-1", "nan", "inf", "1s", "1e3"])
def test_a_variable_that_is_no_number_of_seconds_is_refused(given: str) -> None:
    with pytest.raises(LocalError, match=INTERVAL_VARIABLE):
        interval_seconds("rate(1 minute)", {INTERVAL_VARIABLE: given})
