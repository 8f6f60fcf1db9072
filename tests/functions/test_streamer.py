"""The streamer: what a WebSocket subscription wants reaches its client in order, whatever happens on the way."""

from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobtrack.push import streamer
from jobtrack.push.leases import LEASE_SECONDS
from jobtrack.push.wakes import Wake
from jobtrack.reported import Event
from jobtrack.store import outbox
from tests.sockets import UNWANTED, WANTED, Client, SocketWorld, interrupting

pytestmark = pytest.mark.usefixtures("stack")


@pytest.fixture
def world() -> SocketWorld:
    made = SocketWorld()
    made.subscribe()
    return made


def connected(world: SocketWorld) -> Client:
    client = Client(world)
    client.connect(resume=False)
    return client


def all_told(world: SocketWorld, client: Client) -> None:
    world.dispatch()
    world.run()
    client.read()
    assert sorted(client.seen) == world.wanted


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
    assert [Wake.decode(body) for body in world.sqs.take()] == [Wake.of(world.stored(), 41)]


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
    world.clock.now += outbox.KEPT_SECONDS
    world.endings.subscriptions.dynamodb.update_item(
        TableName="SubscriptionsTable",
        Key={"pk": {"S": world.job.partition}, "sk": {"S": world.name}},
        UpdateExpression="SET expiresAt = :then",
        ExpressionAttributeValues={":then": {"N": str(int(world.clock()) + 3600)}},
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
    kept, _ = world.deliveries.page(world.name, 100, None)
    assert [(each.message_id, each.type) for each in reversed(kept)] == sent
    assert {each.delivery.status for each in kept} == {"Delivered"}
    assert [attempt.status_code for each in kept for attempt in each.delivery.attempts] == [200] * 30


def test_an_event_beyond_what_a_socket_carries_is_told_without_its_data() -> None:
    world = SocketWorld()
    world.subscribe(events=["log"])
    client = connected(world)
    text = "\x01" * 10_900  # an event of 64 KiB, told twice
    world.jobs.report(world.job, [Event("log", 1, {"level": "INFO", "message": text})])
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


def test_who_finds_another_streaming_comes_back_a_second_later(world: SocketWorld) -> None:
    client = connected(world)
    world.report(WANTED)
    world.dispatch()
    world.clock.now += 5
    lease = world.streamer.leases.take(Wake.of(world.stored()))
    assert lease
    for body in world.sqs.take():
        world.serve(body)
    assert {at - world.clock() for at, _ in world.sqs.waiting} == {1}
    world.streamer.leases.release(lease)
    world.run()
    client.read()
    assert client.told == [2]


def test_a_lease_whose_holder_died_ends(world: SocketWorld) -> None:
    client = connected(world)
    world.report(WANTED)
    world.dispatch()
    world.clock.now += 5
    start = world.clock()
    assert world.streamer.leases.take(Wake.of(world.stored()))
    all_told(world, client)
    assert client.told == [2]
    assert world.clock() - start >= LEASE_SECONDS


def test_who_loses_its_lease_to_nobody_goes_on(world: SocketWorld) -> None:
    client = connected(world)
    world.report(*[WANTED] * 10)
    world.dispatch()
    world.clock.now += 5

    def stand_still() -> None:
        world.clock.now += LEASE_SECONDS

    interrupting(world.gateway, 5, stand_still)
    world.serve(world.sqs.take()[0])
    world.sqs.waiting = world.sqs.waiting[-1:]
    all_told(world, client)


def test_who_has_streamed_for_long_hands_over(world: SocketWorld) -> None:
    client = connected(world)
    world.report(*[WANTED] * 40)
    world.dispatch()
    world.clock.now += 5

    def slow() -> None:
        world.clock.now += streamer.STREAM_SECONDS / 10

    world.gateway.step = slow
    for body in world.sqs.take():
        world.serve(body)
    client.read()
    assert 0 < len(client.told) <= 10
    assert world.sqs.waiting
    world.run(seconds=600)
    client.read()
    assert client.told == world.wanted


def test_gone_forgets_the_connection_and_keeps_the_position(world: SocketWorld) -> None:
    client = connected(world)
    world.report(WANTED)
    all_told(world, client)
    world.clock.now += 60
    client.drop(told=False)
    world.report(WANTED)
    world.dispatch()
    world.run()
    cursor = world.stored().cursor
    assert cursor
    assert (cursor.connection, cursor.position) == (None, 2)
    assert world.stored().status == "Active"
    client.connect(resume=False)
    all_told(world, client)


def test_a_connection_that_is_not_open_yet_is_not_gone(world: SocketWorld) -> None:
    world.report(WANTED)
    world.dispatch()
    client = connected(world)
    assert client.connection
    world.gateway.connected.clear()  # the function that lets it in has not answered
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
    interrupting(world.gateway, 6, lambda: world.endings.end(world.job, world.name, "deleted"))
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


def test_the_process_may_end_at_any_step(world: SocketWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wake comes again, as SQS brings what was not acknowledged; nothing is left out and no order broken."""
    monkeypatch.setattr(streamer, "BATCH", 2)
    for step in count():
        world = SocketWorld(world)
        world.subscribe()
        client = connected(world)
        world.report(*[WANTED] * 3)
        world.dispatch()
        world.clock.now += 5
        if not world.crash(step):
            break
        client.read()
        world.run(600)
        client.read()
        assert sorted(client.seen) == world.wanted
        assert len(client.told) <= len(world.wanted) + streamer.BATCH
    assert step >= 30


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("report"), st.lists(st.sampled_from([WANTED, WANTED, UNWANTED]), min_size=1, max_size=8)),
        st.tuples(st.just("dispatch"), st.booleans()),
        st.tuples(st.just("serve"), st.integers(0, 60)),
        st.tuples(st.just("crash"), st.integers(0, 60)),
        st.tuples(st.just("interrupt"), st.tuples(st.integers(1, 8), st.sampled_from(["drop", "connect", "expire"]))),
        st.tuples(st.just("fail"), st.lists(st.sampled_from(["ok", "refused", "unheard"]), max_size=4)),
        st.tuples(st.just("connect"), st.just(None)),
        st.tuples(st.just("drop"), st.booleans()),
        st.tuples(st.just("later"), st.integers(1, 40)),
    ),
    max_size=14,
)


class Story:
    """Lives through a list of operations with one client."""

    def __init__(self, before: SocketWorld) -> None:
        self.world = SocketWorld(before)
        self.world.subscribe()
        self.client = Client(self.world)

    def live(self, operation: str, told: Any) -> None:
        getattr(self, f"_{operation}")(told)
        self.client.read()

    def _report(self, kinds: list[str]) -> None:
        self.world.report(*kinds)

    def _dispatch(self, again: bool) -> None:
        self.world.dispatch(again)

    def _serve(self, seconds: int) -> None:
        self.world.run(seconds)

    def _crash(self, at: int) -> None:
        self.world.crash(at)

    def _interrupt(self, told: tuple[int, str]) -> None:
        at, act = told
        acts = {"drop": self._dropped, "connect": self._connect, "expire": self._lose_time}
        interrupting(self.world.gateway, at, acts[act])

    def _fail(self, failures: list[str]) -> None:
        self.world.gateway.failures = failures

    def _connect(self, _: None = None) -> None:
        self.client.connect(resume=self.client.greatest > 0)

    def _drop(self, told: bool) -> None:
        self.client.drop(told)

    def _dropped(self) -> None:
        self.client.drop(told=False)

    def _lose_time(self) -> None:
        """The process stands still for longer than its lease, and another takes over."""
        self.world.clock.now += LEASE_SECONDS + 1
        self.world.run(30)

    def _later(self, seconds: int) -> None:
        self.world.clock.now += seconds

    def end(self) -> None:
        """All goes well from now on, for a client that is connected or comes back."""
        self.world.gateway.failures = []
        self.world.gateway.step = lambda: None
        if self.client.connection not in self.world.gateway.connected:
            self._connect()
        self.world.dispatch()
        self.world.run(900)
        self.client.read()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations=OPERATIONS)
def test_who_resumes_at_the_greatest_sequence_it_saw_has_received_everything(
    operations: list[tuple[str, Any]], world: SocketWorld
) -> None:
    story = Story(world)
    for operation, told in operations:
        story.live(operation, told)
    story.end()
    assert sorted(story.client.seen) == story.world.wanted
    assert story.world.sqs.waiting == []
