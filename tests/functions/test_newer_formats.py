"""Items of a newer release: each reader refuses them with 503, or leaves them until that release runs again."""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from functions.schedule.watchdog import app as watchdog
from jobtrack import times
from jobtrack.errors import UnreadableFormat
from jobtrack.invocation import run
from jobtrack.push.delivery.delivery import Delivery, StoredDelivery
from jobtrack.push.delivery.endpoint_health_table import health_from_item
from jobtrack.push.dispatch.quarantine import load_record
from jobtrack.push.subscriptions.tickets import Ticket
from jobtrack.push.websockets.connection_table import ConnectionTable
from jobtrack.store import item_kinds as kinds
from jobtrack.store.item_kinds import FORMAT, KINDS, ItemKind, kind_of
from tests.functions.conftest import DYNAMODB, TEMPLATE, Context, Invoke
from tests.functions.project import STARTED, Project, project

Json = dict[str, Any]
Sample = Callable[[str], Json]
NEWER = {FORMAT: {"N": "2"}}


class World(Project):
    """A project with an item of most kinds."""

    def fill(self) -> None:
        """Create the jobs."""
        self.worker("node")
        self.past = self.job()
        self.report(self.past, STARTED, "jobCompleted")
        self.main = self.job(
            prerequisites=[{"jobId": self.past}], metadata={"text": random.Random(1).randbytes(800).hex()}
        )
        subscribe = {
            "subscriptionType": "webhook",
            "webhookUrl": "https://hook.example/",
            "events": ["jobStarted", "log"],
        }
        self.subscription = self.caller.post("job/{jobId}/subscribe", subscribe, self.main)["subscriptionId"]
        self.report(self.main, STARTED)
        for seed in range(34):
            text = random.Random(seed).randbytes(1000).hex()
            self.report(self.main, {"type": "log", "data": {"level": "INFO", "message": text}})


@pytest.fixture
def world(invoke: Invoke, sample: Sample, monkeypatch: pytest.MonkeyPatch) -> World:
    found = World(project(invoke, sample, monkeypatch).caller)
    found.at("10:30:00")
    found.fill()
    return found


@pytest.fixture(autouse=True)
def forget_newer_items(stack: None) -> Any:
    """Remove what the test made unreadable, since the stack looks for such items when it ends."""
    yield
    for table in TEMPLATE.tables:
        for item in DYNAMODB.scan(TableName=table)["Items"]:
            if item.get(FORMAT) == NEWER[FORMAT]:
                DYNAMODB.delete_item(TableName=table, Key={name: item[name] for name in ("pk", "sk")})


def renew(kind: ItemKind) -> int:
    """Store every item of a kind as a newer release would, with a new version; return how many there are."""
    items = [item for item in DYNAMODB.scan(TableName=kind.table)["Items"] if kind_of(kind.table, item) is kind]
    for item in items:
        version = {"v": {"N": str(int(item["v"]["N"]) + 1)}} if "v" in item else {}
        DYNAMODB.put_item(TableName=kind.table, Item={**item, **version, **NEWER})
    return len(items)


def ask(function: str, method: str, route: str, body: Any = None, **query: Any) -> Callable[[World], Json]:
    def call(world: World) -> Json:
        ids = {"job": world.main, "subscription": world.subscription}
        return dict(world.ask(function, method, route.format(**ids), body, **query))

    return call


def create_again(world: World) -> Json:
    return dict(world.ask("JobsFunction", "POST", "jobs", {"jobId": world.past, "jobName": "x", "jobType": "Test"}))


REQUESTS = {
    kinds.SNAPSHOT: ask("ProgressFunction", "GET", "job/{job}/progress"),
    kinds.CHUNK: ask("LogsFunction", "GET", "job/{job}/logs"),
    kinds.SEQUENCE_INDEX: ask("LogsFunction", "GET", "job/{job}/logs", sinceSequence=1),
    kinds.RELATIONS: ask("DependenciesFunction", "GET", "job/{job}/dependencies"),
    kinds.EXTRAS: ask("JobsFunction", "GET", "job/{job}"),
    kinds.FIRST_RESPONSE: create_again,
    kinds.WORKER: ask("QueueFunction", "GET", "queue"),
    kinds.OPEN_JOB_COUNTER: ask("QueueFunction", "GET", "queue"),
    kinds.DURATION_COUNTER: ask("JobsFunction", "POST", "jobs", {"jobName": "x", "jobType": "Test"}),
    kinds.COMPLETION: ask("JobsFunction", "POST", "jobs", {"jobName": "x", "jobType": "Test"}),
    kinds.EDGE: lambda world: dict(world.ask("DependenciesFunction", "GET", f"job/{world.past}/dependencies")),
    kinds.SUBSCRIPTION: ask("SubscriptionsFunction", "GET", "subscription/{subscription}"),
    kinds.POINTER: ask("SubscriptionsFunction", "GET", "subscription/{subscription}"),
}
DECODERS: dict[ItemKind, list[Callable[[Any], object]]] = {
    kinds.TICKET: [Ticket.from_item],
    kinds.CONNECTION: [lambda item: ConnectionTable(Reads(item), "").find_subscription("c")],  # type: ignore[arg-type]
    kinds.DELIVERY: [Delivery.from_item, StoredDelivery.from_item],
    kinds.ENDPOINT_HEALTH: [health_from_item],
    kinds.QUARANTINED_RECORD: [load_record],
}
ELSEWHERE = {kinds.OUTBOX_RECORD, kinds.JOB_TIMER, kinds.SUBSCRIPTION_TIMER}


class Reads:
    """A client of DynamoDB that returns one item."""

    def __init__(self, item: Json) -> None:
        self.item = item

    def get_item(self, **_: object) -> Json:
        return {"Item": self.item}


def test_every_kind_is_tested() -> None:
    assert {*REQUESTS, *DECODERS, *ELSEWHERE} == {*KINDS}


@pytest.mark.parametrize("kind", REQUESTS, ids=lambda kind: kind.name)
def test_a_request_that_reads_a_newer_item_gets_503(
    kind: ItemKind, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    assert REQUESTS[kind](world)["statusCode"] in (200, 201, 409)
    assert renew(kind)
    response = REQUESTS[kind](world)
    body = json.loads(response["body"])
    assert (response["statusCode"], body["code"], response["headers"]["retry-after"]) == (503, "unavailable", "2")
    assert f"{kind.name} " in caplog.text
    assert "has format 2; this release reads (1,)" in caplog.text


@pytest.mark.parametrize("kind", DECODERS, ids=lambda kind: kind.name)
def test_a_newer_item_is_not_decoded(kind: ItemKind) -> None:
    for decode in DECODERS[kind]:
        with pytest.raises(UnreadableFormat):
            decode({"pk": {"S": "a"}, "sk": {"S": "b"}, **NEWER})


def test_a_report_to_a_newer_snapshot_stores_nothing(world: World) -> None:
    assert renew(kinds.SNAPSHOT)
    before = DYNAMODB.scan(TableName="JobsTable")["Items"]
    response = ask("EventsFunction", "POST", "job/{job}/events", {"events": [{"type": "heartbeat", "data": {}}]})(world)
    assert response["statusCode"] == 503
    assert DYNAMODB.scan(TableName="JobsTable")["Items"] == before


def test_newer_timers_are_left_to_the_newer_release(
    world: World, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.report(world.job(heartbeatSeconds=10), STARTED)
    assert renew(kinds.JOB_TIMER)
    readable = world.job(heartbeatSeconds=10)
    world.report(readable, STARTED)
    world.caller.now += 60 * times.SECOND
    for part in (watchdog._watchdog, watchdog._watchdog.jobs):
        monkeypatch.setattr(part, "now", lambda: world.caller.now)
    run(watchdog._watchdog.run, context)
    timers = [item for item in DYNAMODB.scan(TableName="JobsTable")["Items"] if "heartbeat#" in item["pk"]["S"]]
    assert [item[FORMAT] for item in timers] == [NEWER[FORMAT]]
    assert world.get("JobsFunction", f"job/{readable}")["stalled"]
