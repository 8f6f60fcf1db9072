"""What functions log at each LogLevel of the stack; lines that alarms count are logged at every level."""

import fnmatch
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from jobtrack_demo.receiver import Gate, Receiver
from jobtrack_local.template.intrinsics import Names
from tests.runtime.conftest import PLAN, Sample
from tests.runtime.process import Process
from tests.runtime.pushing import outbox, taken
from tests.runtime.test_deadlines import subscribing
from tests.runtime.test_payloads import reporting
from tests.stack import GLOBALS, TEMPLATE, of_type

LEVELS: list[str] = TEMPLATE["Parameters"]["LogLevel"]["AllowedValues"]
SEVERITY = {"TRACE": 5, "DEBUG": 10, "INFO": 20, "WARN": 30, "WARNING": 30, "ERROR": 40, "FATAL": 50, "CRITICAL": 50}
FILTERS = {name: each["FilterPattern"] for name, each in of_type("AWS::Logs::MetricFilter").items()}
Lines = list[dict[str, Any]]


class Answering(Gate):
    """A receiver that responds with the statuses in turn."""

    def __init__(self, *statuses: int) -> None:
        super().__init__("token")
        self._statuses = [*statuses]

    def receive(self, headers: Mapping[str, str], body: bytes) -> int:
        return self._statuses.pop(0)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver(Answering(204, 410)) as found:
        yield found


@pytest.fixture(params=LEVELS)
def level(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def lines(
    level: str,
    variables: Mapping[str, Mapping[str, str]],
    functions: Mapping[str, Process],
    sample: Sample,
    job: Any,
    receiver: Receiver,
    tmp_path: Path,
) -> Lines:
    """The CloudWatch log lines of a delivered message, of one whose receiver responds 410, and of an invalid one."""
    subscription = functions["SubscriptionsFunction"].invoke(subscribing(sample, receiver)).body["subscriptionId"]
    milestones = [{"type": "milestone", "data": {"description": each}} for each in "ab"]
    functions["EventsFunction"].invoke(reporting(sample, milestones))
    told = variables["DispatcherFunction"]
    functions["DispatcherFunction"].invoke({"Records": outbox(told["JOBS_TABLE"], job)})
    messages = list(taken(told["DELIVERY_QUEUE_URL"], subscription))
    assert len(messages) == 2
    return logged(level, variables["DelivererFunction"], [*messages, {**messages[0], "body": "{}"}], tmp_path / "log")


def logged(level: str, variables: Mapping[str, str], messages: Lines, log: Path) -> Lines:
    """Return the deliverer's log lines, as the template's variables and Lambda's own filter leave them."""
    names = Names({"LogLevel": level})
    stated = GLOBALS["Environment"]["Variables"]["LOG_LEVEL"]
    lambdas = names.resolve(GLOBALS["LoggingConfig"].get("ApplicationLogLevel", "INFO"))
    with log.open("wb") as output:
        told = {**variables, "LOG_LEVEL": names.resolve(stated), "AWS_LAMBDA_LOG_LEVEL": lambdas}
        deliverer = Process("DelivererFunction", PLAN.functions["DelivererFunction"], told, output)
        for message in messages:
            deliverer.invoke({"Records": [message]})
        deliverer.close()
    found = [json.loads(line) for line in log.read_text().splitlines()]
    return [line for line in found if SEVERITY[line["level"]] >= SEVERITY[lambdas]]


def matches(pattern: str, line: Mapping[str, Any]) -> bool:
    """Whether a metric filter of the template's kind counts a line."""
    wanted = re.findall(r'\$\.(\w+) = "([^"]*)"', pattern)
    assert wanted
    return any(fnmatch.fnmatchcase(str(line.get(name)), value) for name, value in wanted)


def test_what_alarms_count_is_logged_at_every_level(lines: Lines) -> None:
    assert [line["message"] for line in lines if matches(FILTERS["FailedDeliveriesFilter"], line)]
    assert [line["message"] for line in lines if matches(FILTERS["ErrorsFilter"], line)]


def test_less_severe_lines_are_logged_only_where_asked_for(level: str, lines: Lines) -> None:
    uncounted = [line for line in lines if not matches(FILTERS["FailedDeliveriesFilter"], line)]
    found = {line["level"] for line in uncounted}
    assert ("DEBUG" in found) == (level == "DEBUG")
    assert any("Delivered after attempt" in line["message"] for line in uncounted) == (level in ("DEBUG", "INFO"))
    assert all(SEVERITY[each] >= SEVERITY[level] for each in found)
