"""Whatever a receiver responds, the deliverer records the attempt and removes the message from the queue."""

from collections.abc import Mapping
from typing import Any

import pytest

from functions.queue.deliverer import app
from jobtrack.push.delivery.webhook_sender import WebhookSender
from jobtrack.push.egress.guarded_post import Egress
from tests.faults import misbehaving
from tests.faults.test_egress_answers import READABLE, RETRY_AFTER, UNREADABLE
from tests.pushing import World, message, subscription
from tests.receivers import Behave, answering, receiver

pytestmark = pytest.mark.usefixtures("stack")


Outcome = tuple[int | None, str | None]


def attempted(answers: Mapping[str, bytes], monkeypatch: pytest.MonkeyPatch) -> dict[str, Outcome]:
    """Deliver to a receiver on a socket, and return the recorded delivery."""
    return {
        name: _attempt(sequence, answering(answer), monkeypatch)
        for sequence, (name, answer) in enumerate(answers.items(), 1)
    }


def _attempt(sequence: int, behave: Behave, monkeypatch: pytest.MonkeyPatch) -> Outcome:
    with receiver(behave) as target:
        world = World(subscribed=subscription(url=f"http://{target.authority}{target.path}"))
        real = WebhookSender(world.deliverer.webhooks.vault, Egress(True, seconds=5), {443}, True, world.clock)
        monkeypatch.setattr(world.deliverer, "webhooks", real)
        monkeypatch.setattr(app, "_deliverer", world.deliverer)
        one = message(sequence, world.subscription)
        event: dict[str, Any] = {"Records": [{"messageId": "m", "body": one.encode()}]}
        assert app.handler(event, None) == {"batchItemFailures": []}
    [attempt] = world.delivered(one).attempts
    return attempt.status_code, attempt.error


def test_every_readable_status_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    found = attempted({name: answer for name, (_, answer) in READABLE.items()}, monkeypatch)
    assert found == {name: (status, None) for name, (status, _) in READABLE.items()}


def test_without_one_the_cause_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    found = attempted({name: answer for name, (_, answer) in UNREADABLE.items()}, monkeypatch)
    assert {status for status, _ in found.values()} == {None}
    assert not [name for name, (_, error) in found.items() if not (error or "").startswith(UNREADABLE[name][0])]


def test_the_status_is_recorded_for_any_retry_after(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = b"HTTP/1.1 503 Busy\r\nRetry-After: %b\r\n\r\n"
    found = attempted({name: busy % header for name, (_, header) in RETRY_AFTER.items()}, monkeypatch)
    assert {*found.values()} == {(503, None)}


def test_an_answer_before_the_request_was_read_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    early = misbehaving.answer_unread(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n")
    assert _attempt(1, early, monkeypatch) == (401, None)
