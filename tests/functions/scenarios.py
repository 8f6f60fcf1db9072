"""All writes of each function, from a given state; and the state of the whole stack, in comparable form."""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from functions.api.events import app as events
from jobtrack.domain.journal import packing
from jobtrack.keys import JobKey
from jobtrack.push.subscriptions.secrets import Vault
from tests.functions import embedded
from tests.functions.conftest import DYNAMODB, KMS, NAMES, SQS, TEMPLATE, Invoke
from tests.functions.subscribing import about
from tests.functions.test_samples import outbox, received

Json = dict[str, Any]
Sample = Callable[[str], Json]
DEPENDENT = "dd0e8400-e29b-41d4-a716-446655440000"
LONG = 12 * 24 * 3600
"""More than an eighth of the retention."""
WEBSOCKET: Json = {"subscriptionType": "websocket", "webhookUrl": None, "authentication": None}


@dataclass
class Stack:
    """Calls the functions with the samples."""

    invoke: Invoke
    sample: Sample
    seconds: float = 0
    subscription: str = ""
    ticket: str = ""

    def ask(self, function: str, name: str, key: bool = True, **changes: Any) -> Json:
        """Send the sample with these changes of its body, with or without its Idempotency-Key."""
        event = self.sample(name)
        if changes:
            event["body"] = json.dumps({**json.loads(event["body"]), **changes})
        if not key:
            event["headers"].pop("idempotency-key", None)
        return self.invoke(function, event)

    def about(self, name: str, key: bool = True, body: Any = None) -> Json:
        """Send the sample for the newest subscription."""
        event = about(self.sample, name, self.subscription, body)
        if key and event["requestContext"]["http"]["method"] == "POST":
            event["headers"]["idempotency-key"] = "k"
        return self.invoke("SubscriptionsFunction", event)

    def events(self, *events: str | Json, key: bool = False) -> Json:
        told = [{"type": each} if isinstance(each, str) else each for each in events]
        return self.ask("EventsFunction", "report-events", key, events=told)

    def job(self, **changes: Any) -> None:
        answer = self.ask("JobsFunction", "create-job", subscriptions=[], **changes)
        assert answer["statusCode"] == 201, answer["body"]

    def running(self) -> None:
        self.job()
        assert self.events("jobStarted")["statusCode"] == 202

    def subscribed(self, **changes: Any) -> None:
        self.running()
        answer = self.ask("SubscriptionsFunction", "subscribe", key=False, **changes)
        assert answer["statusCode"] == 201, answer["body"]
        made = json.loads(answer["body"])
        self.subscription = made["subscriptionId"]
        self.ticket = (made.get("websocketUrl") or "").partition("=")[2]

    def connected(self) -> None:
        self.subscribed(**WEBSOCKET)
        assert self.connect() == {"statusCode": 200}
        assert self.events(*LOGS)["statusCode"] == 202

    def connect(self) -> Json:
        event = self.sample("websocket-connect")
        event["queryStringParameters"] = {"ticket": self.ticket}
        return self.invoke("ConnectFunction", event)

    def dispatch(self) -> Json:
        return self.invoke("DispatcherFunction", {"Records": list(outbox(self.sample))})

    def delivered(self) -> None:
        self.queued()
        assert _receive(self) == {"batchItemFailures": []}

    def delivery(self, name: str) -> Json:
        """Send the sample for the first delivery of the subscription."""
        (found, *_) = DYNAMODB.query(
            TableName="DeliveriesTable",
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": self.subscription}},
        )["Items"]
        event = about(self.sample, name, self.subscription, messageId=found["sk"]["S"])
        return self.invoke("DeliveriesFunction", event)

    def reporting(self) -> None:
        self.running()
        self.seconds = 30
        assert self.events(*LOGS)["statusCode"] == 202

    def lasting(self) -> None:
        self.running()
        self.seconds = LONG
        assert self.events(*LOGS)["statusCode"] == 202

    def ended(self) -> None:
        self.running()
        assert self.events("jobCompleted")["statusCode"] == 202

    def later(self, function: str, seconds: float) -> Json:
        """Run the scheduled functions, a number of seconds later."""
        self.seconds = seconds
        return self.invoke(function, self.sample("schedule"))

    def owed(self) -> None:
        self.subscribed()
        assert self.events({"type": "stageStarted", "data": {"stageName": "A"}})["statusCode"] == 202

    def queued(self) -> None:
        self.owed()
        assert self.dispatch() == {"batchItemFailures": []}


def _receive(stack: Stack) -> Json:
    return stack.invoke("DelivererFunction", {"Records": received(stack.sample)})


def standing_still(invoke: Invoke, sample: Sample, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """Functions without a network, with a clock that only scenarios move."""
    stack, start = Stack(invoke, sample), time.time_ns()

    def moment() -> int:
        return start + int(stack.seconds * 10**9)

    def unknown(*_: object, **__: object) -> None:
        raise OSError("no network here")

    monkeypatch.setattr("jobtrack.times.time", SimpleNamespace(time_ns=moment))
    monkeypatch.setattr("socket.getaddrinfo", unknown)
    return stack


def log(number: int, size: int = 20) -> Json:
    return {"type": "log", "data": {"level": "INFO", "message": f"{number}".rjust(size, "x")}}


LOGS = [log(number) for number in range(5)]


@dataclass(frozen=True)
class Scenario:
    """A state, and the requests made from it."""

    name: str
    given: Callable[[Stack], object]
    act: Callable[[Stack], Json]
    of_the_api: bool = True


def _get(function: str, name: str) -> Scenario:
    return Scenario(name, Stack.running, lambda s: s.ask(function, name))


def _nothing(stack: Stack) -> None:
    """An empty stack."""


def _again(name: str, given: Callable[[Stack], object], **body: Any) -> Iterator[Scenario]:
    for key in (True, False):
        yield Scenario(f"{name}, {'with' if key else 'no'} key", given, lambda s, k=key: s.about(name, k, **body))  # type: ignore[misc]


WRITES = (
    Scenario("create", _nothing, lambda s: s.ask("JobsFunction", "create-job")),
    Scenario("create, no key", _nothing, lambda s: s.ask("JobsFunction", "create-job", key=False)),
    Scenario("create, no key or id", _nothing, lambda s: s.ask("JobsFunction", "create-job", key=False, jobId=None)),
    Scenario(
        "create a dependent",
        lambda s: s.job(),
        lambda s: s.ask(
            "JobsFunction",
            "create-job",
            key=False,
            jobId=DEPENDENT,
            prerequisites=[{"jobId": json.loads(s.sample("create-job")["body"])["jobId"]}],
        ),
    ),
    Scenario("five lines, no key", Stack.running, lambda s: s.events(*LOGS)),
    Scenario("five lines, with key", Stack.running, lambda s: s.events(*LOGS, key=True)),
    Scenario("many lines, no key", Stack.running, lambda s: s.events(*(log(n, 3000) for n in range(100)))),
    Scenario("the sample's batch", Stack.job, lambda s: s.ask("EventsFunction", "report-events")),
    Scenario("start, no key", Stack.job, lambda s: s.events("jobStarted")),
    Scenario("heartbeat", Stack.running, lambda s: s.events("heartbeat")),
    Scenario("two heartbeats", Stack.running, lambda s: s.events("heartbeat", "heartbeat")),
    Scenario("completion, no key", Stack.running, lambda s: s.events("jobCompleted")),
    Scenario("failure, with key", Stack.running, lambda s: s.events("jobCancelled", key=True)),
    Scenario("a resource", Stack.running, lambda s: s.events({"type": "blocked", "data": {"condition": "disk"}})),
    Scenario(
        "what is listened to", Stack.subscribed, lambda s: s.events({"type": "error", "data": {"description": "x"}})
    ),
    Scenario("worker", _nothing, lambda s: s.ask("WorkersFunction", "put-worker")),
    Scenario("subscribe", Stack.running, lambda s: s.ask("SubscriptionsFunction", "subscribe")),
    Scenario("subscribe, no key", Stack.running, lambda s: s.ask("SubscriptionsFunction", "subscribe", key=False)),
    Scenario(
        "subscribe, no key, since 0",
        Stack.running,
        lambda s: s.ask("SubscriptionsFunction", "subscribe", key=False, sinceSequence=0),
    ),
    Scenario(
        "subscribe a WebSocket",
        Stack.running,
        lambda s: s.ask("SubscriptionsFunction", "subscribe", key=False, **WEBSOCKET),
    ),
    Scenario("unsubscribe", Stack.subscribed, lambda s: s.about("delete-subscription")),
    *_again("renew-subscription", Stack.subscribed, body={"expiresInSeconds": 86400}),
    *_again("rotate-secret", Stack.subscribed),
    *_again("test-subscription", Stack.subscribed),
    *_again("issue-ticket", lambda s: s.subscribed(**WEBSOCKET)),
    Scenario("connect", lambda s: s.subscribed(**WEBSOCKET), Stack.connect, of_the_api=False),
    Scenario(
        "disconnect",
        Stack.connected,
        lambda s: s.invoke("DisconnectFunction", s.sample("websocket-disconnect")),
        of_the_api=False,
    ),
    Scenario(
        "resume", Stack.connected, lambda s: s.invoke("ResumeFunction", s.sample("websocket-resume")), of_the_api=False
    ),
    Scenario("deliver", Stack.queued, _receive, of_the_api=False),
    Scenario("retry, no key", Stack.delivered, lambda s: s.delivery("retry-delivery")),
    Scenario("note a silent job", Stack.running, lambda s: s.later("WatchdogFunction", 61), of_the_api=False),
    Scenario("move a timer", Stack.reporting, lambda s: s.later("WatchdogFunction", 61), of_the_api=False),
    Scenario("forget a timer", Stack.ended, lambda s: s.later("WatchdogFunction", 61), of_the_api=False),
    Scenario("keep for longer", Stack.lasting, lambda s: s.later("WatchdogFunction", LONG), of_the_api=False),
    Scenario("expire", Stack.subscribed, lambda s: s.later("ExpirerFunction", 9 * 3600), of_the_api=False),
)


READS = (
    _get("JobsFunction", "get-job"),
    _get("JobsFunction", "list-jobs"),
    _get("LogsFunction", "get-logs"),
    _get("ProgressFunction", "get-progress"),
    _get("TimelineFunction", "get-timeline"),
    _get("MetricsFunction", "get-metrics"),
    _get("DependenciesFunction", "get-dependencies"),
    _get("BatchFunction", "get-batch"),
    _get("QueueFunction", "get-queue"),
    _get("SubscriptionsFunction", "list-subscriptions"),
    Scenario("get-subscription", Stack.subscribed, lambda s: s.about("get-subscription")),
    Scenario("list-deliveries", Stack.delivered, lambda s: s.delivery("list-deliveries")),
)


def clear() -> None:
    """Empty the stack's tables and queues, and the caches of the functions."""
    events.jobs._cache.clear()
    embedded.empty()


def state() -> list[str]:
    """Return everything that is stored, without the parts that differ between runs: ids, times, marks, ciphertexts."""
    items = [
        f"{table} {_masked(json.dumps(_readable(item), sort_keys=True))}"
        for table in TEMPLATE.tables
        for item in DYNAMODB.scan(TableName=table, ConsistentRead=True)["Items"]
    ]
    return sorted(items) + [f"queue {_waiting(url)}" for url in _queues()]


def shown(answer: Json) -> str:
    """Return a response in the same form."""
    return _masked(json.dumps(answer, sort_keys=True))


def _queues() -> list[str]:
    return [NAMES.refs[name] for name in ("DeliveryQueue", "SlowDeliveryQueue")]


def _waiting(url: str) -> int:
    found = SQS.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return int(found["ApproximateNumberOfMessages"]) + int(found["ApproximateNumberOfMessagesDelayed"])


def _readable(item: Mapping[str, Any]) -> Json:
    return {name: _value(item, name) for name in item if name != "w"}


def _value(item: Mapping[str, Any], name: str) -> Any:
    ((kind, value),) = item[name].items()
    if kind != "B":
        return value
    if name == "secrets":
        job = JobKey.from_partition(item["pk"]["S"])
        secrets = Vault(KMS, NAMES.attributes["SecretsKey", "Arn"]).open(job, item["sk"]["S"], bytes(value))
        return [each.until for each in secrets.signing]
    if name == "record":
        return len(value)
    return packing.unpack(bytes(value))


_MASKS = (
    (r'"sealed": "[^"]*"', '"sealed": "_"'),
    (r'"payload": "(?:[^"\\]|\\.)*"', '"payload": "_"'),
    (r'"messages": \["(?:[^"\\]|\\.)*"\]', '"messages": "_"'),
    (r"whsec_[A-Za-z0-9+/=]+", "SECRET"),
    (r"ticket=[\w-]+", "TICKET"),
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID"),
    (r"\b[0-9a-f]{64}\b", "HASH"),
    (r"msg_\w+", "MESSAGE"),
    (r'"sk": "0#\d"', '"sk": "0#SHARD"'),
    (r'"sk": "C#\d{3}"', '"sk": "C#SHARD"'),
    (r"#[0-9a-f]{16}\b", "#NONCE"),
    (r"I#[0-9a-f]{32}", "I#KEY"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
    (r"\d{9,}(\.\d+)?", "TIME"),
    (r"(expiry|heartbeat|retention)#\d", r"\1#SHARD"),
    (r'"milliseconds": \d+', '"milliseconds": 0'),
    (r'content-length": "\d+"', 'content-length": "_"'),
)


def _masked(text: str) -> str:
    for pattern, mask in _MASKS:
        text = re.sub(pattern, mask, text)
    return text
