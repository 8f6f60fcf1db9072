"""The deliverers send to their own queues: Lambda's loop detection must not end a message's retry schedule."""

import pytest

from jobtrack.push.delivery import endpoint_health
from jobtrack.push.egress.guarded_post import Response
from tests.faults.deployed import Deployed
from tests.functions.conftest import TEMPLATE
from tests.pushing import JOB, after, elapsed, message, subscription

pytestmark = pytest.mark.usefixtures("stack")

DAY = 24 * 3600
SLOW_SECONDS = 3.0
LANES = {"DelivererFunction": 0.0, "SlowDelivererFunction": SLOW_SECONDS}
"""Each deliverer, and the seconds until its receiver responds."""


def refused_for_a_week(patch: pytest.MonkeyPatch, seconds: float) -> Deployed:
    """Deliver one message to a receiver that always responds 500 after some seconds, until it is given up."""
    patch.setattr(endpoint_health, "SLOW_SECONDS", 7 * DAY)  # as if other messages kept the endpoint slow
    stack = Deployed(patch)
    stack.subscribe(subscription(expires_at=after(7 * DAY)))
    stack.receivers.answering_with = lambda: Response(500)
    stack.receivers.answering = seconds
    stack.owe(JOB, ["sub-1"], 1)
    stack.run()
    return stack


@pytest.mark.parametrize("seconds", LANES.values(), ids=LANES)
def test_the_schedule_of_a_day_reaches_its_end(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = refused_for_a_week(monkeypatch, seconds)
    assert {*stack.receivers.ids} == {message().message_id}
    times = [elapsed(at) for at, *_ in stack.receivers.posted]
    assert len(times) >= 16
    assert times[-1] > 0.9 * DAY
    assert stack.taken > 60  # invocations: each of the longer pauses takes several
    assert stack.dead_letters() == []


@pytest.mark.parametrize(("name", "seconds"), LANES.items(), ids=LANES)
def test_a_function_without_the_setting_is_stopped(name: str, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = TEMPLATE.functions[name].model_copy(update={"recursive_loop": "Terminate"})
    monkeypatch.setitem(TEMPLATE.functions, name, stopped)
    stack = refused_for_a_week(monkeypatch, seconds)
    assert len(stack.dead_letters()) == 1
    assert elapsed(stack.receivers.posted[-1][0]) < 0.2 * DAY
