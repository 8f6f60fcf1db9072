"""If our own code fails in a delivery, the attempt is recorded, logged, and repeated by the schedule."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from msgspec.structs import replace

from functions.queue.deliverer import app
from jobtrack.push.egress.guarded_post import Response
from jobtrack.push.messages.message import Message
from jobtrack.push.subscriptions.stream_state import StreamState
from tests.pushing import World, elapsed, message, subscription

pytestmark = pytest.mark.usefixtures("stack")

FAULTS = [
    OverflowError("too large"),
    RuntimeError("can't start new thread"),
    KeyError("x"),
    RecursionError(),
    LookupError(),
]
"""Unexpected errors."""


def failing(error: Exception) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> Any:
        raise error

    return fail


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR]


def handled(world: World, one: Message, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the function removes the message from the queue."""
    monkeypatch.setattr(app, "_deliverer", world.deliverer)
    answer = app.handler({"Records": [{"messageId": "m", "body": one.encode()}]}, None)
    return answer == {"batchItemFailures": []}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
def test_a_fault_of_ours_is_a_failed_attempt_that_the_schedule_repeats(
    fault: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(Response(200))
    with monkeypatch.context() as patch:
        patch.setattr(world.receiver, "respond", failing(fault))
        assert handled(world, message(), monkeypatch)
    [attempt] = world.delivered(message()).attempts
    assert (attempt.status_code, attempt.error) == (None, f"an internal error ({type(fault).__name__})")
    assert world.delivered(message()).status == "Pending"
    assert errors(caplog) == [f"message {message().message_id} could not be sent"]
    world.sqs.run(world.deliverer.deliver)
    assert [elapsed(at) for at, *_ in world.receiver.posted] == [5]
    assert world.delivered(message()).status == "Delivered"


@pytest.mark.parametrize(
    "away",
    [
        ClientError({"Error": {"Code": "ThrottlingException"}}, "Decrypt"),
        EndpointConnectionError(endpoint_url="https://kms"),
    ],
    ids=["throttled", "away"],
)
def test_what_aws_caused_is_no_attempt_and_comes_again_by_the_queue(
    away: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(Response(200))
    monkeypatch.setattr(type(world.deliverer.webhooks.vault), "open", failing(away))
    assert not handled(world, message(), monkeypatch)
    assert world.delivered(message()).attempts == ()


@pytest.mark.parametrize(
    "header", ["Mon, 01 Jan 99999999999 00:00:00 GMT", "9" * 400, "-1", "\xff\xfe", "Mon, 01 Jan 0000 00:00:00 GMT"]
)
def test_no_retry_after_keeps_an_attempt_from_being_recorded(header: str, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(Response(503, header))
    assert handled(world, message(), monkeypatch)
    assert [each.status_code for each in world.delivered(message()).attempts] == [503]


@pytest.mark.parametrize("kind", ["stageCompleted", "ping", "subscriptionEnded"])
def test_a_websocket_is_guarded_as_a_webhook_is(
    kind: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(subscribed=subscription(type="websocket", url=None, stream=StreamState(0, 0)))
    monkeypatch.setattr(type(world.deliverer.sockets), "connect", failing(RuntimeError("odd")))
    one = replace(message(1, world.subscription), type=kind)
    assert handled(world, one, monkeypatch)
    assert [each.error for each in world.delivered(one).attempts] == ["an internal error (RuntimeError)"]
    assert errors(caplog) == [f"message {one.message_id} could not be sent"]
    assert len(world.sqs.waiting) == 1
