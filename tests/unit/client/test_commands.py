"""The command line without a service: arguments, failures, and output that is not for a terminal."""

import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest
import typer

from jobtrack_client import Client, cli
from jobtrack_client.commands import service
from jobtrack_client.commands.metrics import plot
from jobtrack_client.commands.options import duration, moment
from tests.unit.client.service import GUID, problem

Answer = Callable[[httpx.Request], httpx.Response]
OTHER, THIRD = "aa0e8400-e29b-41d4-a716-446655440000", "aa1e8400-e29b-41d4-a716-446655440000"


def job(job_id: str, name: str) -> dict[str, Any]:
    progress = {"percentage": 45, "currentStage": "Load", "estimatedCompletion": None, "elapsedTime": None}
    told = {"jobType": "Import", "status": "Running", "stalled": False, "createdAt": "2026-01-20T10:30:00Z"}
    return {"jobId": job_id, "jobName": name, "progress": progress, **told}


JOBS = [job(OTHER, "Nightly import"), job(THIRD, "Tab\tand\nline"), job(GUID, "nightly export")]


class Run:
    """Runs commands with a service that returns scripted responses."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: Answer) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        self.asked: list[httpx.Request] = []

        def note(request: httpx.Request) -> httpx.Response:
            self.asked.append(request)
            return answer(request)

        given = ("http://service", "token", GUID, GUID)
        answering = partial(Client, *given, transport=httpx.MockTransport(note), sleep=lambda seconds: None)
        monkeypatch.setattr(service, "Client", answering)

    def __call__(self, *arguments: str) -> tuple[object, str, str]:
        """Return exit code, standard output and standard error."""
        self._monkeypatch.setattr(sys, "argv", ["jobtrack", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = self._capsys.readouterr()
        return ended.value.code, said.out, said.err


Start = Callable[[Answer], Run]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Start:
    return partial(Run, monkeypatch, capsys)


def listing(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"jobs": JOBS, "logs": [], "lastSequence": 0, "nextCursor": None})


def test_where_nobody_looks_on_columns_are_apart_by_tabs_and_whole(start: Start) -> None:
    code, out, err = start(listing)("jobs")
    assert (code, err) == (0, "")
    assert [line.split("\t")[:5] for line in out.splitlines()] == [
        [OTHER, "Nightly import", "Import", "Running", "45 %"],
        [THIRD, "Tab\\tand\\nline", "Import", "Running", "45 %"],
        [GUID, "nightly export", "Import", "Running", "45 %"],
    ]


def test_a_workers_text_cannot_command_the_terminal(start: Start) -> None:
    entry = {"timestamp": "2026-01-20T10:30:00Z", "level": "INFO", "component": "\x1b[1m", "stage": "a\x07"}
    page = {
        "logs": [{**entry, "message": "one\nline\x1b[2J", "details": None, "sequence": 2}],
        "lastSequence": 2,
        "nextCursor": None,
    }
    shown = start(lambda request: httpx.Response(200, json=page))("logs", GUID)[1]
    assert shown == "2026-01-20T10:30:00Z INFO \\x1b[1m [a\\x07] one\\nline\\x1b[2J\n"


def test_json_is_what_the_service_answered(start: Start) -> None:
    assert json.loads(start(listing)("jobs", "--json")[1]) == JOBS


@pytest.mark.parametrize(
    ("meant", "found"),
    [
        ("latest", OTHER),
        (GUID.upper(), GUID),
        (OTHER[:3], OTHER),
        (THIRD[:8].upper(), THIRD),
        ("Nightly", OTHER),
        ("nightly e", GUID),
    ],
)
def test_which_job_is_meant(start: Start, meant: str, found: str) -> None:
    run = start(listing)
    run("logs", meant)
    assert run.asked[-1].url.path.split("/")[-2:] == [found, "logs"]


@pytest.mark.parametrize(
    ("jobs", "meant", "says"),
    [
        ([], "latest", "the project has no job"),
        (JOBS, "weekly", "the project has no job whose id or name begins with 'weekly'"),
        (JOBS, "aa", f"'aa' is ambiguous: it matches {OTHER}, {THIRD}"),
    ],
)
def test_a_job_that_cannot_be_told(start: Start, jobs: list[Any], meant: str, says: str) -> None:
    run = start(lambda request: httpx.Response(200, json={"jobs": jobs, "nextCursor": None}))
    assert run("status", meant) == (1, "", f"jobtrack: {says}\n")


def cut(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (cut, "service cannot be reached: refused (is the service running, and is the address correct?)"),
        (lambda request: problem(401), "401 some_code: no (the token has expired, or belongs to another service)"),
        (
            lambda request: problem(404),
            "404 some_code: no (`jobtrack jobs` lists the jobs, `jobtrack subscriptions` the subscriptions of a job)",
        ),
        (lambda request: problem(422), "422 some_code: no"),
    ],
)
def test_an_error_is_one_line_with_a_hint(start: Start, answer: Answer, says: str) -> None:
    assert start(answer)("deps", GUID) == (1, "", f"jobtrack: {says}\n")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("subscribe", GUID, "--url", "http://localhost/", "-e", "jobFinished"), "'jobFinished' is not one of"),
        (("listen", GUID, "-e", ""), "'' is not one of"),
        (("listen", GUID, "--secret", "whsec_AAAA"), "--forward-to"),
        (("subscribe", GUID, "--url", ""), "webhook_url: must have 1 to"),
        (("jobs", "--since", "9999999999999d"), "is neither a time"),
    ],
)
def test_a_wrong_argument_is_an_error_without_a_traceback(start: Start, arguments: tuple[str, ...], error: str) -> None:
    code, output, errors = start(listing)(*arguments)
    assert code in (1, 2)
    assert output == ""
    assert error in " ".join(errors.replace("│", " ").split())
    assert "Traceback" not in errors


def test_without_any_service_the_way_to_one_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["jobtrack", "jobs"])
    for name in ("JOBTRACK_URL", "JOBTRACK_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SystemExit):
        cli.main()
    line = capsys.readouterr().err
    assert line.startswith("jobtrack: base_url is missing")
    assert "`jobtrack serve` in another terminal" in line


def test_a_profile_goes_before_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBTRACK_URL", "http://elsewhere")
    monkeypatch.setenv("JOBTRACK_PROFILE", "other")
    service.choose("local")
    assert os.environ["JOBTRACK_PROFILE"] == "local"
    assert "JOBTRACK_URL" not in os.environ


def test_ctrl_c_leaves_no_trace(start: Start) -> None:
    def interrupted(request: httpx.Request) -> httpx.Response:
        raise KeyboardInterrupt

    assert start(interrupted)("jobs") == (130, "", "")


def test_a_watched_job_that_fails_is_told_by_the_exit_code(start: Start) -> None:
    tracked = {"jobId": GUID, "jobName": "a", "status": "Failed", "progress": 45}
    other = {"jobId": OTHER, "jobName": "b", "status": "Completed", "progress": 100}
    run = start(lambda request: httpx.Response(200, json={"jobs": [tracked, other]}))
    assert run("watch", GUID, OTHER) == (1, f"{GUID}\ta\tFailed\t45 %\n{OTHER}\tb\tCompleted\t100 %\n", "")
    assert len(run.asked) == 1


@pytest.mark.parametrize(("language", "expected"), [("ja_JP.UTF-8", "ja"), ("en_US.UTF-8", "en"), ("", "en")])
def test_the_language_is_the_environments(monkeypatch: pytest.MonkeyPatch, language: str, expected: str) -> None:
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", language)
    assert service.language() == expected


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("10m", 600), ("8h", 28800), ("2d", 172800), ("1w", 604800)]
)
def test_durations(text: str, seconds: int) -> None:
    assert duration(text) == seconds
    assert abs(moment(text) - (datetime.now(UTC) - timedelta(seconds=seconds))) < timedelta(minutes=1)


@pytest.mark.parametrize("text", ["", "10", "m", "-1m", "1.5h", "yesterday", "10M"])
def test_what_is_no_duration_is_no_time_either(text: str) -> None:
    for read in (duration, moment):
        with pytest.raises(typer.BadParameter):
            read(text)


def test_times_are_taken_with_any_offset() -> None:
    assert moment("2026-01-20T10:30:00+09:00") == datetime(2026, 1, 20, 1, 30, tzinfo=UTC)


def test_a_plot_is_drawn_in_plain_characters() -> None:
    start = datetime(2026, 1, 20, 10, tzinfo=UTC)
    points = [(start + timedelta(minutes=minute), float(minute % 7)) for minute in range(60)]
    drawn = plot("CPU %", points, 80)
    assert "CPU %" in drawn
    assert "\x1b" not in drawn
    assert len(drawn.splitlines()) == 9
    assert all(len(line) <= 80 for line in drawn.splitlines())
    assert plot("CPU %", [(start, 0.0)], 80)
