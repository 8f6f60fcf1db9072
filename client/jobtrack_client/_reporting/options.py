"""How a job reports."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import time
from typing import TypeVar

from jobtrack_client._api.retries import Backoff, new_key

T = TypeVar("T")
_YEAR_10000 = 253_402_300_800


@dataclass(frozen=True, slots=True)
class ReporterOptions:
    """How a job reports.

    `max_events` and `max_bytes` bound the memory of what waits (a request of 500 events under way comes on top, and up
    to 1,000 lines just reported); `flush_seconds` is how long an event waits for others; `progress_seconds` the least
    time between two updates of a stage; `create_seconds` how long the start waits until the service has created and
    started the job; `close_seconds` and `exit_seconds` how long the end, or the interpreter's without one, waits for
    what is not yet acknowledged.
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
        """A clock or a key that fails is replaced where it is asked: without them no end of a job would be reported."""
        object.__setattr__(self, "clock", _reliable(self.clock, time, _is_time))
        object.__setattr__(self, "key", _reliable(self.key, new_key, _is_key))


def _reliable(call: Callable[[], T], instead: Callable[[], T], good: Callable[[object], bool]) -> Callable[[], T]:
    """A callable that returns what the first does, or where that fails what the second does."""
    if call is instead or hasattr(call, "reliable"):
        return call

    def reliable() -> T:
        try:
            value = call()
        except Exception:
            return instead()
        return value if good(value) else instead()

    reliable.reliable = True  # type: ignore[attr-defined]
    return reliable


def _is_time(value: object) -> bool:
    """Whether it is a moment that a timestamp can have: until the end of 9999."""
    return isinstance(value, (int, float)) and 0 <= value < _YEAR_10000


def _is_key(value: object) -> bool:
    return isinstance(value, str) and value != ""
