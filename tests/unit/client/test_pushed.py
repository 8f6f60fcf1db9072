"""Events over WebSockets that are cut anywhere: each once, in order, until the job ends."""

import json
from collections.abc import Generator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import jobtrack_client as jt
from tests.unit.client.service import GUID, problem

SUBSCRIPTION = "sub-1"
ENDED = {"type": "subscriptionEnded", "data": {"sequence": None, "reason": "expired"}}
PING = {"type": "ping", "data": {"sequence": None}}
REFUSED = {"type": "refused", "data": {"code": "invalid", "detail": "what?"}}
cuts = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), st.booleans()), max_size=8)


class Socket:
    """A job of events 2, 4, 6 …, pushed over connections that may be cut and may repeat earlier events."""

    def __init__(self, count: int, cuts: list[tuple[int, int, bool]]) -> None:
        self.events: list[dict[str, Any]] = [
            {"type": "progressUpdate", "data": {"sequence": 2 * n + 2}} for n in range(count)
        ]
        self.events.append({"type": "jobCompleted", "data": {"sequence": 2 * count + 2}})
        self._cuts = iter(cuts)
        self.position = 0
        self.resumed: list[int | None] = []
        self.requests: list[httpx.Request] = []
        self.urls: list[str] = []
        self.ended = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.method == "DELETE":
            return httpx.Response(204)
        if request.url.path.endswith("/ticket"):
            return (
                problem(409) if self.ended else httpx.Response(200, json={"websocketUrl": f"ws://x/{len(self.urls)}"})
            )
        return httpx.Response(201, json={"subscriptionId": SUBSCRIPTION, "websocketUrl": "ws://x/0"})

    def messages(self, url: str, since: int | None, timeout: float) -> Generator[dict[str, Any], None, None]:
        self.urls.append(url)
        self.resumed.append(since)
        length, repeats, cleanly = next(self._cuts, (len(self.events) + 1, 0, True))
        if since is not None:
            self.position = sum(event["data"]["sequence"] <= since for event in self.events)
        start = max(0, self.position - repeats)
        yield from (PING, REFUSED)
        for event in self.events[start : start + length]:
            self.position = self.events.index(event) + 1
            yield event
        if not cleanly:
            raise jt.Unreachable("lost")


def client(socket: Socket) -> jt.Client:
    return jt.Client(
        *("http://x", "t", GUID, GUID),
        transport=httpx.MockTransport(socket),
        messages=socket.messages,
        attempts=2,
        sleep=lambda seconds: None,
    )


@given(st.integers(0, 6), cuts, st.none() | st.just(0))
def test_each_event_comes_once_and_in_order(
    count: int, cuts: list[tuple[int, int, bool]], since_sequence: int | None
) -> None:
    socket = Socket(count, cuts)
    with client(socket) as api:
        pushed = [message["data"]["sequence"] for message in api.events(GUID, since_sequence=since_sequence)]
    assert pushed == [event["data"]["sequence"] for event in socket.events]
    assert socket.resumed[0] == since_sequence
    assert len(set(socket.urls)) == len(socket.urls), "a ticket opens one connection"
    assert (socket.requests[-1].method, socket.requests[-1].url.path.rpartition("/")[2]) == ("DELETE", SUBSCRIPTION)


@pytest.mark.parametrize("event", [ENDED, None])
def test_a_subscription_that_ended_ends_the_walk(event: dict[str, Any] | None) -> None:
    socket = Socket(3, [(2, 0, True)])
    socket.ended = True
    if event is not None:
        socket.events[1] = event
    with client(socket) as api:
        assert [message["data"]["sequence"] for message in api.events(GUID)] == ([2, 4] if event is None else [2])


def test_how_the_job_ended_is_always_among_the_events() -> None:
    socket = Socket(0, [])
    with client(socket) as api:
        assert [message["type"] for message in api.events(GUID, ["milestone", "jobFailed"])] == ["jobCompleted"]
    wanted = json.loads(socket.requests[0].content)
    assert wanted["events"] == ["milestone", "jobFailed", "jobCompleted", "jobCancelled"]
    assert wanted["subscriptionType"] == "websocket"


def test_who_leaves_early_leaves_no_subscription() -> None:
    socket = Socket(5, [])
    with client(socket) as api:
        pushed = api.events(GUID)
        next(pushed)
        del pushed
        assert socket.requests[-1].method == "DELETE"
