"""Functions that run out of time near the end of a batch or within it lose nothing, and keep the message ids."""

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from jobtrack import invocation
from jobtrack.push.dispatch.dispatcher import SPARE_SECONDS
from jobtrack_demo.receiver import Receiver
from tests.runtime.conftest import Sample
from tests.runtime.process import Process
from tests.runtime.pushing import Holding, outbox, taken, told
from tests.runtime.test_payloads import reporting

BATCHES, EVENTS = 8, 5


@pytest.fixture
def holding() -> Holding:
    return Holding()


@pytest.fixture
def receiver(holding: Holding) -> Iterator[Receiver]:
    with Receiver(holding) as found:
        yield found


@pytest.fixture
def subscription(functions: Mapping[str, Process], sample: Sample, job: Any, receiver: Receiver) -> str:
    """Subscribe to milestones, of which the job reports many."""
    made = functions["SubscriptionsFunction"].invoke(subscribing(sample, receiver)).body["subscriptionId"]
    milestones = [{"type": "milestone", "data": {"description": str(number)}} for number in range(EVENTS)]
    for _ in range(BATCHES):
        assert functions["EventsFunction"].invoke(reporting(sample, milestones)).json["statusCode"] == 202
    return str(made)


def subscribing(sample: Sample, receiver: Receiver, **more: Any) -> Any:
    event = sample("subscribe")
    del event["headers"]["idempotency-key"]
    wanted = {"subscriptionType": "webhook", "webhookUrl": receiver.url, "events": ["milestone"], **more}
    return {**event, "body": json.dumps(wanted)}


def owed(records: list[dict[str, Any]]) -> list[str]:
    return [record["dynamodb"]["SequenceNumber"] for record in records]


@pytest.fixture
def table(variables: Mapping[str, Mapping[str, str]]) -> str:
    return variables["DispatcherFunction"]["JOBS_TABLE"]


@pytest.fixture
def queue(variables: Mapping[str, Mapping[str, str]]) -> str:
    return variables["DispatcherFunction"]["DELIVERY_QUEUE_URL"]


def test_what_the_dispatcher_has_no_time_for_comes_again(
    functions: Mapping[str, Process], job: Any, subscription: str, table: str, queue: str
) -> None:
    dispatcher, records = functions["DispatcherFunction"], outbox(table, job)
    answer = dispatcher.invoke({"Records": records}, SPARE_SECONDS - 5).json
    left = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
    assert left == owed(records)[1:]
    rest = [record for record in records if record["dynamodb"]["SequenceNumber"] in left]
    assert dispatcher.invoke({"Records": rest}).json == {"batchItemFailures": []}
    found = told(list(taken(queue, subscription)))
    assert len(found) == len(set(found)) == BATCHES * EVENTS


def test_a_dispatcher_that_lambda_ends_in_the_middle_makes_the_same_messages_again(
    functions: Mapping[str, Process], job: Any, subscription: str, table: str, queue: str
) -> None:
    dispatcher, records = functions["DispatcherFunction"], outbox(table, job)
    begun = dispatcher.begin({"Records": records})
    found: list[dict[str, Any]] = []
    while not found and not begun.done.is_set():
        found += taken(queue, subscription)
    dispatcher.kill()
    assert dispatcher.invoke({"Records": records}).json == {"batchItemFailures": []}
    messages = told([*found, *taken(queue, subscription)])
    assert len(set(messages)) == len({sequence for sequence, _ in messages}) == BATCHES * EVENTS


def test_a_deliverer_that_lambda_ends_while_a_receiver_is_silent_delivers_when_the_messages_come_again(
    functions: Mapping[str, Process], job: Any, subscription: str, table: str, queue: str, holding: Holding
) -> None:
    assert functions["DispatcherFunction"].invoke({"Records": outbox(table, job)}).json == {"batchItemFailures": []}
    batch, deliverer = list(taken(queue, subscription))[:10], functions["DelivererFunction"]
    deliverer.begin({"Records": batch})
    assert holding.asked.wait(60)
    deliverer.kill()
    holding.let.set()
    assert deliverer.invoke({"Records": batch}).json == {"batchItemFailures": []}
    assert set(holding.ids) == {name for _, name in told(batch)}


def test_the_clocks_functions_leave_to_the_next_run_what_they_have_no_time_for(
    functions: Mapping[str, Process], sample: Sample, job: Any, receiver: Receiver, table: str
) -> None:
    event = subscribing(sample, receiver, expiresInSeconds=1)
    functions["SubscriptionsFunction"].invoke(event)
    before, expirer = len(outbox(table, job)), functions["ExpirerFunction"]
    time.sleep(2)
    expirer.invoke(sample("schedule"), invocation.RESERVED_MILLISECONDS / 1000 - 5)
    assert len(outbox(table, job)) == before
    expirer.invoke(sample("schedule"))
    assert len(outbox(table, job)) == before + 1
