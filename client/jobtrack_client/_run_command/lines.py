"""Splits a command's output into log lines."""

import re
import unicodedata
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable, Iterator
from time import monotonic

from jobtrack_client._run_command.controls import Sequences, plain_line
from jobtrack_client.types import LogLevel

LONGEST = 32 * 1024
"""The longest line in bytes of UTF-8. Longer ones are split."""
FIRST_UPDATE_SECONDS = 2.0
"""The delay before the first state of a progress bar is reported. It doubles after each state."""
LONGEST_UPDATE_SECONDS = 30.0
_LEVELS: dict[str, LogLevel] = {
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
"""The number of characters at the start of a line in which its level is searched."""
_JOINER = "\u200d"
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_LONGEST_CHARACTER = 32
"""The most code points that are kept together."""


class Lines:
    """Splits bytes into lines. If a line is overwritten, such as a progress bar, only its last state remains.

    Such a line also appears while it is incomplete: after 2 seconds, and then at growing intervals.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._sequences = Sequences()
        self._rest = ""
        """The incomplete line."""
        self._wait = FIRST_UPDATE_SECONDS
        self._due: float | None = None
        """When the state of the incomplete line is due; None unless it was overwritten."""
        self._reported = ""
        """The last reported state."""

    def add(self, data: bytes) -> Iterator[str]:
        """Return the lines that these bytes complete."""
        return self._gather(self._decoder.decode(data))

    def tick(self) -> Iterator[str]:
        """Return the state of an overwritten line, if it is due and new."""
        if self._due is None or self._clock() < self._due:
            return
        self._wait = min(2 * self._wait, LONGEST_UPDATE_SECONDS)
        self._due = self._clock() + self._wait
        state = plain_line(_seen(self._rest))
        if state and state != self._reported:
            self._reported = state
            yield from _texts(_pieces(state))

    def end(self) -> Iterator[str]:
        """Return the last line, which has no line break."""
        yield from self._gather(self._decoder.decode(b"", final=True))
        yield from self._ended(self._rest)
        self._rest = ""

    def _gather(self, text: str) -> Iterator[str]:
        *ended, rest = (self._rest + self._sequences.without(text)).split("\n")
        for line in ended:
            yield from self._ended(line)
        # A line feed may follow a return: a terminal turns a program's `\r\n` into `\r\r\n`.
        state = _seen(rest) + ("\r" if rest.endswith("\r") else "")
        if len(state) < len(rest) and self._due is None:
            self._due = self._clock() + self._wait
        *full, self._rest = _pieces(state)
        yield from _texts(full)
        yield from self.tick()

    def _ended(self, line: str) -> Iterator[str]:
        reported, self._reported, self._wait, self._due = self._reported, "", FIRST_UPDATE_SECONDS, None
        seen = _seen(line)
        if not reported or plain_line(seen) != reported:
            yield from _texts(_pieces(seen))


def level(line: str) -> LogLevel:
    """Return the level that a line names in capitals at its start, or INFO."""
    match = _LEVEL.search(line, 0, LEVEL_WITHIN)
    return _LEVELS[match[1]] if match else "INFO"


def _seen(line: str) -> str:
    """Return the part of a line that stays visible."""
    return line.rstrip("\r").rpartition("\r")[2]


def _texts(pieces: Iterable[str]) -> Iterator[str]:
    return filter(None, map(plain_line, pieces))


def _pieces(line: str) -> list[str]:
    """Split a line into pieces of at most LONGEST bytes without splitting characters. The last may be empty."""
    pieces = []
    while len(line) * 4 > LONGEST and len(raw := line[: LONGEST + 1].encode("utf-8", "replace")) > LONGEST:
        fitting = len(raw[:LONGEST].decode("utf-8", "ignore"))
        cut = _before_character(line, fitting)
        pieces.append(line[:cut])
        line = line[cut:]
    return [*pieces, line]


def _before_character(line: str, cut: int) -> int:
    """Return the nearest position at or before `cut` that does not split a visible character."""
    for at in range(cut, max(cut - _LONGEST_CHARACTER, 0), -1):
        if not _continues(line[at]) and line[at - 1] != _JOINER:
            return at
    return cut


def _continues(character: str) -> bool:
    return character == _JOINER or unicodedata.category(character)[0] == "M" or ord(character) in _SKIN_TONES
