"""An event as it waits to be sent: its JSON, made when it was reported, and how dear it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum

from jobtrack_client._plain import Json, as_text, plain
from jobtrack_client._shorten import EVENT_BYTES, cut, dumps, shorten, squeeze

ERROR_BYTES = 8 * 1024


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


@dataclass(frozen=True, slots=True)
class Event:
    """One event, ready to be sent."""

    type: str
    rank: Rank
    body: bytes


def make_event(type_: str, data: Mapping[str, object], time: float) -> Event:
    """The event of `time` (seconds since 1970), within the contract's limits; members that are None are left out."""
    members = shorten({name: plain(value) for name, value in data.items() if value is not None})
    body = dumps(_envelope(type_, members, time))
    if len(body) > EVENT_BYTES:
        room = EVENT_BYTES - len(dumps(_envelope(type_, {}, time)))
        body = dumps({**_envelope(type_, {}, time), "data": squeeze(members, room)})
    return Event(type_, _rank(type_, members), body)


def describe_error(error: BaseException | str) -> dict[str, Json]:
    """The `error` of a failed job or stage: what it says and of which type it is."""
    if isinstance(error, str):
        return {"message": cut(error, ERROR_BYTES)}
    name = type(error).__name__
    return {"message": cut(as_text(error) or name, ERROR_BYTES), "type": name}


def _envelope(type_: str, members: dict[str, Json], time: float) -> dict[str, Json]:
    moment = datetime.fromtimestamp(time, UTC).isoformat().replace("+00:00", "Z")
    return {"type": type_, "time": moment, "data": members} if members else {"type": type_, "time": moment}


def _rank(type_: str, members: dict[str, Json]) -> Rank:
    if type_ == "log":
        return _LOG_RANKS.get(str(members.get("level")), Rank.ROUTINE)
    return _RANKS.get(type_, Rank.LIFECYCLE)
