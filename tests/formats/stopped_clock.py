"""`jobtrack` with a clock that stands still: `python -m tests.formats.stopped_clock FILE serve …`.

The file has the time, in seconds since 1970. A test moves the clock by writing to it. So the service returns the same
about stored data in any year, and nothing expires unless the test wants it to.
"""

import sys
import time
from pathlib import Path


def _stop(file: Path) -> None:
    time.time = lambda: float(file.read_text())
    time.time_ns = lambda: int(float(file.read_text()) * 1e9)


if __name__ == "__main__":
    _stop(Path(sys.argv.pop(1)))
    from jobtrack_client.cli import main  # classes take the clock as a default when they are defined

    main()
