"""An event as it waits to be sent: its JSON, and how dear it is."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from jobtrack_client._api.bodies import event_data, fitting
from jobtrack_client._values.fields import details as kind_of_details
from jobtrack_client._values.json_values import Json, as_text, plain
from jobtrack_client._values.kinds import name, number
from jobtrack_client._values.shorten import EVENT_BYTES, MESSAGE_BYTES, cut, dumps, encoded

_SHORT = 4 * 1024
"""Characters that fit whatever they are, as a message, of six bytes each at most in JSON, and beside it as details."""
_YEAR_10000 = 253_402_300_799
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
    members = event_data(type_, data)
    envelope = _envelope(type_, members, time)
    body = dumps(envelope)
    if len(body) > EVENT_BYTES:
        body = dumps(fitting(envelope))
    return Event(type_, _rank(type_, members), body)


def make_line(line: Line, number: int = 0) -> Event:
    """The event of a log line: what `make_event` makes of its members."""
    level, message, component, stage, details, time = line
    known = _details(details)
    more = "" if known is None else f',"details":{encoded(known)}'
    if len(message) > _SHORT or len(more) > _SHORT:
        members = {"level": level, "message": message, "component": component, "stage": stage, "details": details}
        return make_event("log", members, time)._replace(number=number)
    body = (
        f'{{"type":"log","time":"{_moment(time)}","data":{{"level":"{level}","message":{encoded(message)}'
        f"{_origin(component, stage)}{more}}}}}"
    )
    return Event("log", _LOG_RANKS[level], body.encode("utf-8", "replace"), number)


def origin(name: object) -> str | None:
    """The component or stage of a log line, as a text that can be hashed; None where there is none."""
    if name is None or type(name) is str:
        return name or None
    return as_text(name)


def valid_time(moment: object, now: float) -> float:
    """The time (seconds since 1970) of an event; `now` where it is none."""
    if type(moment) is float and 0 <= moment < _YEAR_10000:
        return moment
    try:
        found = number(moment.timestamp() if isinstance(moment, datetime) else moment)
    except (ValueError, OverflowError):  # at the edges of what a datetime can be
        return now
    return now if found is None or not 0 <= found < _YEAR_10000 else float(found)


def snapshot(details: Mapping[str, object]) -> object:
    """The details as they are now, whatever becomes of them."""
    return (
        details.copy() if type(details) is dict and _FIXED.issuperset(map(type, details.values())) else plain(details)
    )


def describe_error(error: BaseException | str) -> dict[str, Json]:
    """The `error` of a failed job or stage: what it says and of which type it is."""
    if isinstance(error, str):
        return {"message": cut(error, MESSAGE_BYTES)}
    kind = type(error).__name__
    return {"message": cut(as_text(error) or kind, MESSAGE_BYTES), "type": kind}


def _details(details: object) -> Json:
    """Those of a line; their size is looked at once they are encoded."""
    if isinstance(details, dict):
        return plain(details)
    return None if details is None else kind_of_details(details)


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
    known = {"component": component and name(component), "stage": stage and name(stage)}
    return "".join(f',"{member}":{encoded(value)}' for member, value in known.items() if value)


def _rank(type_: str, members: dict[str, Json]) -> Rank:
    if type_ == "log":
        return _LOG_RANKS.get(str(members.get("level")), Rank.ROUTINE)
    return _RANKS.get(type_, Rank.LIFECYCLE)
