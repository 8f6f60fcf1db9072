"""Log lines as plain text, one line per entry."""

import re

import orjson

from jobtrack import times
from jobtrack.domain.journal.records import Record

_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_ESCAPES = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def raw(record: Record) -> str:
    """Return `<time> <LEVEL> <component> [<stage>] <message> <details as JSON>`, with control characters escaped."""
    message, component, stage, details = [*record.body, None, None, None][:4]
    parts = (
        times.render(record.time),
        record.family.name,
        component or "-",
        f"[{stage or '-'}]",
        message,
        orjson.dumps(details or {}).decode(),
    )
    return _CONTROL_CHARACTER.sub(_escape, " ".join(parts))


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    return _ESCAPES.get(character, f"\\u{ord(character):04x}")
