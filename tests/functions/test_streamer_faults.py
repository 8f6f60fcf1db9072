"""The streamer under faults: processes that end, connections that drop, posts that fail, leases that expire."""

import logging
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobtrack.push.messages.message import Message
from jobtrack.push.websockets import socket_sender, streamer
from jobtrack.push.websockets.stream_leases import LEASE_SECONDS
from jobtrack.times import seconds_between
from tests.pushing import Crash, crashing
from tests.socket_client import Client, all_told, connected, interrupting
from tests.sockets import UNWANTED, WANTED, SocketWorld

pytestmark = pytest.mark.usefixtures("stack")


@pytest.fixture
def world() -> SocketWorld:
    made = SocketWorld()
    made.subscribe()
    return made


def test_the_process_may_end_at_any_step(world: SocketWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQS delivers the unacknowledged wake again; no event is missing or out of order."""
    monkeypatch.setattr(streamer, "BATCH", 2)
    for step in count():
        world = SocketWorld(world)
        world.subscribe()
        client = connected(world)
        world.report(*[WANTED] * 3)
        world.dispatch()
        world.clock.pass_by(5)
        if not world.crash(step):
            break
        client.read()
        world.run(600)
        client.read()
        assert sorted(client.seen) == world.wanted
        assert len(client.told) <= len(world.wanted) + streamer.BATCH
    assert step >= 30


def test_a_fault_of_ours_is_logged_and_the_wake_comes_again_soon(
    world: SocketWorld, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    faults = iter([OverflowError("odd"), KeyError("odd")])

    def socket_text(message: Message) -> str:
        if fault := next(faults, None):
            raise fault
        return socket_sender.socket_text(message)

    monkeypatch.setattr(streamer, "socket_text", socket_text)
    client = connected(world)
    world.report(WANTED, WANTED)
    began = world.clock.now
    all_told(world, client)
    assert client.told == world.wanted
    assert seconds_between(began, world.clock.now) < LEASE_SECONDS
    logged = [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR]
    assert logged == [f"subscription {world.name} could not be streamed to"] * 2


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
    """Runs a list of operations with one client."""

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
        """The process pauses for longer than its lease, and another takes over."""
        self.world.clock.pass_by(LEASE_SECONDS + 1)
        self.world.run(30)

    def _later(self, seconds: int) -> None:
        self.world.clock.pass_by(seconds)

    def end(self) -> None:
        """From now on nothing fails, for a client that is connected or reconnects."""
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


def test_the_process_that_serves_a_resume_may_end_at_any_step(world: SocketWorld) -> None:
    """Events after a position are sent once it was set, even if the client sends nothing more."""
    for step in count():
        world = SocketWorld(world)
        world.subscribe()
        client = connected(world)
        world.report(*[WANTED] * 4)
        all_told(world, client)
        world.clock.pass_by(60)
        ended = _ends(world, step, partial(client.resume, 3))
        stream = world.stored().stream
        rewound = stream is not None and stream.position == 3
        world.run()
        client.read()
        assert client.told == [2, 3, 4, 5] + ([4, 5] if rewound else [])
        if not ended:
            break
    assert rewound
    assert step >= 8


def test_the_process_that_lets_a_client_in_may_end_at_any_step(world: SocketWorld) -> None:
    """API Gateway then opens no connection: the client returns with another ticket."""
    for step in count():
        world = SocketWorld(world)
        world.subscribe()
        world.report(WANTED, WANTED)
        ticket = world.ticket()
        ended = _ends(world, step, partial(world.connections.connect, ticket, "never-opened"))
        if not ended:
            break
        client = connected(world)
        all_told(world, client)
    assert step >= 8


def _ends(world: SocketWorld, at: int, act: Callable[[], None]) -> bool:
    """Whether the process ended at a step of the action."""
    with crashing(at, world.dynamodb, fakes=(world.sqs, world.gateway)):
        try:
            act()
        except Crash:
            return True
    return False
