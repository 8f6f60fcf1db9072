"""The service's retry policy for tests, where its delays take no time."""

from collections.abc import Callable

from jobtrack.retry import Retry


def instant_retry(sleep: Callable[[float], None] = lambda seconds: None) -> Retry:
    """Return the policy on a clock of its own, which only its delays move; `sleep` is called with each delay."""
    elapsed = [0.0]

    def pass_by(seconds: float) -> None:
        elapsed[0] += seconds
        sleep(seconds)

    return Retry(sleep=pass_by, monotonic=lambda: elapsed[0])
