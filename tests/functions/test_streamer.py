"""The streamer: the wanted events of a WebSocket subscription reach its client in order, whatever fails."""

import pytest

from jobtrack import times
from jobtrack.domain.events import Event
from jobtrack.push.messages.wake import Wake
from jobtrack.push.subscriptions.message_factory import new_wake
from jobtrack.store import outbox
from jobtrack.times import Micros
from tests.socket_client import all_told, connected, interrupting
from tests.sockets import UNWANTED, WANTED, SocketWorld

pytestmark = pytest.mark.usefixtures("stack")


@pytest.fixture
def world() -> SocketWorld:
    made = SocketWorld()
    made.subscribe()
    return made


def test_what_is_wanted_comes_in_the_order_of_its_sequences(world: SocketWorld) -> None:
    client = connected(world)
    world.report(WANTED, UNWANTED, WANTED)
    world.report(UNWANTED)
    world.report(*[WANTED] * 60)
    all_told(world, client)
    assert client.told == world.wanted


def test_a_message_is_the_webhooks_with_its_id(world: SocketWorld) -> None:
    client = connected(world)
    world.report(WANTED)
    world.dispatch()
    world.run()
    [message] = client.read()
    assert list(message) == ["id", "type", "timestamp", "data"]
    assert message["id"].startswith("msg_000000000002_")
    assert (message["type"], message["data"]["event"]) == ("milestone", {"description": "m"})
    assert message["data"]["subscriptionId"] == world.name


def test_one_wake_for_a_batch_however_many_events_it_has(world: SocketWorld) -> None:
    connected(world)
    world.sqs.waiting.clear()
    world.report(*[WANTED] * 40, UNWANTED)
    world.report(UNWANTED)
    world.dispatch()
    assert [Wake.decode(body) for body in world.sqs.take()] == [new_wake(world.stored(), 41)]


def test_what_happens_before_the_first_connection_waits_for_it(world: SocketWorld) -> None:
    world.report(WANTED, WANTED)
    world.dispatch()
    assert world.sqs.waiting == []
    client = connected(world)
    all_told(world, client)
    assert client.told == world.wanted


@pytest.mark.parametrize(("since", "told"), [(None, [5]), (0, [2, 3, 5]), (2, [3, 5]), (4, [5]), (99, [5])])
def test_what_happened_before_the_subscription_comes_if_asked_for(since: int | None, told: list[int]) -> None:
    world = SocketWorld()
    world.report(WANTED, WANTED, UNWANTED)
    world.subscribe(since=since)
    client = connected(world)
    world.report(WANTED)
    world.dispatch()
    world.run()
    world.wanted = told
    client.read()
    assert client.told == told


def test_a_later_connection_is_quiet_until_it_says_where_it_resumes(world: SocketWorld) -> None:
    client = connected(world)
    world.report(WANTED, WANTED)
    all_told(world, client)
    client.drop()
    world.report(WANTED)
    world.dispatch()
    client.connect(resume=False)
    world.run(seconds=1.5)
    assert client.read() == []
    client.resume(2)
    world.run(seconds=0.1)
    assert [message["data"]["sequence"] for message in client.read()] == [3, 4]


def test_a_later_connection_that_says_nothing_goes_on_from_the_position(world: SocketWorld) -> None:
    client = connected(world)
    world.report(WANTED)
    all_told(world, client)
    client.drop()
    world.report(WANTED)
    world.dispatch()
    client.connect(resume=False)
    all_told(world, client)
    assert client.told == [2, 3]


def test_what_is_older_than_the_outbox_comes_from_the_journal(world: SocketWorld) -> None:
    client = connected(world)
    world.report(WANTED, UNWANTED, WANTED)
    all_told(world, client)
    client.drop()
    world.clock.pass_by(outbox.KEPT_SECONDS)
    world.ender.subscriptions.dynamodb.update_item(
        TableName="SubscriptionsTable",
        Key={"pk": {"S": world.job.partition}, "sk": {"S": world.name}},
        UpdateExpression="SET expiresAt = :then",
        ExpressionAttributeValues={":then": {"N": str(times.add_seconds(world.clock(), 3600))}},
    )
    world.report(WANTED)
    for item in world.outbox():
        world.dynamodb.delete_item(TableName="JobsTable", Key={name: item[name] for name in ("pk", "sk")})
    client.told.clear()
    client.connect(resume=False)
    client.resume(2)
    world.run()
    client.read()
    assert client.told == [4, 5]


def test_every_message_is_a_delivery(world: SocketWorld) -> None:
    client = connected(world)
    world.report(*[WANTED] * 30)
    world.dispatch()
    world.run()
    sent = [(message["id"], message["type"]) for message in client.read()]
    kept, _ = world.deliveries.read_page(world.name, 100, None)
    assert [(each.message_id, each.type) for each in reversed(kept)] == sent
    assert {each.delivery.status for each in kept} == {"Delivered"}
    assert [attempt.status_code for each in kept for attempt in each.delivery.attempts] == [200] * 30


def test_an_event_beyond_what_a_socket_carries_is_told_without_its_data() -> None:
    world = SocketWorld()
    world.subscribe(events=["log"])
    client = connected(world)
    text = "\x01" * 10_900  # an event of 64 KiB, sent twice
    world.jobs.report(world.job, [Event("log", Micros(1), {"level": "INFO", "message": text})])
    world.dispatch()
    world.run()
    [message] = client.read()
    assert message["data"]["truncated"] is True
    assert (message["data"]["event"], message["data"]["description"]) == ({}, text)


def test_a_wake_that_comes_again_tells_nothing_again(world: SocketWorld) -> None:
    client = connected(world)
    world.report(WANTED)
    all_told(world, client)
    world.dispatch(again=True)
    world.dispatch(again=True)
    world.run()
    assert client.read() == []
    assert client.told == [2]


def test_gone_forgets_the_connection_and_keeps_the_position(world: SocketWorld) -> None:
    client = connected(world)
    world.report(WANTED)
    all_told(world, client)
    world.clock.pass_by(60)
    client.drop(told=False)
    world.report(WANTED)
    world.dispatch()
    world.run()
    stream = world.stored().stream
    assert stream
    assert (stream.connection, stream.position) == (None, 2)
    assert world.stored().status == "Active"
    client.connect(resume=False)
    all_told(world, client)


def test_a_connection_that_is_not_open_yet_is_not_gone(world: SocketWorld) -> None:
    world.report(WANTED)
    world.dispatch()
    client = connected(world)
    assert client.connection
    world.gateway.connected.clear()  # the connect function has not returned yet
    world.run(seconds=2.5)
    world.gateway.connected.add(client.connection)
    all_told(world, client)


@pytest.mark.parametrize("failure", ["refused", "unheard"])
def test_what_was_not_taken_is_posted_again(failure: str, world: SocketWorld) -> None:
    client = connected(world)
    world.report(*[WANTED] * 5)
    world.gateway.failures = ["ok", "ok", failure, failure]
    all_told(world, client)


def test_nothing_is_posted_after_the_end(world: SocketWorld) -> None:
    client = connected(world)
    world.report(*[WANTED] * 10)
    world.dispatch()
    interrupting(world.gateway, 6, lambda: world.ender.end(world.job, world.name, "deleted"))
    world.run()
    client.read()
    assert client.told == [2, 3, 4]


def test_nothing_is_posted_after_the_subscription_expired(world: SocketWorld) -> None:
    client = connected(world)
    world.report(*[WANTED] * 10)
    world.dispatch()

    def expire() -> None:
        world.clock.now = world.stored().expires_at

    interrupting(world.gateway, 4, expire)
    world.run()
    client.read()
    assert client.told == [2, 3]


def test_a_newer_connection_takes_over_in_the_middle(world: SocketWorld) -> None:
    client = connected(world)
    world.report(*[WANTED] * 10)
    world.dispatch()
    interrupting(world.gateway, 6, lambda: client.connect(resume=True))
    all_told(world, client)
    assert len(world.gateway.closed) == 1
