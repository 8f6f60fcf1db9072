"""The contract's limits of an event: what is beyond them is shortened with a mark rather than lost."""

import json

from jobtrack_client._plain import Json

EVENT_BYTES = 64 * 1024
MESSAGE_BYTES = 32 * 1024
NAME_CHARACTERS = 200

_TEXT_BYTES = {"message": MESSAGE_BYTES, "description": 2048, "condition": 2048, "resolution": 2048}
_JSON_BYTES = {"details": 16 * 1024, "metrics": 4 * 1024}
_OTHER_JSON_BYTES = 8 * 1024
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_LADDER = (8192, 2048, 512, 128, 32)


def dumps(value: Json) -> bytes:
    """Compact JSON in UTF-8; half a surrogate pair, which UTF-8 cannot hold, becomes `?`."""
    return encoded(value).encode("utf-8", "replace")


def encoded(value: Json) -> str:
    """Compact JSON."""
    return _ENCODER.encode(value)


def cut(text: str, limit: int) -> str:
    """The text in at most `limit` bytes of UTF-8, with a mark where it was cut."""
    if len(text) * 4 <= limit or len(raw := text[: limit + 1].encode("utf-8", "replace")) <= limit:
        return text
    mark = f"… [shortened from {len(text)} characters]"
    return raw[: max(0, limit - len(mark.encode()))].decode("utf-8", "ignore") + mark


def shorten(data: dict[str, Json]) -> dict[str, Json]:
    """The data of an event with each member within its own limit."""
    return {name: _member(name, value) for name, value in data.items()}


def squeeze(value: Json, room: int) -> Json:
    """The value in at most `room` bytes of JSON: its texts cut evenly, at last only the beginning of its JSON."""
    for limit in _LADDER:
        if len(dumps(value)) <= room:
            return value
        value = _cut_within(value, limit)
    raw = dumps(value)
    # A quote or backslash of the beginning is escaped once more, hence half the room.
    return value if len(raw) <= room else {"shortened": cut(raw.decode(), room // 2 - 32)}


def _member(name: str, value: Json) -> Json:
    if isinstance(value, str):
        return cut(value, _TEXT_BYTES[name]) if name in _TEXT_BYTES else _name(value)
    if isinstance(value, (dict, list)):
        return squeeze(value, _JSON_BYTES.get(name, _OTHER_JSON_BYTES))
    return value


def _name(text: str) -> str:
    return text if len(text) <= NAME_CHARACTERS else text[: NAME_CHARACTERS - 1] + "…"


def _cut_within(value: Json, limit: int) -> Json:
    if isinstance(value, str):
        return cut(value, limit)
    if isinstance(value, dict):
        return {cut(key, limit): _cut_within(item, limit) for key, item in value.items()}
    return [_cut_within(item, limit) for item in value] if isinstance(value, list) else value
