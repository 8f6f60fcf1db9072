"""Wakes a poller after writes to an engine that cannot wake it."""

from collections.abc import Callable

from botocore.session import Session

WRITES = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems")


def wake_after_writes(session: Session, wake: Callable[[], None]) -> None:
    """Call `wake` after each write to DynamoDB by the session's future clients."""
    events = session.get_component("event_emitter")
    for operation in WRITES:
        events.register(f"after-call.dynamodb.{operation}", lambda **_: wake())
