"""No response of the service controls a terminal, breaks a line or fails on an encoding, in any command."""

import io
import json
import logging
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
import pytest
import typer.main
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from jobtrack_client import ApiError, Client, cli
from jobtrack_client._reporting.notices import Notices
from jobtrack_client._runtime.visible_text import UNSAFE, harmless, visible
from jobtrack_client.commands import listen, open_page, service
from jobtrack_demo import session
from tests.unit.client.service import GUID
from tests.unit.client.worst import HOSTILE, Worst, refusing

OTHER = "aa0e8400-e29b-41d4-a716-446655440000"
ROWS = {
    "jobs": [],
    "queue": [],
    "status": [GUID],
    "watch": [GUID],
    "logs": [GUID, "-f", "--details"],
    "timeline": [GUID],
    "metrics": [GUID],
    "deps": [GUID],
    "subscribe": [GUID, "--url", "https://example.com"],
    "subscriptions": [GUID],
    "unsubscribe": ["sub"],
    "deliveries": ["sub"],
    "listen": [GUID],
    "open": ["--print"],
}
MORE = [["watch", GUID, OTHER], ["deliveries", "sub", "--retry", "msg"], ["logs", GUID, "-n", "0"]]
LOCAL = {"serve", "demo", "backup", "restore", "token", "fetch-dynamodb-local", "run"}
"""These print no response of a service; the display of the demo is that of `watch`."""
WITHOUT_JSON = {"unsubscribe", "open"}
TABS = {"logs", "listen"}
"""On a terminal their output has tabs too."""
COMMANDS = [[name, *arguments] for name, arguments in ROWS.items()] + MORE
ENCODINGS = ["utf-8", "ascii", "cp932", "cp1252"]
STYLE = re.compile(r"\x1b\[[0-9;]*m")
"""Color sequences. All other control sequences are those of Live, which hides the cursor and redraws."""
LIVE = re.compile(r"\x1b\[(\?25[lh]|2K|1A)|\r")
ALLOWED = {ord("\n")}


APP = cli.build()


def _no_sleep(seconds: float) -> None:
    """Do not wait."""


class Stream(io.TextIOWrapper):
    """Standard output, or standard error, of a terminal or a pipe."""

    def __init__(self, encoding: str, errors: str, *, terminal: bool) -> None:
        super().__init__(io.BytesIO(), encoding, errors, newline="\n", write_through=True)
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal

    @property
    def text(self) -> str:
        written = self.buffer.getvalue()  # type: ignore[attr-defined]
        return str(written.decode(self.encoding))


@dataclass(frozen=True)
class Said:
    out: str
    err: str


class Run:
    """Runs a command in a terminal or a pipe with an encoding."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        monkeypatch.setattr(time, "sleep", _no_sleep)
        monkeypatch.setattr(cli, "build", lambda: APP)
        for name, value in {"COLUMNS": "3000", "LINES": "100", "TERM": "xterm-256color", "NO_COLOR": ""}.items():
            monkeypatch.setenv(name, value)
        for name in ("URL", "TOKEN", "TENANT", "PROJECT"):
            monkeypatch.setenv(f"JOBTRACK_{name}", {"URL": "http://127.0.0.1", "TOKEN": "t"}.get(name, GUID))

    def __call__(self, answer: Any, *arguments: str, encoding: str = "utf-8", terminal: bool = False) -> Said:
        transport = httpx.MockTransport(answer)
        given: dict[str, Any] = {"transport": transport, "messages": getattr(answer, "messages", None)}
        self._monkeypatch.setattr(
            service, "Client", partial(Client, "http://x", "t", GUID, GUID, sleep=_no_sleep, **given)
        )
        self._monkeypatch.setattr(open_page, "_http", lambda: httpx.Client(transport=transport))
        out = Stream(encoding, "strict", terminal=terminal)
        err = Stream(encoding, "backslashreplace", terminal=terminal)  # Python's form
        self._monkeypatch.setattr(sys, "argv", ["jobtrack", *arguments])
        self._monkeypatch.setattr(sys, "stdout", out)
        self._monkeypatch.setattr(sys, "stderr", err)
        with pytest.raises(SystemExit):
            cli.main()
        return Said(out.text, err.text)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    return Run(monkeypatch)


def unsafe(text: str, allowed: set[int]) -> set[int]:
    return {ord(character) for character in text} & {*UNSAFE} - allowed


def test_every_command_has_a_row() -> None:
    group: Any = typer.main.get_command(APP)
    assert {*group.commands} == {*ROWS} | LOCAL


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_in_a_pipe_each_record_is_a_line_of_the_same_columns(run: Run, command: list[str], encoding: str) -> None:
    said = run(Worst(HOSTILE), *command, encoding=encoding)
    plain = run(Worst("x"), *command, encoding=encoding)
    assert said.out.count("\n") == plain.out.count("\n")
    assert said.out.count("\t") == plain.out.count("\t") or command[0] == "logs"  # whose lines have no columns
    assert said.err.count("\n") == plain.err.count("\n")
    assert not unsafe(said.out, ALLOWED | {ord("\t")})
    assert not unsafe(said.err, ALLOWED)
    assert "[red]" in said.out or command[0] in ("unsubscribe", "open")
    assert "漢字" in said.out or encoding != "utf-8" or command[0] in ("unsubscribe", "open")


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_on_a_terminal_nothing_is_obeyed_but_what_we_draw(run: Run, command: list[str], encoding: str) -> None:
    said = run(Worst(HOSTILE), *command, encoding=encoding, terminal=True)
    plain = run(Worst("x"), *command, encoding=encoding, terminal=True)
    assert said.out.count("\n") == plain.out.count("\n")
    for text in (said.out, said.err):
        assert not unsafe(LIVE.sub("", STYLE.sub("", text)), ALLOWED | ({ord("\t")} if command[0] in TABS else set()))
    assert "[red]" in STYLE.sub("", said.out) or command[0] in ("unsubscribe", "open")
    assert ":smile:" in said.out or command[0] in ("unsubscribe", "open")


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("command", [each for each in COMMANDS if each[0] not in WITHOUT_JSON], ids=" ".join)
def test_json_says_the_same_in_safe_characters(run: Run, command: list[str], encoding: str) -> None:
    said, plain = (run(Worst(text), *command, "--json", encoding=encoding) for text in (HOSTILE, "x"))
    assert said.out.count("\n") == plain.out.count("\n")
    assert not unsafe(said.out, ALLOWED)
    documents = [said.out] if "\n " in said.out or "\n]" in said.out else said.out.splitlines()
    texts = [text for document in documents for text in _texts(json.loads(document))]
    assert HOSTILE in texts
    assert ("漢字" in said.out) == (encoding == "utf-8")


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    items = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for item in items for text in _texts(item)]


@pytest.mark.parametrize("terminal", [False, True], ids=["pipe", "terminal"])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_refusal_is_one_line(run: Run, command: list[str], terminal: bool) -> None:
    for encoding in ENCODINGS:
        said = run(refusing(HOSTILE), *command, encoding=encoding, terminal=terminal)
        assert (LIVE.sub("", said.out).strip(), said.err.count("\n")) == ("", 1)
        assert not unsafe(said.err, ALLOWED)


def test_a_receiver_that_fails_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError(HOSTILE)

    message: Any = {"id": HOSTILE, "type": HOSTILE, "data": {"description": HOSTILE}}
    with httpx.Client(transport=httpx.MockTransport(fail)) as http:
        listen._forward(http, "http://127.0.0.1/hook", "whsec_c2VjcmV0", message, HOSTILE)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert not unsafe(said, ALLOWED)


def test_what_the_demo_says_is_one_line() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    session._say(console, HOSTILE, "red")
    said = STYLE.sub("", console.file.getvalue())  # type: ignore[attr-defined]
    assert said == f"{visible(HOSTILE)}\n"


def test_what_the_client_logs_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    notices = Notices(f"job {HOSTILE}")
    error = ApiError(409, HOSTILE, code=HOSTILE)
    calls: list[Callable[[], None]] = [
        *(lambda: notices.down(error), notices.up, lambda: notices.refused([HOSTILE], error)),
        *(lambda: notices.not_created(error), lambda: notices.existing(error)),
    ]
    with caplog.at_level(logging.WARNING, "jobtrack_client"):
        for call in calls:
            call()
    assert len(caplog.messages) == len(calls)
    assert not any(unsafe(message, set()) for message in caplog.messages)


@given(st.text(st.characters()))
def test_what_is_visible_is_one_line_and_stays_as_it_is(text: str) -> None:
    shown = visible(text)
    assert not unsafe(shown, set())
    assert visible(shown) == shown
    assert len(shown.splitlines()) <= 1
    assert (shown == text) == (not unsafe(text, set()))
    assert unsafe(visible(text, tabs=True), set()) <= {ord("\t")}


@given(
    st.recursive(
        st.text() | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_harmless_reaches_every_text(value: Any) -> None:
    assert not any(unsafe(text, set()) for text in _texts(harmless(value)))
