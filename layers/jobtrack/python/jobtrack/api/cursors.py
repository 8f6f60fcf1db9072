"""Cursors: where a walk goes on, opaque to who carries it, bound to the job and the direction, or to the list."""

import base64
import hashlib
import re

import orjson

from jobtrack.errors import Fault, Unprocessable

Place = tuple[int, int]

_SEAL_BYTES = 6
SUBSCRIPTION = re.compile(r"sub-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
DELIVERY = re.compile(r"msg_\d{12}_[0-9a-t]{1,64}", re.ASCII)
_LISTED = re.compile(r"(?:[0-3]#)?\d{18}#[0-9a-f-]{36}", re.ASCII)


def encode(job: str, direction: str, place: Place) -> str:
    """A cursor that goes on beyond the place (time in µs, sequence)."""
    content = orjson.dumps(place)
    return base64.urlsafe_b64encode(_seal(job, direction, content) + content).decode().rstrip("=")


def decode(job: str, direction: str, cursor: str) -> Place:
    """The place in the cursor.

    Raises:
        Unprocessable: it was changed, or is of another job or direction.
    """
    try:
        sealed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        time, sequence = orjson.loads(sealed[_SEAL_BYTES:])
    except (ValueError, TypeError):
        raise _refused() from None
    if not _is_place(time, sequence) or encode(job, direction, (time, sequence)) != cursor:
        raise _refused()
    return time, sequence


def encode_listed(owner: str, walk: str, place: str) -> str:
    """A cursor that goes on beyond a place in one of the owner's lists: `…created#job`."""
    content = place.encode()
    return base64.urlsafe_b64encode(_seal(owner, walk, content) + content).decode().rstrip("=")


def decode_listed(owner: str, walk: str, cursor: str, shape: re.Pattern[str] = _LISTED) -> str:
    """The place in a list's cursor, of the shape that its places have.

    Raises:
        Unprocessable: it was changed, or is of another list.
    """
    try:
        sealed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        place = sealed[_SEAL_BYTES:].decode()
    except ValueError:
        raise _refused_in_list() from None
    if not shape.fullmatch(place) or encode_listed(owner, walk, place) != cursor:
        raise _refused_in_list()
    return place


def _is_place(time: object, sequence: object) -> bool:
    return type(time) is int and type(sequence) is int and abs(time) < 10**18 and 0 <= sequence < 10**12


def _seal(job: str, direction: str, content: bytes) -> bytes:
    """Tells a cursor of another walk, or a damaged one; it keeps no secret, since a place is none."""
    return hashlib.sha256(f"{job}/{direction}/".encode() + content).digest()[:_SEAL_BYTES]


def _refused() -> Unprocessable:
    detail = "is none that this job gave in this direction"
    return Unprocessable(f"The cursor {detail}.", [Fault("/query/cursor", detail)])


def _refused_in_list() -> Unprocessable:
    detail = "is none that this list gave"
    return Unprocessable(f"The cursor {detail}.", [Fault("/query/cursor", detail)])
