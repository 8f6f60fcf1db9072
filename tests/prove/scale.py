"""How often the proofs repeat: in full with `make prove`, and a tenth of that in every run of the tests."""

import os

FULL = os.environ.get("JOBTRACK_PROVE") == "1"
_SHARE = 10


def repeats(full: int) -> int:
    """Return the number of repetitions of this run, from that of the full proof."""
    return full if FULL else max(1, full // _SHARE)
