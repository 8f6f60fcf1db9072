"""Generate the synchronous client `_api/_sync` from the asynchronous one, `_api/_async`."""

import re

_REPLACEMENTS = (
    (r"from asyncio import sleep as sleep", "from time import sleep as sleep"),
    (r"Callable\[\[float\], Awaitable\[object\]\]", "Callable[[float], object]"),
    (r"import AsyncGenerator, AsyncIterator, Awaitable, Callable", "import Callable, Generator, Iterator"),
    (r"import AsyncGenerator, Awaitable, Callable", "import Callable, Generator"),
    (r"websockets\.asyncio", "websockets.sync"),
    (r"\bAnyToken\b", "Token"),
    (r"__a(enter|exit)__", r"__\1__"),
    (r"\baclos(e|ing)\b", r"clos\1"),
    (r"\b(async|await) ", ""),
    (r"\bAsync(Client|Http|Endpoints|Walks|Following|Route|BaseTransport|HTTPTransport|Iterator|Generator)\b", r"\1"),
    (r"\b_async\b", "_sync"),
    (r"\bhandle_async_request\b", "handle_request"),
)
HEAD = "# Generated from ../_async/{name} by `make client`; do not edit.\n"


def source(name: str, text: str) -> str:
    """Return the text of a module of `_sync` for the text of the module of the same name in `_async`."""
    for pattern, replacement in _REPLACEMENTS:
        text = re.sub(pattern, replacement, text)
    return HEAD.format(name=name) + text
