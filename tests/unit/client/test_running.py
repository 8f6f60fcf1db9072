"""A command's output as lines: none lost, none invented, overwritten bars left out; its end as the job's."""

import signal
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jobtrack_client._run_command.command import Ending
from jobtrack_client._run_command.errors import Cause
from jobtrack_client._run_command.lines import FIRST_UPDATE_SECONDS, LONGEST, LONGEST_UPDATE_SECONDS, Lines, level
from jobtrack_client._run_command.signals import STOP_SECONDS, Signals
from tests.unit.client.service import Service, client

PARTS = [
    b"\x1b",
    b"[",
    b"]0;t",
    b"(",
    b"B",
    b"P",
    b"\x07",
    b"\\",
    b"\r",
    b"\n",
    b"\b",
    b"5",
    b"m",
    b" ",
    b"x",
    b"\xc2",
    b"\x9b",
]
chunks = st.lists(st.binary(max_size=12) | st.sampled_from(PARTS), max_size=20)
plain = st.text(st.characters(blacklist_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=20)


def lines(*parts: bytes) -> list[str]:
    gathered = Lines(lambda: 0)
    return [line for part in parts for line in gathered.add(part)] + [*gathered.end()]


@example([b"a\r\r", b"\n"])
@example([b"a", b"\r", b"\r", b"\r", b"\n"])
@given(chunks)
def test_how_the_bytes_were_cut_makes_no_difference(parts: list[bytes]) -> None:
    assert lines(*parts) == lines(b"".join(parts))


@given(st.lists(plain), st.data())
def test_every_line_is_told_once_and_in_order(said: list[str], data: st.DataObject) -> None:
    whole = "".join(f"{line}\n" for line in said).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=5)))
    parts = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert lines(*parts) == said


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"10%\r50%\r100%\n", ["100%"]),
        (b"10%\r50%\r", ["50%"]),
        (b"\n\n  \n", []),
        (b"no end", ["no end"]),
        ("caf\xe9".encode("latin-1"), ["caf�"]),
        (b"\x1b[31;1mred\x1b[0m \x1b]0;title\x07plain", ["red plain"]),
        (b"x" * (LONGEST + 1) + b"\n", ["x" * LONGEST, "x"]),
        # Character sets, saving the cursor, keypad modes, reset.
        (b"\x1b(Bplain\x1b)0 \x1b7\x1b8\x1b=\x1b>\x1bc\x1b#8\x1b Ftext", ["plain text"]),
        # CSI with all kinds of parameters, truncated, in its 8-bit form.
        (b"\x1b[?25l\x1b[38;2;1;2;3m\x1b[1;2 q\x1b[>0cx\x1b[2K\x1b[12", ["x"]),
        (b"\x1b[12\nnext", ["next"]),
        ("\x9b31mred\x9b0m".encode(), ["red"]),
        # DCS, SOS, PM, APC and OSC, with ST, its 8-bit form, or BEL.
        (b"a\x1bPq#0;2;0;0;0~~\x1b\\b\x1bXhid\x1b\\c\x1b^hid\x1b\\d\x1b_hid\x1b\\e", ["abcde"]),
        (b"a\x1b]8;;http://there\x1b\\link\x1b]8;;\x07 b", ["alink b"]),
        ("a\x90hid\x9cb\x9dhid\x9cc\x9fhid\x9cd".encode(), ["abcd"]),
        # A sequence without an end takes at most the rest of its line, or the text until the next one.
        (b"a\x1b]0;title\nb\x1bP\nc", ["a", "b", "c"]),
        (b"a\x1b]0;title\x1b[31mred", ["ared"]),
        (b"a\x1bPhid\x18b\x1b", ["ab"]),
        # Backspaces as in `man`, a spinner, and characters without width.
        (b"N\bNA\bAM\bME\bE _\bx_\by", ["NAME xy"]),
        (b"|\b/\b-\b\\\bdone", ["done"]),
        (b"\b\bab\bc", ["ac"]),
        (b"a\x00b\x07c\x7fd", ["abcd"]),
        ("one\x0bline\x0cis\x85one\u2028line\u2029still\tso".encode(), ["one line is one line still\tso"]),
        (b"10%\r\x1b[2K50%\r\n", ["50%"]),
    ],
)
def test_what_is_written_is_told(written: bytes, told: list[str]) -> None:
    assert lines(written) == told


@pytest.mark.parametrize("begin", [b"\x1b]0;", b"\x1bPq", b"\x1b[", "\x9d".encode()])
def test_a_sequence_without_an_end_takes_no_memory(begin: bytes) -> None:
    gathered = Lines()
    assert not [*gathered.add(begin)]
    for _ in range(1000):
        assert not [*gathered.add(b"0" * 1000)]
    assert len(gathered._sequences._begun) + len(gathered._rest) < 1000
    assert [*gathered.add(b"\x1b\\\nnext\n")] == ["next"]


@pytest.mark.parametrize("sequence", [b"\x1b[38;5;12m", b"\x1b(B", b"\x1b]0;title\x1b\\", b"\x1bPq~\x1b\\"])
def test_a_sequence_over_the_longest_line_is_not_cut(sequence: bytes) -> None:
    for missing in range(len(sequence) + 1):
        text = b"x" * (LONGEST - missing) + sequence + b"y" * missing + b"z\n"
        assert lines(text) == ["x" * (LONGEST - missing) + "y" * missing, "z"]
        assert lines(*(bytes([byte]) for byte in text[-100:]))[0].endswith("z")


@pytest.mark.parametrize("character", ["é", "語", "😀", "e\u0301", "👩\u200d👩\u200d👧", "👍🏽", "❤\ufe0f"])
def test_a_long_line_is_cut_between_characters(character: str) -> None:
    for before in range(12):
        text = "x" * before + character * LONGEST
        pieces = lines(text.encode())
        assert "".join(pieces) == text
        assert all(len(piece.encode()) <= LONGEST for piece in pieces)
        bodies = [piece.lstrip("x") for piece in pieces]
        assert bodies == [character * (len(body) // len(character)) for body in bodies]


def test_what_is_no_utf_8_counts_as_it_is_sent() -> None:
    pieces = lines(b"\xff" * LONGEST)
    assert "".join(pieces) == "\ufffd" * LONGEST
    assert all(len(piece.encode()) <= LONGEST for piece in pieces)


@given(
    st.lists(
        st.sampled_from(["\x9d", "\x1b", "\x1b[", "\x1b]", "\x90", "\x1bP0", "\b", "\r", "a"]), min_size=1, max_size=4
    )
)
@settings(max_examples=20)
def test_nothing_takes_more_than_linear_time(parts: list[str]) -> None:
    """A quadratic algorithm would take hours, and hit hypothesis's deadline."""
    [*Lines().add(("".join(parts) * 20_000).encode())]


class Bar:
    """A settable clock, and the lines that a bar makes."""

    def __init__(self) -> None:
        self.now = 100.0
        self.lines = Lines(lambda: self.now)

    def write(self, data: bytes, after: float = 0) -> list[str]:
        self.now += after
        return [*self.lines.add(data)]

    def tick(self, after: float) -> list[str]:
        self.now += after
        return [*self.lines.tick()]


def test_a_bar_is_told_while_it_runs_and_each_state_once() -> None:
    bar = Bar()
    assert bar.write(b"start\n\r1%") == ["start"]
    assert bar.write(b"\r2%", after=1) == []
    assert bar.write(b"\r3%", after=FIRST_UPDATE_SECONDS) == ["3%"]
    assert bar.write(b"\r4%", after=FIRST_UPDATE_SECONDS) == []
    assert bar.tick(after=FIRST_UPDATE_SECONDS) == ["4%"]
    assert bar.tick(after=100) == []
    assert bar.write(b"\n") == []
    assert bar.write(b"4%\n") == ["4%"]
    assert [*bar.lines.end()] == []


def test_a_line_that_is_not_overwritten_waits_for_its_end() -> None:
    bar = Bar()
    assert bar.write(b"Continue? ") == []
    assert bar.tick(after=1000) == []
    assert bar.write(b"yes\r") == []
    assert bar.tick(after=1000) == []
    assert bar.write(b"\n") == ["Continue? yes"]


@given(steps=st.lists(st.floats(0, 5), max_size=100))
def test_a_bar_makes_few_lines_and_its_last_state_is_told(steps: list[float]) -> None:
    bar = Bar()
    told = [line for number, step in enumerate(steps) for line in bar.write(b"\r%d of many" % number, after=step)]
    told += bar.write(b"\n")
    assert len(set(told)) == len(told)
    assert told[-1:] == ([f"{len(steps) - 1} of many"] if steps else [])
    assert len(told) <= 6 + sum(steps) / LONGEST_UPDATE_SECONDS


def test_a_bar_without_an_end_takes_no_memory() -> None:
    gathered = Lines(lambda: 0)
    for number in range(10_000):
        assert not [*gathered.add(b"\r%d of many" % number)]
    assert len(gathered._rest) < 100
    assert [*gathered.end()] == ["9999 of many"]


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("2026-01-01 10:00:00 ERROR broken", "ERROR"),
        ("[WARNING] careful", "WARN"),
        ("WARN: careful", "WARN"),
        ("CRITICAL:root:gone", "ERROR"),
        ("level=DEBUG x", "DEBUG"),
        ("an error in lower case", "INFO"),
        ("TERROR and INFORMATION", "INFO"),
        (" " * 80 + "ERROR far in", "INFO"),
    ],
)
def test_a_line_names_its_level_at_its_beginning(line: str, named: str) -> None:
    assert level(line) == named


@given(st.binary())
def test_a_line_never_commands_a_terminal(line: bytes) -> None:
    assert not [c for told in lines(line) for c in told if c != "\t" and unicodedata.category(c) in ("Cc", "Zl", "Zp")]


@pytest.mark.parametrize(
    ("ending", "told", "error"),
    [
        (Ending(0, "exit code 0"), "jobCompleted", None),
        (
            Ending(3, "exit code 3"),
            "jobFailed",
            {"message": "exit code 3: ValueError: x", "type": "ValueError", "exitCode": 3},
        ),
        (Ending(130, "killed by SIGINT", "SIGINT"), "jobCancelled", None),
        (Ending(0, "exit code 0", "SIGTERM"), "jobCancelled", None),
    ],
)
def test_how_it_ended_is_the_jobs_end(ending: Ending, told: str, error: object) -> None:
    service = Service()
    with client(service) as api, api.job("n", job_type="t") as job:
        ending.report(job, Cause("x", "ValueError"))
    assert service.types()[-1] == told
    assert service.events[-1].get("data", {}).get("error") == error


def test_a_signal_that_ended_it_is_the_reason_of_its_cancellation() -> None:
    service = Service()
    with client(service) as api, api.job("n", job_type="t") as job:
        Ending(143, "killed by SIGTERM", "SIGTERM").report(job, None)
    reason = "received SIGTERM; killed by SIGTERM"
    assert service.messages() == [f"cancelled: {reason}"]
    assert service.events[-1]["data"] == {"metrics": {"reason": reason}}


@pytest.mark.parametrize(
    ("received", "later", "status", "ended_by"),
    [
        ([], 0, 0, None),
        ([], 0, 3, None),
        ([], 0, -signal.SIGTERM, "SIGTERM"),
        ([], 0, -signal.SIGHUP, "SIGHUP"),
        ([], 0, -signal.SIGKILL, None),
        ([], 0, -63, None),
        ([], 0, 143, None),
        ([signal.SIGTERM], 1, -signal.SIGTERM, "SIGTERM"),
        ([signal.SIGTERM], 1, 143, "SIGTERM"),
        ([signal.SIGTERM], 1, 0, "SIGTERM"),
        ([signal.SIGTERM], 1, 1, "SIGTERM"),
        ([signal.SIGTERM], 1, -signal.SIGKILL, "SIGTERM"),
        ([signal.SIGTERM], STOP_SECONDS + 1, 0, None),
        ([signal.SIGTERM], STOP_SECONDS + 1, 1, None),
        ([signal.SIGTERM], STOP_SECONDS + 1, 143, "SIGTERM"),
        ([signal.SIGINT, signal.SIGTERM], 1, 0, "SIGTERM"),
        ([signal.SIGQUIT], 1, 1, "SIGQUIT"),
        ([signal.SIGHUP], 1, 0, None),
        ([signal.SIGHUP], 1, 3, None),
        ([signal.SIGHUP], 1, 129, "SIGHUP"),
        ([signal.SIGHUP], STOP_SECONDS + 1, 129, "SIGHUP"),
        ([signal.SIGUSR1, signal.SIGUSR2], 1, 1, None),
        ([signal.SIGUSR1], 1, 138, None),
        ([signal.SIGUSR1], 1, -signal.SIGUSR1, None),
    ],
)
def test_which_signal_ended_a_command(
    received: list[signal.Signals], later: float, status: int, ended_by: str | None
) -> None:
    now = iter([*map(float, range(len(received))), len(received) + later]).__next__
    signals = Signals(Passed(), clock=now)  # type: ignore[arg-type]
    for number in received:
        signals(number, None)
    assert signals.that_ended(status) == ended_by


class Passed:
    """A process that receives signals."""

    def send_signal(self, number: int) -> None:
        """Do nothing."""
