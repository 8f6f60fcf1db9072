"""When the local service purges its engine."""

import pytest

from jobtrack_local.pollers.control import PollerControl, Stopped
from jobtrack_local.pollers.purge_poller import PurgePoller


class Clock(PollerControl):
    """Notes each pause, and stops at the third."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses: list[float] = []

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        if len(self.pauses) == 3:
            self.stop()
            raise Stopped


@pytest.mark.parametrize("fails", [False, True])
def test_it_purges_at_the_start_and_then_at_its_interval(
    fails: bool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobtrack_local.pollers.control.RETRY_SECONDS", 0)
    purges, clock = [], Clock()

    def purge() -> None:
        purges.append(len(clock.pauses))
        if fails:
            raise OSError("the disk is full")

    PurgePoller(purge, 60, clock).run()
    assert purges == [0, 1, 2]
    assert clock.pauses == [60, 60, 60]
    assert caplog.text.count("the disk is full") == fails
