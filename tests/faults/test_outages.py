"""Throttled or unavailable services: every message arrives nevertheless, under its one id."""

from collections.abc import Callable

import pytest

from jobtrack.push.subscriptions.message_factory import event_message_id
from tests.faults.deployed import Deployed
from tests.pushing import JOB, after, subscription

pytestmark = pytest.mark.usefixtures("stack")

HOUR = 3600
NAMES = ("sub-1", "sub-2")
EVENTS = 3
CALLS = ["BatchGetItem", "PutItem", "UpdateItem", "Decrypt", "SendMessageBatch"]


def deployed(patch: pytest.MonkeyPatch, seed: int = 0) -> Deployed:
    stack = Deployed(patch, seed)
    stack.subscribe(
        *(subscription(name, url=f"https://{name}.example/", expires_at=after(24 * HOUR)) for name in NAMES)
    )
    return stack


def owe(stack: Deployed) -> set[str]:
    for sequence in range(1, EVENTS + 1):
        stack.owe(JOB, NAMES, sequence)
    return {event_message_id(JOB, name, sequence) for name in NAMES for sequence in range(1, EVENTS + 1)}


def fail(stack: Deployed, call: str, fails: Callable[[], bool]) -> None:
    if call == "SendMessageBatch":
        stack.sqs.refuses = lambda entry: fails()
    else:
        stack.outages[call] = fails


def all_arrived(stack: Deployed, wanted: set[str]) -> None:
    assert {*stack.receivers.ids} == wanted
    assert (stack.dead_letters(), stack.pointers(), stack.quarantined()) == ([], [], [])


@pytest.mark.parametrize("call", CALLS)
def test_a_service_that_is_away_for_hours_loses_nothing(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stack, end = deployed(monkeypatch), after(2 * HOUR)
    fail(stack, call, lambda: stack.clock() < end)
    wanted = owe(stack)
    stack.run()
    all_arrived(stack, wanted)
    assert stack.clock() > end


@pytest.mark.parametrize("seed", range(3))
def test_when_one_call_in_four_fails_all_arrives(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = deployed(monkeypatch, seed)
    for call in CALLS:
        fail(stack, call, lambda: stack.drawn.random() < 0.25)
    wanted = owe(stack)
    stack.run()
    all_arrived(stack, wanted)


def test_what_a_queue_refuses_of_a_batch_is_sent_again_and_the_rest_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    stack, refused = deployed(monkeypatch), set[str]()

    def once(entry: object) -> bool:
        name = str(entry)
        first = name not in refused and len(refused) < EVENTS
        refused.add(name)
        return first

    stack.sqs.refuses = once
    wanted = owe(stack)
    stack.run()
    all_arrived(stack, wanted)
    assert len(stack.receivers.ids) == len(wanted)
