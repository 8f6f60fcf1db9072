"""Calls functions at the rates that template.yaml gives, as EventBridge Scheduler does."""

import logging
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from jobtrack_local.errors import LocalError
from jobtrack_local.pollers.control import PollerControl
from jobtrack_local.runtime.events import scheduled_event
from jobtrack_local.runtime.function import Function, HandlerFailed

log = logging.getLogger(__name__)

INTERVAL_VARIABLE = "JOBTRACK_SCHEDULE_SECONDS"
"""The environment variable that replaces the intervals of all schedules, for tests and trials."""

_RATE = re.compile(r"rate\((?P<count>[1-9]\d*) (?P<unit>minute|hour|day)s?\)")
_UNIT_SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}


class SchedulePoller:
    """Calls a function at a fixed interval. Missed calls are not repeated."""

    def __init__(
        self,
        function: Function,
        interval: float,
        control: PollerControl,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`interval` is in seconds."""
        self.control = control
        self._function = function
        self._interval = interval
        self._monotonic = monotonic

    def run(self) -> None:
        """Call the function until the poller is stopped."""
        start = self._monotonic()
        while self.control.attempt(lambda: self._wait(start)):
            self._call()

    def _wait(self, start: float) -> None:
        """Wait for the next multiple of the interval, so that slow calls do not shift later ones."""
        self.control.pause(self._interval - (self._monotonic() - start) % self._interval)

    def _call(self) -> None:
        try:
            self._function.invoke(scheduled_event(self._function.name, datetime.now(UTC)), lambda response: response)
        except HandlerFailed as error:
            if not self.control.stopping:
                log.warning("%s", error)


def interval_seconds(rate: str, env: Mapping[str, str]) -> float:
    """Return the interval of a schedule expression, or the one that the environment gives.

    Raises:
        LocalError: the expression is not a rate, or the variable is not a positive number.
    """
    match = _RATE.fullmatch(rate)
    if match is None:
        raise LocalError(f"template.yaml has the schedule {rate}; the local service supports only rate(...)")
    text = env.get(INTERVAL_VARIABLE)
    if text is None:
        return int(match["count"]) * _UNIT_SECONDS[match["unit"]]
    if not re.fullmatch(r"\d+(\.\d+)?", text) or float(text) <= 0:
        raise LocalError(f"{INTERVAL_VARIABLE} is {text!r}, but it must be a number of seconds above 0")
    return float(text)
