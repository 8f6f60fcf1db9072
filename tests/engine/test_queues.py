"""Queues of the SQLite engine as their pollers see them: when messages are due, wake-ups, and a restart."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from jobtrack_local.engine.sqlite.engine import SqliteEngine
from tests.engine.clock import Clock
from tests.engine.conftest import session
from tests.engine.test_services import bodies, queue, receive

PATIENCE_SECONDS = 20
VISIBILITY_SECONDS = 60


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def started(tmp_path: Path, clock: Clock) -> Iterator[Callable[[], tuple[SqliteEngine, Any]]]:
    """Start an engine, for the first time or again, and return it with a client of its queues."""
    engines: list[SqliteEngine] = []

    def start() -> tuple[SqliteEngine, Any]:
        for engine in engines:
            engine.close()
        attached = session()
        engines[:] = [SqliteEngine(tmp_path, clock=clock)]
        engines[0].attach(attached)
        return engines[0], attached.create_client("sqs")

    yield start
    engines[0].close()


Started = Callable[[], tuple[SqliteEngine, Any]]


def test_a_poller_knows_when_the_next_message_is_due(started: Started, clock: Clock) -> None:
    engine, sqs = started()
    url = queue(sqs, VisibilityTimeout=str(VISIBILITY_SECONDS))
    assert engine.sqs.seconds_to_next(url) is None
    sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=100)
    assert engine.sqs.seconds_to_next(url) == 100
    sqs.send_message(QueueUrl=url, MessageBody="now")
    assert engine.sqs.seconds_to_next(url) == 0
    (message,) = receive(sqs, url)
    assert engine.sqs.seconds_to_next(url) == VISIBILITY_SECONDS
    clock.now += VISIBILITY_SECONDS + 1
    assert engine.sqs.seconds_to_next(url) == 0
    (message,) = receive(sqs, url)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert engine.sqs.seconds_to_next(url) == 39


def test_a_poller_is_woken_by_messages_of_its_queue_only(started: Started) -> None:
    engine, sqs = started()
    urls, woken = {name: queue(sqs, name) for name in ("mine", "other")}, threading.Semaphore(0)
    engine.sqs.subscribe(urls["mine"], woken.release)
    sqs.send_message(QueueUrl=urls["other"], MessageBody="other")
    receive(sqs, urls["other"])
    assert not woken.acquire(blocking=False)
    sqs.send_message(QueueUrl=urls["mine"], MessageBody="mine")
    assert woken.acquire(timeout=PATIENCE_SECONDS)
    (message,) = receive(sqs, urls["mine"])
    handle = message["ReceiptHandle"]
    sqs.change_message_visibility(QueueUrl=urls["mine"], ReceiptHandle=handle, VisibilityTimeout=0)
    assert woken.acquire(timeout=PATIENCE_SECONDS)


def test_messages_that_were_being_handled_come_again_after_a_restart_and_delayed_ones_wait(
    started: Started, clock: Clock
) -> None:
    _, sqs = started()
    url = queue(sqs, VisibilityTimeout=str(VISIBILITY_SECONDS))
    sqs.send_message(QueueUrl=url, MessageBody="in flight")
    sqs.send_message(QueueUrl=url, MessageBody="delayed", DelaySeconds=10)
    receive(sqs, url)
    engine, sqs = started()
    assert receive(sqs, url) == [], "another process may still handle it"
    engine.sqs.release()
    (message,) = receive(sqs, url)
    assert (message["Body"], message["Attributes"]["ApproximateReceiveCount"]) == ("in flight", "2")
    clock.now += 10
    assert bodies(receive(sqs, url)) == ["delayed"]


def test_a_message_that_ends_the_process_each_time_becomes_a_dead_letter(started: Started) -> None:
    _, sqs = started()
    dead = queue(sqs, "dead")
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    url = queue(sqs, RedrivePolicy=f'{{"deadLetterTargetArn": "{arn}", "maxReceiveCount": 3}}')
    sqs.send_message(QueueUrl=url, MessageBody="poison")
    for _ in range(3):
        assert bodies(receive(sqs, url)) == ["poison"]
        engine, sqs = started()
        engine.sqs.release()
    assert receive(sqs, url) == []
    assert bodies(receive(sqs, dead)) == ["poison"]


def test_messages_wait_for_their_consumer_however_long_the_service_was_stopped(started: Started, clock: Clock) -> None:
    _, sqs = started()
    urls = [queue(sqs, name, MessageRetentionPeriod="3600") for name in ("consumed", "dead")]
    for url in urls:
        sqs.send_message(QueueUrl=url, MessageBody="old")
    engine, sqs = started()
    clock.now += 3601
    engine.sqs.subscribe(urls[0], lambda: None)
    engine.purge()
    assert [bodies(receive(sqs, url)) for url in urls] == [["old"], []]


@pytest.mark.parametrize("received", [True, False])
def test_a_clock_that_was_set_back_delays_no_message(started: Started, clock: Clock, received: bool) -> None:
    engine, sqs = started()
    url = queue(sqs)
    sqs.send_message(QueueUrl=url, MessageBody="one")
    if received:
        receive(sqs, url)
    clock.now -= 2 * 3600
    assert receive(sqs, url) == []
    assert engine.sqs.seconds_to_next(url) == 0
    assert bodies(receive(sqs, url)) == ["one"]


def test_there_is_no_long_polling(started: Started) -> None:
    _, sqs = started()
    url = queue(sqs)
    with pytest.raises(ClientError, match="UnsupportedOperation"):
        sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)
