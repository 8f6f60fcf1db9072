"""The pushing side as deployed, with faults: handlers, the template's triggers, tables and key on the embedded engine.

Stream, queues and scheduling are simulated: threads take turns, time passes as the test says, and a process can end
before or after any call to AWS or to a receiver.
"""

import base64
import copy
import random
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.machinery import SourceFileLoader
from types import ModuleType
from typing import Any, Self, TypeVar, cast

import pytest
from botocore.exceptions import ClientError
from msgspec import Struct
from msgspec.structs import force_setattr

from jobtrack import aws, times
from jobtrack.domain.events import Event
from jobtrack.domain.job import Job
from jobtrack.keys import JobKey
from jobtrack.push.egress import guarded_post
from jobtrack.push.egress.guarded_post import EgressError, Response
from jobtrack.push.egress.urls import WebhookUrl
from jobtrack.push.subscriptions.secrets import Vault
from jobtrack.push.subscriptions.subscription import Subscription, subscription_key
from jobtrack.settings import Settings
from jobtrack.store.item_kinds import OUTBOX_RECORD
from jobtrack.store.jobs import JobStore
from jobtrack.store.outbox_records import EventBatch, encode
from jobtrack.store.snapshots import Listener, Snapshot
from jobtrack.times import Micros
from jobtrack_local.pollers.failure_records import failure_record
from jobtrack_local.pollers.queue_mapping import QueueMapping
from jobtrack_local.pollers.shard_batches import Discarded
from jobtrack_local.pollers.stream_mapping import StreamMapping
from jobtrack_local.runtime import function
from jobtrack_local.runtime.events import Record, sequence_number
from jobtrack_local.runtime.function import HandlerFailed
from jobtrack_local.template import intrinsics
from jobtrack_local.template.cloudformation import FunctionProperties
from tests.functions.conftest import TEMPLATE, Context
from tests.management import Gateway
from tests.pushing import NOW, Clock, Crash, Receiver, event, store
from tests.simulators.memory_sqs import Answer as Sent
from tests.simulators.memory_sqs import Entry, MemorySqs, queues
from tests.simulators.memory_stream import MemoryStream
from tests.simulators.recursive_loops import LoopDetection

STREAM = "arn:aws:dynamodb:us-east-1:000000000000:table/JobsTable/stream/1"
STEP_SECONDS = 0.001
LONGEST_RUN = 10_000
ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


class Steps:
    """Records the calls of a function, and ends its process at a chosen step; each call has two steps."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.count = 0
        self.kills: set[int] = set()
        self.kill_at = ""
        """The process ends at the next step of this kind."""
        self.seen: set[str] = set()
        self.killed: list[str] = []
        self.running = ""
        """The function that runs now."""
        self.dead = False
        self.switch: Callable[[], None] = lambda: None

    def __call__(self, event_name: str = "a receiver", **_: object) -> None:
        if not self.running:
            return
        if not self.dead:
            self.count += 1
            self.clock.pass_by(STEP_SECONDS)
            self._note(f"{self.running}: {event_name}")
            self.switch()
        if self.dead:
            raise Crash

    def _note(self, step: str) -> None:
        self.seen.add(step)
        if self.count in self.kills or step == self.kill_at:
            self.kill_at = ""
            self.killed.append(step)
            self.dead = True


class Turns:
    """Replaces a pool of threads: they take turns, and the next one is drawn at every step."""

    def __init__(self, steps: Steps, drawn: random.Random) -> None:
        self._steps = steps
        self._drawn = drawn
        self._waiting: dict[int, threading.Semaphore] = {}
        self._current = -1
        self._over = threading.Semaphore(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """There is nothing to wait for."""

    def map(self, act: Callable[[ItemT], ResultT], items: Sequence[ItemT]) -> Iterator[ResultT]:
        """Yield the results; Crash if the process ended."""
        results, failures = dict[int, ResultT](), list[BaseException]()

        def run(number: int, item: ItemT) -> None:
            self._waiting[number].acquire()
            try:
                results[number] = act(item)
            except BaseException as failure:  # raised in the thread that uses the pool
                failures.append(failure)
            del self._waiting[number]
            self._next()

        self._waiting = {number: threading.Semaphore(0) for number in range(len(items))}
        threads = [threading.Thread(target=run, args=each) for each in enumerate(items)]
        for thread in threads:
            thread.start()
        self._steps.switch = self._switch
        self._next()
        self._over.acquire()
        self._steps.switch = lambda: None
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]
        return iter([results[number] for number in range(len(items))])

    def _next(self) -> None:
        if not self._waiting:
            self._over.release()
            return
        self._current = self._drawn.choice([*self._waiting])
        self._waiting[self._current].release()

    def _switch(self) -> None:
        mine = self._waiting[self._current]
        self._next()
        mine.acquire()


class Sqs(MemorySqs):
    """The queues as functions call them; `refuses` names the entries that are refused, and how."""

    def __init__(self, drawn: random.Random, steps: Steps) -> None:
        super().__init__(queues(TEMPLATE.queues, steps.clock))
        self.steps = steps
        self.refuses: Callable[[Entry], bool] = lambda entry: False
        for queue in self.queues.values():
            queue.shuffle = drawn.shuffle

    def send_message_batch(self, *, QueueUrl: str, Entries: Sequence[Entry]) -> Sent:
        self.steps("before SendMessageBatch")
        taken = [entry for entry in Entries if not self.refuses(entry)]
        answer = (
            super().send_message_batch(QueueUrl=QueueUrl, Entries=taken) if taken else Sent(Successful=[], Failed=[])
        )
        for entry in Entries:
            if entry not in taken:
                answer["Failed"].append({"Id": entry["Id"], "Code": "InternalError", "SenderFault": False})
        self.steps("after SendMessageBatch")
        return answer


class Receivers(Receiver):
    """All receivers; `answering_with` returns the response to a POST."""

    answering_with: Callable[[], Response | EgressError] = staticmethod(lambda: Response(200))
    failed = 0
    """How often a sender was told that its message was not accepted."""

    def respond(self, url: WebhookUrl, headers: Mapping[str, str], body: bytes) -> Response:
        self.answers = [self.answering_with()]
        answer = super().respond(url, headers, body)
        self.failed += answer.status != 200
        return answer


class Deployed:
    """The stack, with one process per function that restarts after it was killed."""

    def __init__(self, patch: pytest.MonkeyPatch, seed: int = 0) -> None:
        self.drawn = random.Random(seed)
        self.clock = Clock()
        self.steps = Steps(self.clock)
        self.receivers = Receivers(self.clock)
        self.receivers.step = self.steps
        self.sqs = Sqs(self.drawn, self.steps)
        self.dynamodb, self.kms = aws.client("dynamodb"), aws.client("kms")
        self.outages: dict[str, Callable[[], bool]] = {}
        for client in (self.dynamodb, self.kms):
            client.meta.events.register("before-call", self._before)
            client.meta.events.register("after-call", self.steps)
        clients = {"dynamodb": self.dynamodb, "kms": self.kms, "sqs": self.sqs}
        for made in ("client", "later"):
            patch.setattr(aws, made, clients.__getitem__)
        patch.setattr(guarded_post, "Egress", lambda *_, **__: self.receivers)
        self.gateway = Gateway()
        self.gateway.step = self.steps
        patch.setattr(aws, "websockets", lambda endpoint: self.gateway)
        self.stream = MemoryStream(self.clock)
        self.stream.open("shard-0")
        self.shards = ["shard-0"]
        self.jobs: list[JobKey] = []
        self._shown: set[tuple[str, str]] = set()
        self.repeats = 1
        self.served: dict[str, int] = {}
        """How often each stream record was delivered, by its sequence number."""
        self.taken = 0
        """Messages of queues that functions received."""
        self.functions = {name: TEMPLATE.functions[name] for name, _ in (*TEMPLATE.streams, *TEMPLATE.consumers)}
        self.processes: dict[str, ModuleType] = {}
        self.mappings: list[StreamMapping | QueueMapping] = [*self._streams(), *self._consumers()]

    def _streams(self) -> Iterator[StreamMapping]:
        for name, trigger in TEMPLATE.streams:
            told = trigger.destination_config.on_failure
            assert told is not None
            failures = self.sqs.queues[intrinsics.target(told.destination)]

            def give_up(lost: Discarded, shard: str) -> None:
                failures.send(failure_record(lost, shard, STREAM, name, self.clock()))  # noqa: B023  # called in this turn

            yield StreamMapping(self.stream, self._serving(name), trigger, give_up, clock=self.clock)

    def _consumers(self) -> Iterator[QueueMapping]:
        for name, trigger in TEMPLATE.consumers:
            queue = self.sqs.queues[intrinsics.target(trigger.queue)]
            loop = TEMPLATE.functions[name].recursive_loop
            polled = LoopDetection(queue, self._serving(name), self.sqs.lineage, loop)
            yield QueueMapping(polled, polled.invoke, trigger)

    def _serving(self, name: str) -> Callable[[Sequence[Record]], object]:
        def serve(records: Sequence[Record]) -> object:
            process = self._process(name, TEMPLATE.functions[name])
            self.steps.running = process.__name__
            try:
                answer = process.handler({"Records": copy.deepcopy([*records])}, Context(name))
                self._ask_again(records)
                self.steps("the answer")
                return answer
            except Crash:
                del self.processes[name]
                raise HandlerFailed(f"{name} was killed") from None
            except Exception as error:
                raise HandlerFailed(f"{name} raised") from error
            finally:
                self.steps.running, self.steps.dead = "", False

        return serve

    def _ask_again(self, records: Sequence[Record]) -> None:
        """Treat the response as lost until each stream record was delivered as often as requested."""
        numbers = [sequence_number(record) for record in records if "dynamodb" in record]
        self.taken += len(records) - len(numbers)
        for number in numbers:
            self.served[number] = self.served.get(number, 0) + 1
        if any(self.served[number] < self.repeats for number in numbers):
            raise TimeoutError("the answer came too late")

    def _process(self, name: str, properties: FunctionProperties) -> ModuleType:
        if name not in self.processes:
            module = function.load_module(properties)
            cast("SourceFileLoader", module.__loader__).exec_module(module)  # as a new process would
            if "ThreadPoolExecutor" in vars(module):
                vars(module)["ThreadPoolExecutor"] = lambda max_workers: Turns(self.steps, self.drawn)
            later = [each() for each in vars(module).values() if hasattr(each, "cache_info")]
            for held in [*later, *(each for each in vars(module).values() if _ours(each))]:
                self._under_our_time(held)
            self.processes[name] = module
        return self.processes[name]

    def _under_our_time(self, held: object) -> None:
        """Give the object, and everything it contains, the test's clock and randomness."""
        ours = {
            "clock": self.clock,
            "_clock": self.clock.seconds,  # a monotonic one
            "sleep": self.clock.pass_by,
            "random": self.drawn.random,
            "timer": self.clock.alarm,
        }
        for name in _attributes(held):
            value = getattr(held, name)
            if name in ours:
                _replace_member(held, name, ours[name])
            elif _ours(value) and value is not self.receivers:
                self._under_our_time(value)

    def _before(self, model: Any, event_name: str, **_: object) -> None:
        self.steps(event_name)
        fails = self.outages.get(model.name)
        if self.steps.running and fails is not None and fails():
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, model.name)

    def subscribe(self, *subscriptions: Subscription) -> None:
        """Store subscriptions in their table."""
        store(self.dynamodb, Vault(self.kms, Settings.from_env().secrets_key_id), *subscriptions)

    def connect(self, one: Subscription) -> str:
        """Connect a client for a WebSocket subscription, and return the connection."""
        connection = f"connection-of-{one.subscription_id}"
        self.gateway.connected.add(connection)
        self.dynamodb.update_item(
            TableName="SubscriptionsTable",
            Key=subscription_key(one.job, one.subscription_id),
            UpdateExpression="SET #connection = :id, connectedAt = :now, quietUntil = :now",
            ExpressionAttributeNames={"#connection": "connection"},
            ExpressionAttributeValues={":id": {"S": connection}, ":now": {"N": str(self.clock())}},
        )
        return connection

    def job(self, job: JobKey, *subscriptions: Subscription) -> None:
        """Create a job with these listeners."""
        self.subscribe(*subscriptions)
        listeners = {one.subscription_id: Listener(one.expires_at, one.interests()) for one in subscriptions}
        snapshot = Snapshot(job, 0, Job(job.job, "a job", "mining", NOW), listeners=listeners)
        self._store().create(snapshot, "b", {})
        self.jobs.append(job)
        self.tail()

    def report(self, job: JobKey, *events: Event) -> None:
        """Report one batch of events."""
        self._store().report(job, events)
        self.tail()

    def owe(self, job: JobKey, names: Sequence[str], *sequences: int) -> str:
        """Add an outbox record of these events without their job, and return its sequence number."""
        batch = EventBatch(job, "a job", tuple(names), tuple(event(sequence) for sequence in sequences))
        return self.show(job, sequences[0], encode(batch))

    def show(self, job: JobKey, place: int, packed: bytes) -> str:
        """Add an outbox item with these bytes and its stream record, and return the sequence number."""
        keys = {"pk": {"S": job.partition}, "sk": {"S": f"O#{place:012d}"}}
        item = {**keys, **OUTBOX_RECORD.stamp, "d": {"B": packed}, "exp": {"N": "2000000000"}}
        self.dynamodb.put_item(TableName="JobsTable", Item=cast("Any", item))
        return self.put(item)

    def _store(self) -> JobStore:
        return JobStore(self.dynamodb, "JobsTable", now=self.clock)

    def put(self, item: dict[str, Any]) -> str:
        """Return an item of the table as the stream shows it."""
        image = {name: _plain(value) for name, value in item.items()}
        keys = {name: image[name] for name in ("pk", "sk")}
        change = {"Keys": keys, "NewImage": image, "SizeBytes": 1, "StreamViewType": "NEW_IMAGE"}
        record: Record = {"eventName": "INSERT", "eventSource": "aws:dynamodb", "dynamodb": change}
        return self.stream.put(self.shards[zlib.crc32(image["pk"]["S"].encode()) % len(self.shards)], record)

    def tail(self) -> None:
        """Add the new outbox items to the stream."""
        for job in self.jobs:
            asked = {":pk": {"S": job.partition}, ":prefix": {"S": "O#"}}
            found = self.dynamodb.query(
                TableName="JobsTable",
                KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
                ExpressionAttributeValues=cast("Any", asked),
            )
            for item in found["Items"]:
                if (place := (item["pk"]["S"], item["sk"]["S"])) not in self._shown:
                    self._shown.add(place)
                    self.put(cast("dict[str, Any]", item))

    def run(self, until: Micros = times.LATEST) -> None:
        """Process everything, or until a moment."""
        for _ in range(LONGEST_RUN):
            self.tail()
            moved = [mapping.step() for mapping in self.mappings]
            if any(moved):
                continue
            due = min(self._due(), default=None)
            if due is None or due > until:
                return
            self.clock.pass_by(times.seconds_between(self.clock(), due))
        raise AssertionError("it does not end")

    def _due(self) -> Iterable[Micros]:
        consumed = [self.sqs.queues[intrinsics.target(trigger.queue)] for _, trigger in TEMPLATE.consumers]
        streams = [each.next_due for each in self.mappings if isinstance(each, StreamMapping)]
        return [due for due in (*streams, *(queue.due for queue in consumed)) if due is not None]

    def dead_letters(self) -> list[str]:
        """Return the bodies of messages that the deliverer could not handle."""
        return self.sqs.queues["DeliveryFailures"].bodies()

    def pointers(self) -> list[str]:
        """Return the pointers to stream records that were given up."""
        return self.sqs.queues["DispatchFailures"].bodies()

    def quarantined(self) -> list[dict[str, Any]]:
        """Return the quarantined records."""
        return cast("list[dict[str, Any]]", self.dynamodb.scan(TableName="QuarantineTable")["Items"])


def _ours(value: object) -> bool:
    return type(value).__module__.startswith("jobtrack.") and not isinstance(value, type)


def _attributes(held: object) -> list[str]:
    return [*held.__struct_fields__] if isinstance(held, Struct) else [*vars(held)]


def _replace_member(held: object, name: str, value: object) -> None:
    if isinstance(held, Struct):
        force_setattr(held, name, value)
    else:
        setattr(held, name, value)


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    return {kind: base64.b64encode(bytes(each)).decode() if kind == "B" else each for kind, each in value.items()}
