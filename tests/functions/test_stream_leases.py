"""One process at a time streams to a subscription: busy leases, expired leases, and handing over."""

import pytest

from jobtrack.push.subscriptions.message_factory import new_wake
from jobtrack.push.websockets import streamer
from jobtrack.push.websockets.stream_leases import LEASE_SECONDS
from jobtrack.times import add_seconds, seconds_between
from tests.socket_client import all_told, connected, interrupting
from tests.sockets import WANTED, SocketWorld

pytestmark = pytest.mark.usefixtures("stack")


@pytest.fixture
def world() -> SocketWorld:
    made = SocketWorld()
    made.subscribe()
    return made


def test_who_finds_another_streaming_comes_back_a_second_later(world: SocketWorld) -> None:
    client = connected(world)
    world.report(WANTED)
    world.dispatch()
    world.clock.pass_by(5)
    lease = world.streamer.leases.acquire(new_wake(world.stored()))
    assert lease
    for body in world.sqs.take():
        world.serve(body)
    assert {at for at, _ in world.sqs.waiting} == {add_seconds(world.clock(), 1)}
    world.streamer.leases.release(lease)
    world.run()
    client.read()
    assert client.told == [2]


def test_a_lease_whose_holder_died_ends(world: SocketWorld) -> None:
    client = connected(world)
    world.report(WANTED)
    world.dispatch()
    world.clock.pass_by(5)
    start = world.clock()
    assert world.streamer.leases.acquire(new_wake(world.stored()))
    all_told(world, client)
    assert client.told == [2]
    assert seconds_between(start, world.clock()) >= LEASE_SECONDS


def test_who_loses_its_lease_to_nobody_goes_on(world: SocketWorld) -> None:
    client = connected(world)
    world.report(*[WANTED] * 10)
    world.dispatch()
    world.clock.pass_by(5)

    def stand_still() -> None:
        world.clock.pass_by(LEASE_SECONDS)

    interrupting(world.gateway, 5, stand_still)
    world.serve(world.sqs.take()[0])
    world.sqs.waiting = world.sqs.waiting[-1:]
    all_told(world, client)


def test_who_has_streamed_for_long_hands_over(world: SocketWorld) -> None:
    client = connected(world)
    world.report(*[WANTED] * 40)
    world.dispatch()
    world.clock.pass_by(5)

    def slow() -> None:
        world.clock.pass_by(streamer.STREAM_SECONDS / 10)

    world.gateway.step = slow
    for body in world.sqs.take():
        world.serve(body)
    client.read()
    assert 0 < len(client.told) <= 10
    assert world.sqs.waiting
    world.run(seconds=600)
    client.read()
    assert client.told == world.wanted
