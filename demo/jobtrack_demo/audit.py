"""Compare the worker's own counts with the service's responses and with the pushed messages."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypedDict, get_args

from jobtrack_client import models
from jobtrack_client.types import EventName
from jobtrack_demo.receiver import Inbox

EVENTS: tuple[EventName, ...] = get_args(EventName)
"""All event names of subscriptions."""
PUSHED_AS = {"DEBUG": "log", "INFO": "log", "WARN": "warning", "ERROR": "error"}


class Counts(TypedDict):
    """The counts that the worker wrote when it ended."""

    error: str | None
    reported: dict[str, int]
    acknowledged: dict[str, int]
    dropped: dict[str, int]
    logs: dict[str, int]
    stages: dict[str, int]
    stageMetrics: dict[str, dict[str, object]]
    quality: dict[str, float]


@dataclass(frozen=True)
class Answers:
    """The service's responses about the job; `lines` are the entries of all pages of its logs."""

    progress: models.Progress
    logs: models.Logs
    lines: Counter[str]
    sequences: Counter[int]


def expected_pushes(counts: Counts) -> Counter[str]:
    """Return the number of messages, by type, that a subscription to all events must receive."""
    expected = Counter({"jobQueued": 1})
    for level, count in counts["logs"].items():
        expected[PUSHED_AS[level]] += count
    expected.update({kind: n for kind, n in counts["reported"].items() if kind in EVENTS and kind != "log"})
    return +expected


def differences(counts: Counts, answers: Answers, inbox: Inbox) -> list[str]:
    """Return a line for each difference from the worker's counts."""
    return [
        f"{name}: {found!r} instead of {expected!r}"
        for name, found, expected in (
            *_reporting(counts, answers),
            *_lines(counts, answers),
            *_stages(counts, answers),
            *_quality(counts, answers),
            *_pushes(counts, answers, inbox),
        )
        if found != expected
    ]


Compared = Iterator[tuple[str, object, object]]


def _reporting(counts: Counts, answers: Answers) -> Compared:
    yield "status of the job", answers.progress["status"], "Completed"
    yield "events acknowledged", counts["acknowledged"], counts["reported"]
    yield "events dropped", counts["dropped"], {}
    yield "lastSequence", answers.progress["lastSequence"], 1 + sum(counts["reported"].values())


def _lines(counts: Counts, answers: Answers) -> Compared:
    summary: Mapping[str, object] = {**answers.logs["logsSummary"]}
    for level, count in counts["logs"].items():
        yield f"logsSummary.{level.lower()}Entries", summary[f"{level.lower()}Entries"], count
        yield f"{level} lines of all pages", answers.lines[level], count
    yield "logsSummary.totalEntries", summary["totalEntries"], counts["reported"].get("log", 0)
    yield "lines read twice", [sequence for sequence, times in answers.sequences.items() if times > 1], []


def _stages(counts: Counts, answers: Answers) -> Compared:
    completed = [stage["stageName"] for stage in answers.progress["stages"] if stage["status"] == "Completed"]
    yield "stages completed", completed, list(counts["stageMetrics"])
    for stage in answers.progress["stages"]:
        name = stage["stageName"]
        yield f"recordsProcessed of {name}", stage["recordsProcessed"], counts["stages"].get(name)
        expected = counts["stageMetrics"].get(name, {})
        yield f"metrics of {name}", {key: stage["metrics"].get(key) for key in expected}, expected


def _quality(counts: Counts, answers: Answers) -> Compared:
    logs, reported = counts["logs"], counts["reported"]
    expected = {
        **counts["quality"],
        "warningsGenerated": logs["WARN"] + reported.get("warning", 0),
        "errorsEncountered": logs["ERROR"] + reported.get("error", 0),
    }
    for name, count in expected.items():
        yield f"qualityMetrics.{name}", answers.progress["qualityMetrics"].get(name), count


def _pushes(counts: Counts, answers: Answers, inbox: Inbox) -> Compared:
    yield "webhooks by type", dict(inbox.types()), dict(expected_pushes(counts))
    yield "webhooks refused", inbox.refused, []
    sequences = Counter(message.sequence for message in inbox.messages.values())
    yield "events pushed under two ids", [sequence for sequence, times in sequences.items() if times > 1], []
    last = answers.progress["lastSequence"]
    yield "pushed sequences beyond the job's", [s for s in sequences if s is None or not 1 <= s <= last], []
    yield "log lines not pushed", sorted(set(answers.sequences) - set(sequences)), []
