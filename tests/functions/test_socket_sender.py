"""Messages of the queue to WebSocket subscriptions: pings, `subscriptionEnded`, redeliveries."""

import pytest

from jobtrack.push.delivery.delivery import Delivery
from jobtrack.push.delivery.retry_schedule import FIRST_DELAY_SECONDS
from jobtrack.push.messages.message import PING, Message
from jobtrack.push.subscriptions.message_factory import service_message
from jobtrack.times import add_seconds
from tests.socket_client import Client
from tests.sockets import WANTED, SocketWorld

pytestmark = pytest.mark.usefixtures("stack")


@pytest.fixture
def world() -> SocketWorld:
    made = SocketWorld()
    made.subscribe()
    return made


def connected(world: SocketWorld) -> Client:
    client = Client(world)
    client.connect(resume=False)
    world.clock.pass_by(60)
    return client


def ping(world: SocketWorld) -> Message:
    message = service_message(PING, world.stored(), world.jobs.read_snapshot(world.job).job, world.clock(), "n")
    world.deliverer.deliver(message)
    return message


def delivery(world: SocketWorld, message: Message) -> Delivery:
    return world.deliveries.read_delivery(message)


def test_a_ping_is_told_to_who_is_connected(world: SocketWorld) -> None:
    client = connected(world)
    sent = ping(world)
    [message] = client.read()
    assert (message["id"], message["type"], message["data"]["sequence"]) == (sent.message_id, "ping", None)
    assert [(each.status_code, each.error) for each in delivery(world, sent).attempts] == [(200, None)]
    assert delivery(world, sent).status == "Delivered"


def test_without_a_connection_it_waits_by_the_schedule(world: SocketWorld) -> None:
    sent = ping(world)
    assert delivery(world, sent).status == "Pending"
    assert [each.error for each in delivery(world, sent).attempts] == ["no client is connected"]
    assert [at for at, _ in world.sqs.waiting] == [add_seconds(world.clock(), FIRST_DELAY_SECONDS[0])]
    client = connected(world)
    world.run()
    assert [message["id"] for message in client.read()] == [sent.message_id]


@pytest.mark.parametrize("failure", ["refused", "unheard"])
def test_what_was_not_taken_is_tried_again(failure: str, world: SocketWorld) -> None:
    client = connected(world)
    world.gateway.failures = [failure]
    sent = ping(world)
    assert delivery(world, sent).status == "Pending"
    world.run()
    assert {message["id"] for message in client.read()} == {sent.message_id}
    assert delivery(world, sent).status == "Delivered"


def test_a_connection_that_is_gone_ends_no_subscription(world: SocketWorld) -> None:
    client = connected(world)
    client.drop(told=False)
    sent = ping(world)
    stream = world.stored().stream
    assert stream
    assert (world.stored().status, stream.connection) == ("Active", None)
    assert [each.error for each in delivery(world, sent).attempts] == ["the connection is gone"]


def test_the_end_is_told_and_the_connection_closed(world: SocketWorld) -> None:
    client = connected(world)
    world.ender.end(world.job, world.name, "deleted")
    world.dispatch()
    world.run()
    assert [(message["type"], message["data"]["reason"]) for message in client.read()] == [
        ("subscriptionEnded", "deleted")
    ]
    assert world.gateway.closed == [client.connection]


def test_a_retry_by_hand_comes_as_it_is_asked_for(world: SocketWorld) -> None:
    client = connected(world)
    world.report(WANTED, WANTED)
    world.dispatch()
    world.run()
    first, _ = client.read()
    kept = world.deliveries.find_delivery(world.name, first["id"])
    assert kept
    world.dynamodb.transact_write_items(TransactItems=[world.deliveries.reopen_action(kept, world.name)])
    world.deliverer.deliver(kept.redelivery(world.stored(), world.clock()))
    assert client.read() == [first]
    stream = world.stored().stream
    assert stream
    assert stream.position == 3
