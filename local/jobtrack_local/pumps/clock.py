"""Calls functions as often as template.yaml says, as EventBridge Scheduler does."""

import logging
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from jobtrack_local.errors import LocalError
from jobtrack_local.pumps.halt import Halt
from jobtrack_local.pumps.invocation import Function, HandlerFailed, scheduled_event

log = logging.getLogger(__name__)

FASTER = "JOBTRACK_SCHEDULE_SECONDS"
"""The environment variable that says, for tests and trials, how often the clock calls instead."""

_RATE = re.compile(r"rate\((?P<count>[1-9]\d*) (?P<unit>minute|hour|day)s?\)")
_UNIT_SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}


class ClockPump:
    """The clock → a function, every so many seconds from the start on; runs that were missed are not made up for."""

    def __init__(
        self, function: Function, seconds: float, halt: Halt, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.halt = halt
        self._function = function
        self._seconds = seconds
        self._monotonic = monotonic

    def run(self) -> None:
        """Call until stopped."""
        start = self._monotonic()
        while self.halt.patiently(lambda: self.halt.pause(self._seconds - (self._monotonic() - start) % self._seconds)):
            self._call()

    def _call(self) -> None:
        try:
            self._function.call(scheduled_event(self._function.name, datetime.now(UTC)), lambda answer: answer)
        except HandlerFailed as error:
            if not self.halt.stopping:
                log.warning("%s", error)


def seconds_of(rate: str, env: Mapping[str, str]) -> float:
    """How often a schedule calls; LocalError of an expression that is no rate, or a variable that is no number."""
    found = _RATE.fullmatch(rate)
    if found is None:
        raise LocalError(f"template.yaml has the schedule {rate}; only rates are served locally")
    given = env.get(FASTER)
    if given is None:
        return int(found["count"]) * _UNIT_SECONDS[found["unit"]]
    if not re.fullmatch(r"\d+(\.\d+)?", given) or float(given) <= 0:
        raise LocalError(f"{FASTER} is {given!r}, and must be a number of seconds above 0")
    return float(given)
