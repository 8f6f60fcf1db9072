"""`jobtrack` with a clock that a test moves: python -m tests.prove.jumping FILE serve ...

The file holds the seconds by which `time.time` is ahead. A process has no clock of its own that could be set otherwise.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from jobtrack_client.cli import main


def shifted(clock: Callable[[], float], offset: Path) -> Callable[[], float]:
    """Return the clock, ahead by the seconds in the file."""
    return lambda: clock() + float(offset.read_text())


if __name__ == "__main__":
    ahead = Path(sys.argv.pop(1))
    seconds, nanoseconds = time.time, time.time_ns
    vars(time)["time"] = shifted(seconds, ahead)
    vars(time)["time_ns"] = lambda: nanoseconds() + int(float(ahead.read_text()) * 1e9)
    main()
