"""Events as they wait in the buffer: their JSON and their rank."""

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
"""A message and details of this many characters always fit into an event: each takes at most six bytes of JSON."""
_YEAR_10000 = 253_402_300_799
_FIXED = frozenset({str, int, float, bool, type(None)})


class Rank(IntEnum):
    """The order in which events are dropped when the buffer is full: the lowest rank first, LIFECYCLE never."""

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
"""The bytes of memory of an event besides its JSON."""


class Event(NamedTuple):
    """An event that is ready to be sent, with its number in the order of reporting."""

    type: str
    rank: Rank
    body: bytes
    number: int = 0

    @property
    def weight(self) -> int:
        """The memory of the event in bytes."""
        return len(self.body) + OVERHEAD


Line: TypeAlias = tuple[str, str, str | None, str | None, object, float]
"""A log line as it was reported: level, message, component, stage, details, and time in seconds since 1970.

The JSON of many lines is made later, at once. Making it immediately would take three times as long (measured at 1,000
lines a second), because our code and data are not in the processor's caches then.
"""


def make_event(type_: str, data: Mapping[str, object], time: float) -> Event:
    """Return an event at `time` (seconds since 1970), within the contract's limits, without None."""
    members = event_data(type_, data)
    envelope = _envelope(type_, members, time)
    body = dumps(envelope)
    if len(body) > EVENT_BYTES:
        body = dumps(fitting(envelope))
    return Event(type_, _rank(type_, members), body)


def make_line(line: Line, number: int = 0) -> Event:
    """Return the event of a log line. This does the same as `make_event`, but faster."""
    level, message, component, stage, details, time = line
    values = _details(details)
    more = "" if values is None else f',"details":{encoded(values)}'
    if len(message) > _SHORT or len(more) > _SHORT:
        members = {"level": level, "message": message, "component": component, "stage": stage, "details": details}
        return make_event("log", members, time)._replace(number=number)
    body = (
        f'{{"type":"log","time":"{_moment(time)}","data":{{"level":"{level}","message":{encoded(message)}'
        f"{_origin(component, stage)}{more}}}}}"
    )
    return Event("log", _LOG_RANKS[level], body.encode("utf-8", "replace"), number)


def origin(name: object) -> str | None:
    """Return the component or stage of a log line as a hashable text; None if it is empty."""
    if name is None or type(name) is str:
        return name or None
    return as_text(name)


def valid_time(moment: object, now: float) -> float:
    """Return the time of an event in seconds since 1970; `now` if the given time is invalid."""
    if type(moment) is float and 0 <= moment < _YEAR_10000:
        return moment
    try:
        seconds = number(moment.timestamp() if isinstance(moment, datetime) else moment)
    except (ValueError, OverflowError):  # near the first or last datetime
        return now
    return now if seconds is None or not 0 <= seconds < _YEAR_10000 else float(seconds)


def snapshot(details: Mapping[str, object]) -> object:
    """Return a copy of the details, which later changes do not affect."""
    return (
        details.copy() if type(details) is dict and _FIXED.issuperset(map(type, details.values())) else plain(details)
    )


def describe_error(error: BaseException | str) -> dict[str, Json]:
    """Return the `error` of a failed job or stage: its message and type."""
    if isinstance(error, str):
        return {"message": cut(error, MESSAGE_BYTES)}
    kind = type(error).__name__
    return {"message": cut(as_text(error) or kind, MESSAGE_BYTES), "type": kind}


def _details(details: object) -> Json:
    """Return the details of a line. Their size is checked after encoding."""
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
    values = {"component": component and name(component), "stage": stage and name(stage)}
    return "".join(f',"{member}":{encoded(value)}' for member, value in values.items() if value)


def _rank(type_: str, members: dict[str, Json]) -> Rank:
    if type_ == "log":
        return _LOG_RANKS.get(str(members.get("level")), Rank.ROUTINE)
    return _RANKS.get(type_, Rank.LIFECYCLE)
