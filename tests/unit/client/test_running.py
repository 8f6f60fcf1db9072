"""A command's output as lines: none lost, none invented, what a bar overwrites left out; its end as the job's."""

import re
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobtrack_client._running.command import Ending
from jobtrack_client._running.errors import Cause
from jobtrack_client._running.lines import LONGEST, Lines, level, text
from jobtrack_client._running.signals import STOP_SECONDS, Signals
from tests.unit.client.service import Service, client

chunks = st.lists(st.binary(max_size=12), max_size=20)
plain = st.text(st.characters(blacklist_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=20)


def lines(*parts: bytes) -> list[str]:
    gathered = Lines()
    return [line for part in parts for line in gathered.add(part)] + [*gathered.end()]


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
    ],
)
def test_what_is_written_is_told(written: bytes, told: list[str]) -> None:
    assert lines(written) == told


def test_a_bar_without_an_end_takes_no_memory() -> None:
    gathered = Lines()
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
    assert not re.search(r"\x1b\[[0-9;]*m", text(line))


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
        ending.tell(job, Cause("x", "ValueError"))
    assert service.types()[-1] == told
    assert service.events[-1].get("data", {}).get("error") == error


def test_a_signal_that_ended_it_is_the_reason_of_its_cancellation() -> None:
    service = Service()
    with client(service) as api, api.job("n", job_type="t") as job:
        Ending(143, "killed by SIGTERM", "SIGTERM").tell(job, None)
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
    """A process that is sent signals."""

    def send_signal(self, number: int) -> None:
        """Do nothing."""
