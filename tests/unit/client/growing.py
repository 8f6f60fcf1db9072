"""A job whose lines, including late ones, are written while others read: one step before each response."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import get_args

import httpx

from jobtrack_client.types import LogLevel

LEVELS = get_args(LogLevel)
Step = tuple[str, int, int]
"""`write`, the number of lines and their age in seconds; or `fail`, or `cut`."""


@dataclass(frozen=True)
class Line:
    sequence: int
    second: int
    level: str

    @property
    def place(self) -> tuple[int, int]:
        """The position in a walk by time."""
        return (self.second, self.sequence)

    @property
    def json(self) -> dict[str, object]:
        told = {"timestamp": moment(self.second), "level": self.level, "message": f"line {self.sequence}"}
        return {**told, "component": None, "stage": None, "details": None, "sequence": self.sequence}


def moment(second: int) -> str:
    return f"2026-01-20T{10 + second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"


class Growing:
    """Follows the contract of `GET …/logs`: pages by time and cursor, or by sequence, of at most `page` lines."""

    def __init__(self, steps: Iterable[Step], page: int = 3) -> None:
        self._steps = iter(steps)
        self._page = page
        self.lines: list[Line] = []
        self.first_answer: list[Line] | None = None
        self.ended = False
        self._now = 600

    def __call__(self, request: httpx.Request) -> httpx.Response:
        kind, count, ago = next(self._steps, ("end", 0, 0))
        self._now += 1
        if kind == "write":
            for _ in range(count):
                sequence = 2 * len(self.lines) + 3
                self.lines.append(Line(sequence, max(0, self._now - ago), LEVELS[sequence // 2 % len(LEVELS)]))
        if kind == "fail":
            return httpx.Response(503)
        if kind == "cut":
            raise httpx.ReadTimeout("too late")
        self.ended = self.ended or kind == "end"
        if self.first_answer is None:
            self.first_answer = [*self.lines]
        return self._answer(request.url.params)

    def wanted(self, lines: Iterable[Line], level: str, since: str = "") -> list[Line]:
        """Return the lines of a level and time."""
        levels = LEVELS[LEVELS.index(level) :]
        return [line for line in lines if line.level in levels and moment(line.second) >= since]

    def _answer(self, asked: httpx.QueryParams) -> httpx.Response:
        since = asked.get("fromTime", "").replace("+00:00", "Z")
        found = self.wanted(self.lines, asked.get("level", "INFO"), since)
        limit = min(int(asked.get("limit", 1000)), self._page)
        head = self.lines[-1].sequence if self.lines else 1
        if "sinceSequence" in asked:
            after = [line for line in found if line.sequence > int(asked["sinceSequence"])]
            last = after[limit - 1].sequence if len(after) > limit else max(head, int(asked["sinceSequence"]))
            return self._page_of(after[:limit], None, last)
        backward = asked.get("direction", "backward") == "backward"
        walk = sorted(found, key=lambda line: line.place, reverse=backward)
        if cursor := asked.get("cursor"):
            place = tuple(json.loads(cursor))
            walk = [line for line in walk if (line.place < place if backward else line.place > place)]
        page, more = walk[:limit], len(walk) > limit
        cursor = json.dumps(page[-1].place) if more else None
        return self._page_of(sorted(page, key=lambda line: line.place), cursor, head)

    def _page_of(self, lines: list[Line], cursor: str | None, last: int) -> httpx.Response:
        status = "Completed" if self.ended else "Running"
        body = {"logs": [line.json for line in lines], "nextCursor": cursor, "lastSequence": last, "jobStatus": status}
        return httpx.Response(200, json=body)
