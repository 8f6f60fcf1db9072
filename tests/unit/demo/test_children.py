"""Child processes of the demo, and the signals that end them."""

import signal
import time

import pytest

from jobtrack_demo.children import Child, Interruption

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(60)
"""


def stubborn(patience: float) -> Child:
    """Start a process that does not end when it is asked to."""
    child = Child("stubborn", ["-c", STUBBORN], {}, patience)
    while child.last_words != "ready":
        time.sleep(0.01)
    return child


def test_a_child_that_does_not_end_is_killed_after_its_patience() -> None:
    with stubborn(patience=0.1) as child:
        assert child in Child.running
    assert child.exit_code == -signal.SIGKILL
    assert child not in Child.running


def test_the_first_signal_interrupts_and_the_next_one_kills() -> None:
    interruption = Interruption()
    with pytest.raises(KeyboardInterrupt):
        interruption(signal.SIGINT, None)
    with stubborn(patience=60) as child:
        interruption(signal.SIGINT, None)
    assert child.exit_code == -signal.SIGKILL


def test_a_child_is_killed_if_waiting_for_it_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    child = stubborn(patience=60)
    monkeypatch.setattr(child, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt), child:
        pass
    assert child.exit_code == -signal.SIGKILL
