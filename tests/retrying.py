"""The service's retry policy for tests, where its delays take no time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from msgspec.structs import asdict, force_setattr

from jobtrack.retry import RETRY, Retry


def instant_retry(sleep: Callable[[float], None] = lambda seconds: None) -> Retry:
    """Return the policy on a clock of its own, which only its delays move; `sleep` is called with each delay."""
    elapsed = [0.0]

    def pass_by(seconds: float) -> None:
        elapsed[0] += seconds
        sleep(seconds)

    return Retry(sleep=pass_by, monotonic=lambda: elapsed[0])


@contextmanager
def shared_retry_at_once(seconds: float) -> Iterator[None]:
    """Let the policy that the whole service shares give up after a number of seconds, which take no time."""
    shared, instant = asdict(RETRY), asdict(instant_retry())
    _replace({**instant, "seconds": seconds})
    try:
        yield
    finally:
        _replace(shared)


def _replace(members: dict[str, object]) -> None:
    for name, value in members.items():
        force_setattr(RETRY, name, value)
