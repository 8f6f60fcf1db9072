"""Makes untrusted text safe to print: it cannot control a terminal, and one record stays one line."""

from collections.abc import Mapping
from typing import Any, TypeVar, cast

T = TypeVar("T")

_CONTROLS = (*range(0x20), *range(0x7F, 0xA0))
"""C0, DEL and C1 (ECMA-48). They include ESC, the one-byte CSI, and all but two line breaks."""
_SEPARATORS = (0x2028, 0x2029)
_BIDI = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
"""Bidi_Control (Unicode, UAX #9). They change the order in which text is shown."""
_SURROGATES = range(0xD800, 0xE000)
"""JSON may contain a surrogate, which no encoding supports."""
UNSAFE = (*_CONTROLS, *_SEPARATORS, *_BIDI, *_SURROGATES)
_WRITTEN_OUT = {code: ascii(chr(code))[1:-1] for code in UNSAFE}
_BUT_TABS = {code: text for code, text in _WRITTEN_OUT.items() if code != ord("\t")}


def visible(text: str, *, tabs: bool = False) -> str:
    """Replace unsafe characters of a text by Python escape sequences. With `tabs`, tabs are kept."""
    return text.translate(_BUT_TABS if tabs else _WRITTEN_OUT)


def harmless(value: T, *, tabs: bool = False) -> T:
    """Return a JSON value in which all texts and names are `visible`."""
    return cast(T, _harmless(value, tabs))


def _harmless(value: Any, tabs: bool) -> Any:
    if isinstance(value, str):
        return visible(value, tabs=tabs)
    if isinstance(value, Mapping):
        return {_harmless(name, tabs): _harmless(item, tabs) for name, item in value.items()}
    return [_harmless(item, tabs) for item in value] if isinstance(value, (list, tuple)) else value
