"""The pollers of template.yaml over the SQLite engine: crashes between two steps, failures, and wake-ups."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from jobtrack import aws
from jobtrack_local import wiring
from jobtrack_local.engine.engines import Engine
from jobtrack_local.engine.provision import provision
from jobtrack_local.engine.sqlite.engine import SqliteEngine
from jobtrack_local.pollers import shard_batches
from jobtrack_local.pollers.pollers import Poller, QueuePoller, StreamPoller
from jobtrack_local.runtime.function import Function
from jobtrack_local.template import template
from jobtrack_local.template.cloudformation import FunctionProperties
from tests.engine.clock import Clock
from tests.engine.conftest import session

PLAN = template.load()
PATIENCE_SECONDS = 20
DAY_SECONDS = 24 * 3600


class Killed(BaseException):
    """The process ends."""


class Service:
    """The engine and the pollers of a process, with a function of the test's own behind every trigger."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, clock: Clock) -> None:
        self._folder = folder
        self._patch = patch
        self._clock = clock
        self.function: Callable[[list[dict[str, Any]]], object] = lambda records: None
        self.start()

    def start(self) -> None:
        """Start, for the first time or after `engine.close`."""
        self.engine, attached = SqliteEngine(self._folder, clock=self._clock), session()
        self.engine.attach(attached)
        self._patch.setattr(aws, "session", lambda: attached)
        self._patch.setattr(wiring, "load_function", self._load)
        self.names = provision(PLAN)
        self.pollers = wiring.build_pollers(PLAN, self.names, Engine(self.engine))
        self.dynamodb, self.sqs = aws.client("dynamodb"), aws.client("sqs")

    def restart(self) -> None:
        """Start a new process on the same data."""
        self.engine.close()
        self.start()

    def poller(self, kind: type[Poller]) -> Any:
        """Return the first poller of the kind."""
        return next(poller for poller in self.pollers if isinstance(poller, kind))

    def step(self) -> bool:
        """Read the stream and handle at most one batch."""
        mapping = self.poller(StreamPoller)._mapping
        return bool(mapping.step())

    def write(self, *sort_keys: str) -> None:
        """Write items of the jobs table, each in a transaction of its own."""
        for sort_key in sort_keys:
            item: Any = {"pk": {"S": "p"}, "sk": {"S": sort_key}, "d": {"B": b"x"}}
            self.dynamodb.put_item(TableName=self.names.refs["JobsTable"], Item=item)

    def kept(self) -> int:
        """Return the number of records that are still in the stream."""
        query = "SELECT count(*) FROM stream_records"
        return int(self.engine.database.reader.execute(query).fetchone()[0])

    def _load(self, name: str, properties: FunctionProperties) -> Function:
        def handle(event: dict[str, Any], context: object, /) -> object:
            return self.function(event["Records"])

        return Function(name, handle, properties)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Iterator[Service]:
    service = Service(tmp_path, monkeypatch, clock)
    yield service
    service.engine.close()


def sort_keys(records: Sequence[dict[str, Any]]) -> list[str]:
    return [record["dynamodb"]["Keys"]["sk"]["S"] for record in records]


def test_a_process_killed_before_the_position_is_stored_handles_the_records_again(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    handled: list[list[str]] = []
    service.function = lambda records: handled.append(sort_keys(records))
    service.write("O#1", "O#2", "S")

    def kill(stream: str, sequence: int) -> None:
        raise Killed

    monkeypatch.setattr(service.engine.streams, "trim", kill)
    with pytest.raises(Killed):
        service.step()
    service.restart()
    service.write("O#3")
    service.step()
    service.restart()
    service.step()
    assert handled == [["O#1", "O#2"], ["O#1", "O#2", "O#3"]]
    assert service.kept() == 0


def test_a_full_disk_delays_the_position_and_repeats_nothing(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    handled: list[list[str]] = []
    service.function = lambda records: handled.append(sort_keys(records))
    service.write("O#1")
    trim, failures = service.engine.streams.trim, [OSError("the disk is full")]

    def fail_once(stream: str, sequence: int) -> None:
        if failures:
            raise failures.pop()
        trim(stream, sequence)

    monkeypatch.setattr(service.engine.streams, "trim", fail_once)
    with pytest.raises(OSError, match="disk is full"):
        service.step()
    assert service.kept() == 1
    service.step()
    assert service.kept() == 0
    assert handled == [["O#1"]]


def test_a_record_that_always_fails_delays_no_other_for_ever_and_goes_to_the_queue_of_the_template(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    ((_, trigger),) = PLAN.streams
    monkeypatch.setattr(shard_batches, "FIRST_DELAY_SECONDS", 0)
    handled, attempts = list[str](), list[list[str]]()

    def fail(records: list[dict[str, Any]]) -> None:
        attempts.append(sort_keys(records))
        if "O#2" in attempts[-1]:
            raise OSError("on purpose")
        handled.extend(attempts[-1])

    service.function = fail
    service.write("O#1", "O#2", "O#3", "O#4")
    while service.step():
        continue
    assert handled == ["O#1", "O#3", "O#4"]
    assert attempts.count(["O#2"]) == 1 + trigger.maximum_retry_attempts
    assert service.kept() == 0
    url = service.names.refs["DispatchFailures"]
    (message,) = service.sqs.receive_message(QueueUrl=url)["Messages"]
    document = json.loads(message["Body"])
    assert document["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert document["DDBStreamBatchInfo"]["batchSize"] == 1


def test_records_outlive_any_time_in_which_the_service_was_stopped(service: Service, clock: Clock) -> None:
    handled: list[str] = []
    service.function = lambda records: handled.extend(sort_keys(records))
    service.write("O#1")
    clock.now += 30 * DAY_SECONDS
    service.restart()
    service.engine.purge()
    service.step()
    assert handled == ["O#1"]


@pytest.mark.parametrize("kind", [StreamPoller, QueuePoller])
def test_a_poller_sleeps_until_a_commit_wakes_it(service: Service, kind: type[Poller]) -> None:
    handled, poller = threading.Semaphore(0), service.poller(kind)
    service.function = lambda records: handled.release()
    waits, waiting = list[float | None](), threading.Semaphore(0)
    wait = poller.control.wait_for_wake

    def note(seconds: float | None) -> None:
        waits.append(seconds)
        waiting.release()
        wait(seconds)

    poller.control.wait_for_wake = note
    thread = threading.Thread(target=poller.run)
    thread.start()
    assert waiting.acquire(timeout=PATIENCE_SECONDS)
    service.write("S")  # concerns no poller
    service.sqs.send_message(QueueUrl=service.names.refs["DispatchFailures"], MessageBody="concerns no poller")
    service.write("O#1")
    service.sqs.send_message(QueueUrl=service.names.refs["DeliveryQueue"], MessageBody="{}")
    assert handled.acquire(timeout=PATIENCE_SECONDS)
    assert waiting.acquire(timeout=PATIENCE_SECONDS)
    poller.control.stop()
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()
    assert waits[0] is None
    assert len(waits) <= 3  # a poller that was woken between its reading and its waiting reads once more
