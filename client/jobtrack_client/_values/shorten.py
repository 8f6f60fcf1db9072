"""Shortens texts and JSON to the contract's limits. A mark says how much was cut."""

import json
import re
import zlib

from jobtrack_client._values.json_values import Json

EVENT_BYTES = 64 * 1024
MESSAGE_BYTES = 32 * 1024
NAME_CHARACTERS = 200
_KEPT_OF_A_NAME = 150
"""Leaves room for the mark."""

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_LADDER = (15_000, 12_000, 8192, 2048, 512, 128, 64)
_MARK_BYTES = len(f"… [{10**9:,} characters cut] …".encode())
_TRACEBACK = "Traceback (most recent call last):"
_TRACEBACK_CHARACTERS = 1_000_000
"""Longer texts are not split into their parts."""
# Frames are indented. Exceptions and the lines between them are not.
_PARTS = re.compile(r"(?:^[ \t].*\n?)+|(?:^(?![ \t]).*\n?)+", re.MULTILINE)


def dumps(value: Json) -> bytes:
    """Return compact JSON in UTF-8. A single surrogate becomes `?`."""
    return encoded(value).encode("utf-8", "replace")


def encoded(value: Json) -> str:
    """Return compact JSON."""
    return _ENCODER.encode(value)


def cut(text: str, limit: int) -> str:
    """Return the beginning and the end of a text, with a mark between them, in at most `limit` bytes of UTF-8.

    In a traceback, each exception and each list of frames is cut separately, so that all exceptions remain.
    """
    if len(text) * 4 <= limit or _size(text[: limit + 1]) <= limit:
        return text
    if _TRACEBACK in text[:_TRACEBACK_CHARACTERS] and len(text) <= _TRACEBACK_CHARACTERS:
        return _cut_parts(text, limit)
    return _cut_middle(text, limit)


def short_name(text: str) -> str:
    """Return a name in at most 200 characters. A checksum distinguishes names with the same beginning."""
    if len(text) <= NAME_CHARACTERS:
        return text
    checksum = zlib.crc32(text.encode("utf-8", "surrogatepass"))
    return f"{text[:_KEPT_OF_A_NAME]}… [{len(text) - _KEPT_OF_A_NAME:,} characters cut, {checksum:08x}]"


def squeeze(value: Json, room: int) -> Json:
    """Return a value in at most `room` bytes of JSON. Its texts are cut evenly, or else its whole JSON is cut."""
    shorter, raw = value, dumps(value)
    for limit in _LADDER:
        if len(raw) <= room:
            return shorter
        # Always cut the original, so that the mark counts everything that was cut.
        shorter = _cut_within(value, limit)
        raw = dumps(shorter)
    if len(raw) <= room:
        return shorter
    # Quotes and backslashes are escaped once more, so only half of the room is used.
    return {"shortened": cut(raw.decode(), room // 2 - 32)}


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _cut_middle(text: str, limit: int) -> str:
    room = max(0, limit - _MARK_BYTES)
    first, last = room // 2, room - room // 2
    head = text[:first].encode("utf-8", "replace")[:first].decode("utf-8", "ignore")
    end = text[-last:].encode("utf-8", "replace") if last else b""
    tail = end[max(0, len(end) - last) :].decode("utf-8", "ignore")
    return f"{head}… [{len(text) - len(head) - len(tail):,} characters cut] …{tail}"


def _cut_parts(text: str, limit: int) -> str:
    parts = _PARTS.findall(text)
    level = _fair_share([_size(part) for part in parts], limit)
    if level < 4 * _MARK_BYTES:
        return _cut_middle(text, limit)
    return "".join(part if _size(part) <= level else _cut_middle(part, level) for part in parts)


def _fair_share(sizes: list[int], room: int) -> int:
    """Return the largest size that each part may keep so that all fit. Small parts leave room for large ones."""
    left = len(sizes)
    for size in sorted(sizes):
        if size * left > room:
            return room // left
        room -= size
        left -= 1
    return max(sizes)


def _cut_within(value: Json, limit: int) -> Json:
    if isinstance(value, str):
        return cut(value, limit)
    if isinstance(value, dict):
        return {cut(key, limit): _cut_within(item, limit) for key, item in value.items()}
    return [_cut_within(item, limit) for item in value] if isinstance(value, list) else value
