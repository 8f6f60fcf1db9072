"""The clients that block, made of those that await: what `make client` writes to `jobtrack_client/_sync`."""

import re

_WORDS = (
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
HEAD = "# Made from ../_async/{name} by `make client`: change that instead.\n"


def source(name: str, text: str) -> str:
    """The text of a module of `_sync`, for that of the module of the same name in `_async`."""
    for pattern, words in _WORDS:
        text = re.sub(pattern, words, text)
    return HEAD.format(name=name) + text
