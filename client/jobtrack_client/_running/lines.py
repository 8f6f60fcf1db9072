"""What a command writes, as log lines."""

import re
from collections.abc import Iterator

LONGEST = 32 * 1024
"""Bytes of a line, beyond which it is more than one."""
_LEVELS = {
    "TRACE": "DEBUG",
    "DEBUG": "DEBUG",
    "INFO": "INFO",
    "NOTICE": "INFO",
    "WARN": "WARN",
    "WARNING": "WARN",
    "ERROR": "ERROR",
    "FATAL": "ERROR",
    "CRITICAL": "ERROR",
}
_LEVEL = re.compile(rf"\b({'|'.join(_LEVELS)})\b")
LEVEL_WITHIN = 60
"""Characters at the beginning of a line, among which programs name its level."""
_ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-Z\\-_])")
"""Colours and other commands to a terminal: CSI, OSC and Fe sequences of ECMA-48."""


class Lines:
    """Gathers bytes to lines; of what a carriage return overwrites, as a progress bar does, the last is left."""

    def __init__(self) -> None:
        self._rest = b""

    def add(self, data: bytes) -> Iterator[str]:
        """The lines that these bytes end."""
        *ended, rest = (self._rest + data).split(b"\n")
        for line in ended:
            yield from _texts(_pieces(_seen(line)))
        # A return at the very end may be followed by a line feed.
        *full, self._rest = _pieces(rest[:-1].rpartition(b"\r")[2] + rest[-1:])
        yield from _texts(full)

    def end(self) -> Iterator[str]:
        """What was written without an end of line."""
        yield from _texts(_pieces(_seen(self._rest)))
        self._rest = b""


def level(line: str) -> str:
    """The level that a line names at its beginning, in capitals; else INFO."""
    found = _LEVEL.search(line, 0, LEVEL_WITHIN)
    return _LEVELS[found[1]] if found else "INFO"


def text(line: bytes) -> str:
    """A line as text, without what commands a terminal; what is no UTF-8 is replaced."""
    return _ESCAPES.sub("", line.decode("utf-8", "replace")).rstrip()


def _seen(line: bytes) -> bytes:
    """What a terminal shows of it in the end."""
    return line.rstrip(b"\r").rpartition(b"\r")[2]


def _texts(pieces: list[bytes]) -> Iterator[str]:
    return filter(None, map(text, pieces))


def _pieces(line: bytes) -> list[bytes]:
    return [line[start : start + LONGEST] for start in range(0, len(line), LONGEST)] or [b""]
