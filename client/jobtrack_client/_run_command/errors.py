"""Finds the reason of a command's failure at the end of its output: the exception, without the lines around it."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

LINES = 500
"""The number of last lines that are searched."""
LINE_CHARACTERS = 1000
MORE_LINES = 10
"""The lines that may follow an exception as part of its text. After more, the failure has another reason."""


class Cause(NamedTuple):
    """The reason of a failure: the message, and the type of an exception."""

    message: str
    type: str | None = None

    def __str__(self) -> str:
        """Return the reason in one line."""
        return ": ".join(filter(None, (self.type, self.message)))


_NAME = r"[\w$]+(?:(?:\.|::|\\)[\w$]+)*"
_EXCEPTIONS = [
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        # Python, an exception group, and a syntax error without a traceback.
        rf"^Traceback \(most recent call last\):\n(?:[ \t].*\n|\n)*(?P<type>{_NAME})(?:: (?P<message>.*))?$",
        rf"^  \+ Exception Group Traceback .*\n(?:  \|  .*\n)*  \| (?P<type>{_NAME}): (?P<message>.*)$",
        r"^  File .*, line \d+\n(?:[ \t].*\n)*(?P<type>SyntaxError|IndentationError|TabError): (?P<message>.*)$",
        # Node, Deno, Java, Kotlin, .NET: a message of some lines, and frames.
        rf'^(?:Exception in thread ".*" |Unhandled exception\. |error: )?(?:Uncaught (?:\(in promise\) )?)?'
        rf"(?P<type>{_NAME})(?: \[\w+\])?(?:: (?P<message>.*)(?:\n(?!\s+at |{_NAME}: ).*){{0,{MORE_LINES}}}?)?\n\s+at ",
        # Go, Rust before and since 1.73, Ruby, PHP, C++, Elixir, Julia, Lua.
        r"^(?P<type>panic|fatal error): (?P<message>.*)\n(?:.*\n)*?goroutine \d+ ",
        r"^thread '.*'(?: \(\d+\))? (?P<type>panicked) at '(?P<message>.*)', \S+$",
        r"^thread '.*'(?: \(\d+\))? (?P<type>panicked) at \S+:\d+:\n(?P<message>.*)$",
        rf"^\S+:\d+:in .*?: (?P<message>.*) \((?P<type>{_NAME})\)$",
        rf"^(?:PHP )?Fatal error:\s+Uncaught (?P<type>{_NAME}): (?P<message>.*?)(?: in \S+:\d+)?$",
        r"^(?:PHP )?(?P<type>(?:Fatal|Parse) error):\s+(?!Uncaught )(?P<message>.*)$",
        rf"^terminate called after throwing an instance of '(?P<type>{_NAME})'\n+  what\(\):\s+(?P<message>.*)$",
        rf"^\*\* \((?P<type>{_NAME})\) (?P<message>.*)$",
        r"^ERROR: (?:LoadError: )?(?P<message>.*)\n+Stacktrace:$",
        r"^\S*lua\S*: (?P<message>.*)\n+stack traceback:$",
    )
]
_ROOT_CAUSE = re.compile(r"^Caused by: (.*)$", re.MULTILINE)
_FIRST_OF_GROUP = re.compile(rf"^    \| ({_NAME}: .*)$", re.MULTILINE)
_NOISE = re.compile(
    r"\s*[\^~]+\s*$|\s*[\])}]+[;,]?$|\s+at |\s+\.\.\. \d+ more|Node\.js v\d|\(Use `node |goroutine \d+ |note: |\s+from "
    r"|exit status \d+$|\s*#?\d+: |#\d+ |\s+thrown in |Stack ?trace:|stack (traceback|backtrace):|\s+\[C\]"
    r"|\s*\+[-+]+|\+ |make(\[\d+\])?: \*\*\* |Execution halted$|BEGIN failed--|Compilation failed in require"
)


def cause(lines: Iterable[str]) -> Cause | None:
    """Return the exception at the end of the lines, or else the last meaningful line."""
    written = [line for line in lines if line.strip()]
    return exception(written) or _last_line(written)


def exception(lines: Iterable[str]) -> Cause | None:
    """Return the exception at the end of the lines."""
    text = "\n".join(lines)
    matches = [match for pattern in _EXCEPTIONS for match in pattern.finditer(text)]
    last = max(matches, key=re.Match.start, default=None)
    if last is None or _went_on(text[last.end() :]):
        return None
    message = last["message"] or ""
    return Cause(message + _more(text[last.end() :]), last.groupdict().get("type"))


def _more(rest: str) -> str:
    """Return the root cause, which Java prints last, or the first exception of a group."""
    causes = _ROOT_CAUSE.findall(rest)
    if causes:
        return f" (caused by {causes[-1]})"
    first = _FIRST_OF_GROUP.search(rest)
    return f" (the first: {first[1]})" if first else ""


def _last_line(lines: Sequence[str]) -> Cause | None:
    meaningful = [line for line in lines if not _NOISE.match(line)] or lines
    return Cause(meaningful[-1].strip()) if meaningful else None


def _went_on(rest: str) -> bool:
    return sum(not _NOISE.match(line) for line in rest.split("\n")[1:]) > MORE_LINES
