"""A command's output as lines: none lost, none invented, what a bar overwrites left out; its end as the job's."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobtrack_client._running.command import Ending
from jobtrack_client._running.lines import LONGEST, Lines, level, text
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
        (Ending(0, "exit code 0", asked=True), "jobCompleted", None),
        (Ending(3, "exit code 3"), "jobFailed", {"message": "exit code 3: the last", "exitCode": 3}),
        (Ending(130, "killed by SIGINT", asked=True), "jobCancelled", None),
        (Ending(137, "killed by SIGKILL"), "jobFailed", {"message": "killed by SIGKILL: the last", "exitCode": 137}),
    ],
)
def test_how_it_ended_is_the_jobs_end(ending: Ending, told: str, error: object) -> None:
    service = Service()
    with client(service) as api, api.job("n", job_type="t") as job:
        ending.tell(job, "the last")
    assert service.types() == ["jobStarted", told]
    assert service.events[-1].get("data", {}).get("error") == error
