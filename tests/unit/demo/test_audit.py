from collections.abc import Callable
from typing import Any, cast

import pytest

from jobtrack_demo.audit import Answers, Counts, differences, expected_pushes
from jobtrack_demo.receiver import Inbox, Pushed
from tests.unit.client.answered import stage
from tests.unit.demo.answers import COUNTS, PUSHED, right


def test_finds_nothing_where_all_agrees() -> None:
    assert differences(*right()) == []


def test_expects_each_event_once_under_its_type() -> None:
    assert sorted(expected_pushes(COUNTS).elements()) == sorted(PUSHED)


def test_a_repeat_of_a_message_is_no_difference() -> None:
    counts, answers, inbox = right()
    inbox.arrivals["msg_1"] += 1
    assert differences(counts, answers, inbox) == []


def lose_a_webhook(_: Counts, __: Answers, inbox: Inbox) -> None:
    del inbox.messages["msg_9"]


def push_twice(_: Counts, __: Answers, inbox: Inbox) -> None:
    inbox.messages["msg_8"] = Pushed("warning", 6)


def push_beyond(_: Counts, __: Answers, inbox: Inbox) -> None:
    inbox.messages["msg_9"] = Pushed("jobCompleted", 13)


def refuse(_: Counts, __: Answers, inbox: Inbox) -> None:
    inbox.refused.append("no matching signature found")


def lose_a_line(_: Counts, answers: Answers, __: Inbox) -> None:
    answers.lines["WARN"] -= 1


def repeat_a_line(_: Counts, answers: Answers, __: Inbox) -> None:
    answers.sequences[4] += 1


def miscount_lines(_: Counts, answers: Answers, __: Inbox) -> None:
    cast(dict[str, Any], answers.logs["logsSummary"])["debugEntries"] = 2


def miss_an_event(_: Counts, answers: Answers, __: Inbox) -> None:
    answers.progress["lastSequence"] = 11


def fail(_: Counts, answers: Answers, __: Inbox) -> None:
    answers.progress["status"] = "Failed"


def lose_records(_: Counts, answers: Answers, __: Inbox) -> None:
    answers.progress["stages"][0]["recordsProcessed"] = 1


def add_a_stage(_: Counts, answers: Answers, __: Inbox) -> None:
    answers.progress["stages"].append(stage("Other"))


def change_metrics(_: Counts, answers: Answers, __: Inbox) -> None:
    answers.progress["stages"][0]["metrics"] = {"dataValidated": False, "errorsFound": 0}


def forget_a_warning(_: Counts, answers: Answers, __: Inbox) -> None:
    cast(dict[str, Any], answers.progress["qualityMetrics"])["warningsGenerated"] = 1


def drop(counts: Counts, _: Answers, __: Inbox) -> None:
    counts["dropped"] = {"log": 1}


def leave_unacknowledged(counts: Counts, _: Answers, __: Inbox) -> None:
    counts["acknowledged"]["log"] -= 1


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lose_a_webhook, ["webhooks by type"]),
        (push_twice, ["events pushed under two ids"]),
        (push_beyond, ["pushed sequences beyond the job's"]),
        (refuse, ["webhooks refused"]),
        (lose_a_line, ["WARN lines of all pages"]),
        (repeat_a_line, ["lines read twice"]),
        (miscount_lines, ["logsSummary.debugEntries"]),
        (miss_an_event, ["lastSequence"]),
        (fail, ["status of the job"]),
        (lose_records, ["recordsProcessed of Data Loading"]),
        (add_a_stage, ["stages completed", "recordsProcessed of Other"]),
        (change_metrics, ["metrics of Data Loading"]),
        (forget_a_warning, ["qualityMetrics.warningsGenerated"]),
        (drop, ["events dropped"]),
        (leave_unacknowledged, ["events acknowledged"]),
    ],
)
def test_names_what_differs(spoil: Callable[[Counts, Answers, Inbox], None], named: list[str]) -> None:
    everything = right()
    spoil(*everything)
    assert [line.split(":")[0] for line in differences(*everything)] == named
