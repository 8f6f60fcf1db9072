"""Cursors: where the next page of a list begins. They are opaque to clients and bound to one list.

A cursor is a position in the list as text, after a checksum of the position and the list's name. The checksum detects a
cursor that was changed or that comes from another list. It is not a secret: a position reveals nothing.
"""

import base64
import hashlib
import re
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from jobtrack.errors import Fault, Unprocessable
from jobtrack.store.status_index import Place

Position = TypeVar("Position")
Entries = TypeVar("Entries")


class Format(NamedTuple, Generic[Position]):
    """How a position is written in a cursor."""

    pattern: re.Pattern[str]
    parse: Callable[[str], Position]
    render: Callable[[Position], str]


SUBSCRIPTION_ID = re.compile(r"sub-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
MESSAGE_ID = re.compile(r"msg_\d{12}_[0-9a-t]{1,64}", re.ASCII)

JOURNAL = Format(
    re.compile(r"-?\d{1,18}#\d{1,12}", re.ASCII),
    lambda text: (int(text.split("#")[0]), int(text.split("#")[1])),
    lambda place: f"{place[0]}#{place[1]}",
)
"""Time in µs and sequence of an entry of a job's journal."""
JOBS = Format(re.compile(r"\d{18}#[0-9a-f-]{36}", re.ASCII), Place.parse, lambda place: place.text)
QUEUE = Format(re.compile(r"[0-3]#\d{18}#[0-9a-f-]{36}", re.ASCII), str, str)
SUBSCRIPTIONS = Format(SUBSCRIPTION_ID, str, str)
DELIVERIES = Format(MESSAGE_ID, str, str)

_CHECKSUM_BYTES = 6


def read_page(
    list_name: str,
    position_format: Format[Position],
    cursor: str | None,
    read: Callable[[Position | None], tuple[Entries, Position | None]],
) -> tuple[Entries, str | None]:
    """Read the page after a cursor; return its entries, and the cursor of the next page.

    Args:
        list_name: names the list among all lists of all tenants; also its direction, if it has two.
        position_format: how the list's positions are written.
        cursor: the cursor that the client sent; None for the first page.
        read: reads the entries after a position, and returns the position of the last of them if there are more.

    Raises:
        Unprocessable: the cursor was not issued by this list.
    """
    entries, last = read(decode(list_name, position_format, cursor) if cursor else None)
    return entries, None if last is None else encode(list_name, position_format.render(last))


def encode(list_name: str, position: str) -> str:
    """Return the cursor of a position."""
    content = position.encode()
    return base64.urlsafe_b64encode(_checksum(list_name, content) + content).decode().rstrip("=")


def decode(list_name: str, position_format: Format[Position], cursor: str) -> Position:
    """Return the position in a cursor.

    Raises:
        Unprocessable: the cursor was not issued by this list.
    """
    try:
        content = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        position = content[_CHECKSUM_BYTES:].decode()
    except ValueError:
        raise _refused() from None
    if not position_format.pattern.fullmatch(position) or encode(list_name, position) != cursor:
        raise _refused()
    return position_format.parse(position)


def _checksum(list_name: str, content: bytes) -> bytes:
    return hashlib.sha256(f"{list_name}/".encode() + content).digest()[:_CHECKSUM_BYTES]


def _refused() -> Unprocessable:
    detail = "was not issued by this list"
    return Unprocessable(f"The cursor {detail}.", [Fault("/query/cursor", detail)])
