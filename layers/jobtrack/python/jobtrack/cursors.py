"""Cursors: where a walk goes on, opaque to who carries it, bound to the job and the direction."""

import base64
import binascii

import orjson

from jobtrack.errors import Fault, Unprocessable

Place = tuple[int, int]


def encode(job: str, direction: str, place: Place) -> str:
    """A cursor that goes on beyond the place (time in µs, sequence)."""
    return base64.urlsafe_b64encode(orjson.dumps([job[:8], direction[:1], *place])).decode().rstrip("=")


def decode(job: str, direction: str, cursor: str) -> Place:
    """The place in the cursor.

    Raises:
        Unprocessable: it is none of ours, or of another job or direction.
    """
    try:
        content = orjson.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        of_job, of_direction, time, sequence = content
    except (ValueError, TypeError, binascii.Error):
        raise _refused("is not a cursor of this service") from None
    if [of_job, of_direction] != [job[:8], direction[:1]]:
        raise _refused("is of another job or direction")
    if type(time) is not int or type(sequence) is not int or abs(time) > 10**18 or not 0 <= sequence < 10**12:
        raise _refused("is not a cursor of this service")
    return time, sequence


def _refused(detail: str) -> Unprocessable:
    return Unprocessable(f"The cursor {detail}.", [Fault("/query/cursor", detail)])
