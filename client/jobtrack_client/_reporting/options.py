"""Options of reporting."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import time
from typing import TypeVar

from jobtrack_client._api.retries import Backoff, new_key

T = TypeVar("T")
_YEAR_10000 = 253_402_300_800


@dataclass(frozen=True, slots=True)
class ReporterOptions:
    """Options of a job's reporting. Times are in seconds.

    - `max_events` and `max_bytes` limit the buffer. They exclude one request of 500 events, and up to 1,000 new lines.
    - `flush_seconds`: how long an event waits for others, to be sent in one request.
    - `progress_seconds`: the shortest time between two updates of a stage.
    - `create_seconds`: how long the job's start waits until the service has created the job.
    - `close_seconds`: how long the job's end waits until all events are acknowledged.
    - `exit_seconds`: the same if the interpreter ends before the job.
    - `request_seconds`: the timeout of a request.
    - `backoff`: the delays between attempts.
    """

    max_events: int = 100_000
    max_bytes: int = 64 * 1024 * 1024
    flush_seconds: float = 1.0
    progress_seconds: float = 0.5
    create_seconds: float = 5.0
    close_seconds: float = 60.0
    exit_seconds: float = 10.0
    request_seconds: float = 10.0
    backoff: Backoff = field(default_factory=Backoff)
    clock: Callable[[], float] = time
    key: Callable[[], str] = new_key

    def __post_init__(self) -> None:
        """Replace a clock or key function that fails, because the job's end could not be reported without it."""
        object.__setattr__(self, "clock", _reliable(self.clock, time, _is_time))
        object.__setattr__(self, "key", _reliable(self.key, new_key, _is_key))


def _reliable(call: Callable[[], T], instead: Callable[[], T], is_valid: Callable[[object], bool]) -> Callable[[], T]:
    """Return a function that calls `call`, or `instead` if that fails."""
    if call is instead or hasattr(call, "reliable"):
        return call

    def reliable() -> T:
        try:
            value = call()
        except Exception:
            return instead()
        return value if is_valid(value) else instead()

    reliable.reliable = True  # type: ignore[attr-defined]
    return reliable


def _is_time(value: object) -> bool:
    """Return whether a timestamp can represent the value: until the end of 9999."""
    return isinstance(value, (int, float)) and 0 <= value < _YEAR_10000


def _is_key(value: object) -> bool:
    return isinstance(value, str) and value != ""
