"""The deliverer as a function: batches, crashes, and that its secrets stay secret."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from functions.queue.deliverer import app
from jobtrack import aws
from jobtrack.push.delivery.delivery_table import DeliveryTable
from jobtrack.push.egress.guarded_post import EgressError, Response
from jobtrack.push.messages.message import Message
from tests.pushing import (
    SECRET,
    TOKEN,
    Crash,
    World,
    crashing,
    message,
    subscription,
)

pytestmark = pytest.mark.usefixtures("stack")

OK, BROKEN, UNREACHABLE = Response(200), Response(500), EgressError("connection refused")


@pytest.mark.parametrize(
    "answers", [(OK,), (BROKEN, OK), (UNREACHABLE, OK), (Response(410),)], ids=["200", "500", "none", "410"]
)
def test_a_crash_at_any_step_loses_nothing(answers: tuple[Response | EgressError, ...]) -> None:
    """SQS delivers the unacknowledged message again, and it ends as without the crash."""
    crashed, step = True, -1
    while crashed:
        step += 1
        world = World(*answers, subscribed=subscription(f"sub-{step}", url=f"https://hook.example/{step}"))
        one = message(1, world.subscription)
        crashed = _crashes(world, one, step)
        world.deliver(one)
        world.sqs.run(world.deliverer.deliver)
        gone = answers == (Response(410),)
        final = world.delivered(one).status
        assert final in (("Failed", "Skipped") if gone else ("Delivered",))
        assert set(world.receiver.ids) == {one.message_id}
    assert step >= 10


def _crashes(world: World, one: Message, step: int) -> bool:
    with crashing(step, world.dynamodb, world.kms, fakes=(world.receiver, world.sqs)):
        try:
            world.deliver(one)
        except Crash:
            return True
    return False


def test_the_handler_serves_a_batch_and_tells_what_failed(
    sample: Callable[[str], dict[str, Any]], context: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(OK)
    monkeypatch.setattr(app, "_deliverer", world.deliverer)
    event = sample("delivery-message")
    [template] = event["Records"]
    event["Records"] = [
        template,
        {**template, "messageId": "poison", "body": "{}"},
        {**template, "messageId": "good", "body": message().encode()},
    ]
    assert app.handler(event, context) == {"batchItemFailures": [{"itemIdentifier": "poison"}]}
    assert world.receiver.ids == [message().message_id]


def test_the_functions_own_deliverer_reads_the_stacks_settings(
    sample: Callable[[str], dict[str, Any]], context: object
) -> None:
    event = sample("delivery-message")
    assert app.handler(event, context) == {"batchItemFailures": []}
    one = Message.decode(event["Records"][0]["body"])
    assert DeliveryTable(aws.client("dynamodb"), "DeliveriesTable").read_delivery(one).status == "Skipped"


def test_a_key_that_does_not_open_leaves_the_message_in_the_queue(
    context: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(OK)
    foreign = replace(world.subscription, sealed=b"not sealed by us").to_item()
    world.dynamodb.put_item(TableName="SubscriptionsTable", Item=foreign)
    monkeypatch.setattr(app, "_deliverer", world.deliverer)
    records = [{"messageId": "m", "body": message().encode()}]
    assert app.handler({"Records": records}, context) == {"batchItemFailures": [{"itemIdentifier": "m"}]}
    assert world.receiver.posted == []


def test_secrets_are_nowhere_but_in_what_is_sent(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    world = World(BROKEN, EgressError("TLS failed"), OK)
    world.deliver(message())
    waiting = str(world.sqs.waiting)
    world.sqs.run(world.deliverer.deliver)
    tables = [world.dynamodb.scan(TableName=name)["Items"] for name in ("SubscriptionsTable", "DeliveriesTable")]
    opened = world.delivered(message())
    ours = [each.getMessage() for each in caplog.records if each.name.startswith(("jobtrack", "functions"))]
    told = "".join(map(str, (waiting, tables, opened, ours)))
    assert ours
    assert TOKEN not in told
    assert SECRET.removeprefix("whsec_") not in told
