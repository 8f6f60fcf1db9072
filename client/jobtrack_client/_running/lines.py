"""What a command writes, as log lines."""

import re
import unicodedata
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable, Iterator
from time import monotonic

from jobtrack_client._running.controls import Sequences, plain_line
from jobtrack_client.types import LogLevel

LONGEST = 32 * 1024
"""Bytes of a line in UTF-8, beyond which it is more than one."""
FIRST_UPDATE_SECONDS = 2.0
"""How long a progress bar is shown by nothing, and then how long until its next state; each time twice as long."""
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
"""Characters at the beginning of a line, among which programs name its level."""
_JOINER = "\u200d"
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_LONGEST_CHARACTER = 32
"""Code points that are kept together at most."""


class Lines:
    """Gathers bytes to lines; of what a carriage return overwrites, as a progress bar does, the last is left.

    While such a line is under way, its state comes as a line now and then: after 2 seconds, and then ever more rarely.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._sequences = Sequences()
        self._rest = ""
        """The line under way."""
        self._wait = FIRST_UPDATE_SECONDS
        self._due: float | None = None
        """When the state of the line under way is due; None unless it is overwritten."""
        self._told = ""
        """Its state as it was last told."""

    def add(self, data: bytes) -> Iterator[str]:
        """The lines that these bytes end."""
        return self._gather(self._decoder.decode(data))

    def tick(self) -> Iterator[str]:
        """The state of a line that is overwritten again and again, if it is due and new."""
        if self._due is None or self._clock() < self._due:
            return
        self._wait = min(2 * self._wait, LONGEST_UPDATE_SECONDS)
        self._due = self._clock() + self._wait
        state = plain_line(_seen(self._rest))
        if state and state != self._told:
            self._told = state
            yield from _texts(_pieces(state))

    def end(self) -> Iterator[str]:
        """What was written without an end of line."""
        yield from self._gather(self._decoder.decode(b"", final=True))
        yield from self._ended(self._rest)
        self._rest = ""

    def _gather(self, text: str) -> Iterator[str]:
        *ended, rest = (self._rest + self._sequences.without(text)).split("\n")
        for line in ended:
            yield from self._ended(line)
        # Returns at the very end may be followed by a line feed: a terminal makes `\r\r\n` of a program's `\r\n`.
        state = _seen(rest) + ("\r" if rest.endswith("\r") else "")
        if len(state) < len(rest) and self._due is None:
            self._due = self._clock() + self._wait
        *full, self._rest = _pieces(state)
        yield from _texts(full)
        yield from self.tick()

    def _ended(self, line: str) -> Iterator[str]:
        told, self._told, self._wait, self._due = self._told, "", FIRST_UPDATE_SECONDS, None
        seen = _seen(line)
        if not told or plain_line(seen) != told:
            yield from _texts(_pieces(seen))


def level(line: str) -> LogLevel:
    """The level that a line names at its beginning, in capitals; else INFO."""
    found = _LEVEL.search(line, 0, LEVEL_WITHIN)
    return _LEVELS[found[1]] if found else "INFO"


def _seen(line: str) -> str:
    """What a terminal shows of it in the end."""
    return line.rstrip("\r").rpartition("\r")[2]


def _texts(pieces: Iterable[str]) -> Iterator[str]:
    return filter(None, map(plain_line, pieces))


def _pieces(line: str) -> list[str]:
    """The line in pieces of at most LONGEST bytes, the last of which may be empty; characters stay whole."""
    pieces = []
    while len(line) * 4 > LONGEST and len(raw := line[: LONGEST + 1].encode("utf-8", "replace")) > LONGEST:
        fitting = len(raw[:LONGEST].decode("utf-8", "ignore"))
        cut = _before_character(line, fitting)
        pieces.append(line[:cut])
        line = line[cut:]
    return [*pieces, line]


def _before_character(line: str, cut: int) -> int:
    """The nearest place at or before `cut` where what looks like one character to a reader is not cut in two."""
    for at in range(cut, max(cut - _LONGEST_CHARACTER, 0), -1):
        if not _continues(line[at]) and line[at - 1] != _JOINER:
            return at
    return cut


def _continues(character: str) -> bool:
    return character == _JOINER or unicodedata.category(character)[0] == "M" or ord(character) in _SKIN_TONES
