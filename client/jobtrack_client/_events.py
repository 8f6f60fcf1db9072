"""An event as it waits to be sent: its JSON, and how dear it is."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from jobtrack_client._plain import Json, as_text, plain
from jobtrack_client._shorten import EVENT_BYTES, cut, dumps, encoded, shorten, squeeze

ERROR_BYTES = 8 * 1024
_SHORT = 4 * 1024
"""Characters that fit whatever they are, as a message, of six bytes each at most in JSON, and beside it as details."""
_FIXED = frozenset({str, int, float, bool, type(None)})


class Rank(IntEnum):
    """What goes first when memory runs out: the lowest rank, its oldest; LIFECYCLE never goes."""

    DEBUG = 0
    ROUTINE = 1
    WARN = 2
    NOTABLE = 3
    LIFECYCLE = 4


_LOG_RANKS = {"DEBUG": Rank.DEBUG, "INFO": Rank.ROUTINE, "WARN": Rank.WARN, "ERROR": Rank.NOTABLE}
_RANKS = {
    "progressUpdate": Rank.ROUTINE,
    "metricSample": Rank.ROUTINE,
    "heartbeat": Rank.ROUTINE,
    "quality": Rank.NOTABLE,
    "milestone": Rank.NOTABLE,
    "warning": Rank.NOTABLE,
    "error": Rank.NOTABLE,
}


OVERHEAD = 150
"""Bytes that an event weighs in memory beyond its JSON."""


class Event(NamedTuple):
    """One event, ready to be sent, with its number in the order of reporting."""

    type: str
    rank: Rank
    body: bytes
    number: int = 0

    @property
    def weight(self) -> int:
        """Bytes of memory."""
        return len(self.body) + OVERHEAD


Line: TypeAlias = tuple[str, str, str | None, str | None, object, float]
"""A log line as it was reported: level, message, component, stage, details, seconds since 1970.

Lines are many. To make the JSON of one costs the job three times as much between its own work as in one go with others
(measured at 1,000 lines a second, where nothing of ours is in the processor's caches), so it is made later.
"""


def make_event(type_: str, data: Mapping[str, object], time: float) -> Event:
    """The event of `time` (seconds since 1970), within the contract's limits; members that are None are left out."""
    members = shorten({name: plain(value) for name, value in data.items() if value is not None})
    body = dumps(_envelope(type_, members, time))
    if len(body) > EVENT_BYTES:
        room = EVENT_BYTES - len(dumps(_envelope(type_, {}, time)))
        body = dumps({**_envelope(type_, {}, time), "data": squeeze(members, room)})
    return Event(type_, _rank(type_, members), body)


def make_line(line: Line, number: int = 0) -> Event:
    """The event of a log line: what `make_event` makes of its members."""
    level, message, component, stage, details, time = line
    more = "" if details is None else f',"details":{encoded(plain(details))}'
    if len(message) > _SHORT or len(more) > _SHORT:
        members = {"level": level, "message": message, "component": component, "stage": stage, "details": details}
        return make_event("log", members, time)._replace(number=number)
    body = (
        f'{{"type":"log","time":"{_moment(time)}","data":{{"level":"{level}","message":{encoded(message)}'
        f"{_origin(component, stage)}{more}}}}}"
    )
    return Event("log", _LOG_RANKS[level], body.encode("utf-8", "replace"), number)


def snapshot(details: Mapping[str, object]) -> object:
    """The details as they are now, whatever becomes of them."""
    return (
        details.copy() if type(details) is dict and _FIXED.issuperset(map(type, details.values())) else plain(details)
    )


def describe_error(error: BaseException | str) -> dict[str, Json]:
    """The `error` of a failed job or stage: what it says and of which type it is."""
    if isinstance(error, str):
        return {"message": cut(error, ERROR_BYTES)}
    name = type(error).__name__
    return {"message": cut(as_text(error) or name, ERROR_BYTES), "type": name}


def _envelope(type_: str, members: dict[str, Json], time: float) -> dict[str, Json]:
    moment = _moment(time)
    return {"type": type_, "time": moment, "data": members} if members else {"type": type_, "time": moment}


def _moment(time: float) -> str:
    seconds, micros = divmod(round(time * 1_000_000), 1_000_000)
    return f"{_second(seconds)}.{micros:06d}Z" if micros else f"{_second(seconds)}Z"


@lru_cache(maxsize=16)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()


@lru_cache(maxsize=1024)
def _origin(component: str | None, stage: str | None) -> str:
    known = shorten({name: value for name, value in (("component", component), ("stage", stage)) if value is not None})
    return "".join(f',"{name}":{encoded(str(value))}' for name, value in known.items())


def _rank(type_: str, members: dict[str, Json]) -> Rank:
    if type_ == "log":
        return _LOG_RANKS.get(str(members.get("level")), Rank.ROUTINE)
    return _RANKS.get(type_, Rank.LIFECYCLE)
