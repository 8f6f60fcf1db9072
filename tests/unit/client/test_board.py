"""The display of a job: drawn on a terminal, as lines elsewhere."""

import io

from rich.console import Console

from jobtrack_client.commands.board import Board, Lines, Picture, display_for, render
from tests.unit.client.answered import line, progress, stage

NOTE = "webhooks: 2 received and verified"
RUNNING = progress("Running", 45, stage(), stage("Process Discovery", "Running", 78, 150243))


def drawn(view: Picture) -> str:
    console = Console(file=io.StringIO(), width=120)
    console.print(render(view))
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def test_draws_stages_estimate_lines_and_webhooks() -> None:
    picture = drawn(Picture(RUNNING, [line(1), line(2, "WARN", "Found [125] records")], NOTE))
    assert "Customer Journey Analysis · Running · 45 %" in picture
    assert "Process Discovery" in picture
    assert " 78 %" in picture
    assert "192,850 in 2 minutes 15 seconds" in picture
    assert "15 minutes 33 seconds elapsed, 2 minutes 27 seconds remaining" in picture
    assert "10:32:45 WARN  ProcessMiner: Found [125] records" in picture
    assert "CPU 67 % · 2.3 GB · 1250 records/second" in picture
    assert "webhooks: 2 received and verified" in picture


def test_draws_only_the_newest_lines() -> None:
    picture = drawn(Picture(RUNNING, [line(at, message=f"line {at}") for at in range(1, 21)], NOTE))
    assert "line 12" not in picture
    assert "line 13" in picture
    assert "line 20" in picture


def test_draws_a_job_that_has_not_started() -> None:
    queued = progress("Queued", 0)
    queued["overallProgress"] |= {"elapsedTime": None, "estimatedRemaining": None}
    queued["stages"][0] |= {"recordsProcessed": None, "totalRecords": None, "duration": None, "progress": 0}
    queued["resourceUsage"] |= {"memoryUsage": None, "cpuUsage": None, "processingRate": None}
    assert "not started" in drawn(Picture(queued))


def test_writes_each_thing_once() -> None:
    out = io.StringIO()
    lines = Lines(out)
    view = Picture(RUNNING, [line(1), line(2, "WARN")], NOTE)
    lines.show(view)
    first = out.getvalue()
    lines.show(view)
    assert out.getvalue() == first
    assert first.splitlines() == [
        "2024-01-20T10:32:45Z INFO  ProcessMiner: Processing batch 1 of 15",
        "2024-01-20T10:32:45Z WARN  ProcessMiner: Processing batch 1 of 15",
        "stage Data Loading: Completed 192,850 in 2 minutes 15 seconds",
        "stage Process Discovery: Running 150,243 of 192,850 in 2 minutes 15 seconds",
        "Customer Journey Analysis: Running 45 %, 15 minutes 33 seconds elapsed, 2 minutes 27 seconds remaining",
        "webhooks: 2 received and verified",
    ]
    lines.show(Picture(progress("Completed"), [line(2), line(3)], NOTE))
    assert out.getvalue().removeprefix(first).splitlines() == [
        "2024-01-20T10:32:45Z INFO  ProcessMiner: Processing batch 1 of 15",
        "Customer Journey Analysis: Completed 100 %, 15 minutes 33 seconds elapsed",
        "webhooks: 2 received and verified",
    ]


def test_writes_the_note_with_the_job_and_an_alarm_at_once() -> None:
    out = io.StringIO()
    lines = Lines(out)
    for percentage, note, alarming in ((45, "1", False), (46, "2", False), (51, "3", False), (52, "4 bad", True)):
        lines.show(Picture(progress("Running", percentage), note=note, alarming=alarming))
    assert [text for text in out.getvalue().splitlines() if text[0].isdigit()] == ["1", "3", "4 bad"]


def test_a_picture_higher_than_the_terminal_is_cut_until_the_end() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=60, height=10)
    with Board(console) as board:
        for _ in range(5):
            board.show(Picture(progress("Running", 45, *(stage(f"Stage {number}") for number in range(20)))))
        assert (out.getvalue().count("Stage 1 "), out.getvalue().count("Stage 19 ")) == (5, 0)
    assert out.getvalue().count("Stage 19 ") == 1


def test_each_line_of_a_narrow_picture_is_cut_instead_of_wrapped() -> None:
    console = Console(file=io.StringIO(), width=44)
    console.print(render(Picture(progress("Running", 45, stage()), [line(1, message="long " * 20)])))
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    assert sum("long" in row for row in text.splitlines()) == 1
    assert sum("Completed"[:5] in row for row in text.splitlines()) == 1


def test_a_line_that_arrives_late_is_written_too() -> None:
    out = io.StringIO()
    lines = Lines(out)
    lines.show(Picture(RUNNING, [line(1), line(9)]))
    lines.show(Picture(RUNNING, [line(1), line(4, message="late"), line(9)]))
    assert out.getvalue().count("late") == 1
    assert out.getvalue().count("Processing") == 2


def test_chooses_by_the_console() -> None:
    assert isinstance(display_for(Console(force_terminal=True)), Board)
    assert isinstance(display_for(Console(file=io.StringIO())), Lines)


def test_a_workers_text_cannot_command_the_terminal() -> None:
    hostile = line(1, message="\x1b]0;owned\x07\x1b[2Jgone\n\x9b31m")
    out = io.StringIO()
    Lines(out).show(Picture(RUNNING, [hostile]))
    for shown in (out.getvalue(), drawn(Picture(RUNNING, [hostile]))):
        assert "\x1b" not in shown
        assert "\x9b" not in shown
        assert r"\x1b]0;owned\x07\x1b[2Jgone\n\x9b31m" in shown
