"""The process is killed at every step of dispatcher and deliverer: nothing is lost, and little is repeated."""

import logging
import os

import pytest

from jobtrack.push.egress.guarded_post import Response
from jobtrack.push.subscriptions.message_factory import event_message_id
from jobtrack.push.subscriptions.stream_state import StreamState
from tests.faults.conftest import Tell
from tests.faults.deployed import Deployed
from tests.pushing import JOB, after, subscription

pytestmark = pytest.mark.usefixtures("stack")

RUNS = int(os.environ.get("JOBTRACK_KILLED_RUNS", "60"))
"""Number of seeds; each kind of step is killed in at least two of them."""
WEBHOOKS = ("sub-1", "sub-2")
SOCKET = "sub-3"
EVENTS = 3
LONG = after(10**8)


def run(stack: Deployed, number: int) -> list[int]:
    """Write three events in two records, for two webhooks and a WebSocket; return the sequences that must arrive."""
    stack.processes.clear()
    stack.drawn.seed(number)
    stack.steps.count = 0
    first = 1 + number * EVENTS
    stack.owe(JOB, (*WEBHOOKS, SOCKET), first, first + 1)
    stack.owe(JOB, (*WEBHOOKS, SOCKET), first + 2)
    stack.run()
    return [*range(first, first + EVENTS)]


def told(stack: Deployed, connection: str) -> list[int]:
    """Return what arrived over the WebSocket, each event under its id."""
    messages = stack.gateway.sent[connection]
    assert all(each["id"] == event_message_id(JOB, SOCKET, each["data"]["sequence"]) for each in messages)
    return [each["data"]["sequence"] for each in messages]


def test_a_process_killed_at_any_step_loses_nothing_and_repeats_under_the_same_id(
    monkeypatch: pytest.MonkeyPatch, tell: Tell, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    stack = Deployed(monkeypatch)
    stack.subscribe(*(subscription(name, url=f"https://{name}.example/", expires_at=LONG) for name in WEBHOOKS))
    socket = subscription(SOCKET, type="websocket", url=None, stream=StreamState(0, 0), expires_at=LONG)
    stack.subscribe(socket)
    connection = stack.connect(socket)
    stack.receivers.answering_with = lambda: Response(500 if stack.drawn.random() < 0.1 else 200)
    wanted = run(stack, 0)
    steps = stack.steps.count
    for number in range(1, RUNS + 1):
        kinds = sorted(stack.steps.seen)
        stack.steps.kills, stack.steps.kill_at = {1 + number * steps // (RUNS + 1)}, kinds[number % len(kinds)]
        wanted += run(stack, number)
        assert {*stack.receivers.ids} == {event_message_id(JOB, name, each) for name in WEBHOOKS for each in wanted}
        assert [*dict.fromkeys(told(stack, connection))] == wanted
    assert {*stack.steps.killed} == stack.steps.seen
    assert (stack.dead_letters(), stack.pointers(), stack.quarantined()) == ([], [], [])
    posts, messages = len(stack.receivers.posted), len(WEBHOOKS) * len(wanted)
    repeats, again = posts - stack.receivers.failed - messages, len(told(stack, connection)) - len(wanted)
    assert 0 < repeats < posts / 4
    told_of = f"{len(stack.steps.killed)} times in {RUNS} runs, at each of {len(stack.steps.seen)} kinds of step"
    share = f"{repeats} of {posts} POSTs ({100 * repeats / posts:.1f} %)"
    tell(
        f"killed {told_of}: none of {messages + len(wanted)} messages lost; {share} and {again} of "
        f"{len(wanted) + again} WebSocket messages were repeats, each under the same id"
    )
