"""What tests start can be interrupted, also where a script started the tests in the background (`make test &`)."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.dispositions import SIGNALS

ROOT = Path(__file__).parents[2]
SHOW = "import json, signal; print(json.dumps([str(signal.getsignal(each)) for each in {signals}]))"
CHILD = SHOW.format(signals=[int(each) for each in SIGNALS])
SUITE = f"""
import subprocess, sys
from tests.dispositions import hand_down_defaults
hand_down_defaults()
subprocess.run([sys.executable, "-c", {CHILD!r}], check=True)
"""
DEFAULTS = [
    "<built-in function default_int_handler>" if each is signal.SIGINT else str(signal.SIG_DFL) for each in SIGNALS
]


def ignoring() -> None:
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)


def blocking() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


def shown(program: str, before: Callable[[], None] | None = None) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, preexec_fn=before, capture_output=True, text=True, check=True
    )
    return [each.partition(" at ")[0] + ">" * (" at " in each) for each in json.loads(done.stdout)]


@pytest.mark.parametrize("before", [None, ignoring, blocking])
def test_children_of_tests_have_default_dispositions_whatever_the_tests_have(before: Callable[[], None] | None) -> None:
    assert shown(CHILD, ignoring) != DEFAULTS, "else this shows nothing"
    assert shown(SUITE, before) == DEFAULTS


def test_those_of_this_very_run_have() -> None:
    assert shown(CHILD) == DEFAULTS


def test_tests_that_ignore_a_signal_are_not_ended_by_it() -> None:
    program = SUITE + "import os, signal; [os.kill(os.getpid(), each) for each in (1, 2, 3, 15)]"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, preexec_fn=ignoring, capture_output=True, check=False
    )
    assert done.returncode == 0
