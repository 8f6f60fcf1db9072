"""Following a job over a real WebSocket: what arrives, in which order, and that nothing is missing."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from jobtrack_demo.receiver import Receiver
from tests.e2e.engine import Kept
from tests.e2e.following import drop, following, refused, rest, sequences, silent, subscribed, ticket, told
from tests.e2e.receiving import Recorder, answered, deliveries, milestone, until
from tests.e2e.receiving import subscribed as subscribed_by_webhook
from tests.e2e.reporting import Json, event, line, problem, reported, started
from tests.e2e.running import Service, running

EVENTS = 1000
DROPS = 10


@pytest.fixture
def api(hurried: Service) -> Iterator[httpx.Client]:
    with hurried.client() as client:
        yield client


def test_each_event_is_told_as_a_webhook_tells_it(api: httpx.Client) -> None:
    job, recorder = started(api), Recorder()
    wanted = ("milestone", "warning", "stageStarted", "stageCompleted", "jobCompleted")
    with Receiver(recorder) as receiver:
        subscribed_by_webhook(api, job, receiver.url, *wanted)
        made = subscribed(api, job, *wanted)
        assert (made["webhookUrl"], "signingSecret" in made) == (None, False)
        reported(api, job, event("stageStarted"), milestone(1), line("careful", level="WARN"), line("not wanted"))
        with following(made["websocketUrl"]) as client:
            reported(api, job, event("stageCompleted"), event("jobCompleted"))
            found = told(client, 5)
        recorder.await_requests(5)
    assert sequences(found) == [3, 4, 5, 7, 8]
    webhooks = {body["data"]["sequence"]: body for body in recorder.bodies()}
    for message in found:
        told_by_webhook = webhooks[message["data"]["sequence"]]
        told_by_webhook["data"]["subscriptionId"] = made["subscriptionId"]
        assert {name: message[name] for name in message if name != "id"} == told_by_webhook
    until(lambda: len(deliveries(api, made["subscriptionId"])) == 5)
    listed = {each["sequence"]: each for each in deliveries(api, made["subscriptionId"])}
    assert [message["id"] for message in found] == [listed[each]["messageId"] for each in sequences(found)]
    assert {each["status"] for each in listed.values()} == {"Delivered"}


def test_a_ticket_opens_one_connection(api: httpx.Client) -> None:
    made = subscribed(api, started(api), "milestone")
    with following(made["websocketUrl"]):
        assert refused(made["websocketUrl"]) == 401
    bare, _, shown = made["websocketUrl"].partition("?ticket=")
    for junk in (
        "",
        "?ticket=",
        f"?ticket={shown[:-1]}",
        "?ticket=%00%ff",
        f"?Ticket={shown}",
        f"?ticket={'x' * 4000}",
    ):
        assert refused(bare + junk) == 401
    again = ticket(api, made["subscriptionId"])
    with following(again):
        assert refused(again) == 401


def test_a_ticket_does_not_keep(hurried: Service, api: httpx.Client) -> None:
    made, kept = subscribed(api, started(api), "milestone"), Kept(hurried)
    [item] = [
        each
        for each in kept.items("SubscriptionsTable")
        if each["pk"]["S"].startswith("ticket#") and each["subscription"]["S"] == made["subscriptionId"]
    ]
    assert int(item["exp"]["N"]) <= time.time() + 60
    old = {**item, "exp": {"N": str(int(time.time()))}}
    kept.dynamodb.put_item(TableName=kept.names["SubscriptionsTable"], Item=old)
    assert refused(made["websocketUrl"]) == 401


def test_a_ping_arrives(api: httpx.Client) -> None:
    made = subscribed(api, started(api), "milestone")
    with following(made["websocketUrl"]) as client:
        owed = answered(api.post(f"/subscription/{made['subscriptionId']}/test"), 202)["messageId"]
        [ping] = told(client, 1)
    assert (ping["id"], ping["type"], ping["data"]["sequence"]) == (owed, "ping", None)


def test_what_happened_before_it_connected_is_told_first(api: httpx.Client) -> None:
    job = started(api)
    reported(api, job, *(milestone(number) for number in range(30)))
    made = subscribed(api, job, "milestone", sinceSequence=12)
    last = reported(api, job, *(milestone(number) for number in range(30)))
    with following(made["websocketUrl"]) as client:
        found = told(client, last - 12)
        reported(api, job, milestone(0))
        found += told(client, 1)
    assert sequences(found) == list(range(13, last + 2))


@pytest.mark.not_deployed("ministack takes a post to a connection that its client has just closed")
def test_whoever_does_not_resume_goes_on_where_it_was(api: httpx.Client) -> None:
    job = started(api)
    made = subscribed(api, job, "milestone")
    with following(made["websocketUrl"]) as client:
        last = reported(api, job, *(milestone(number) for number in range(10)))
        assert sequences(told(client, 10))[-1] == last
        until(lambda: len(deliveries(api, made["subscriptionId"])) == 10)
    reported(api, job, *(milestone(number) for number in range(10)))
    with following(ticket(api, made["subscriptionId"])) as client:
        assert sequences(told(client, 10)) == list(range(last + 1, last + 11))


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "{",
        '{"action": "resume"}',
        '{"action": "resume", "sinceSequence": -1}',
        '{"action": "resume", "sinceSequence": 1.5}',
        '{"action": "resume", "sinceSequence": 99}',
        '{"action": "sleep"}',
        b"\xff",
    ],
    ids=repr,
)
def test_what_a_client_should_not_send_is_answered(api: httpx.Client, sent: str | bytes) -> None:
    job = started(api)
    with following(subscribed(api, job, "milestone")["websocketUrl"]) as client:
        client.send(sent)
        [answer] = told(client, 1)
        assert (answer["type"], answer["data"]["code"]) == ("refused", "unprocessable")
        last = reported(api, job, milestone(1))
        assert sequences(told(client, 1)) == [last]


def test_deleted_it_says_so_and_closes(api: httpx.Client) -> None:
    job = started(api)
    made = subscribed(api, job, "milestone")
    path = f"/subscription/{made['subscriptionId']}"
    with following(made["websocketUrl"]) as client:
        reported(api, job, milestone(1))
        found = told(client, 1)
        assert api.delete(path).status_code == 204
        reported(api, job, milestone(2))
        found += rest(client)
        assert client.close_code == 1000
    assert [message["type"] for message in found] == ["milestone", "subscriptionEnded"]
    assert (found[-1]["data"]["reason"], found[-1]["data"]["sequence"]) == ("deleted", None)
    problem(api.post(f"{path}/ticket"), 409, "conflict")


def test_deleted_in_flight_nothing_follows_the_word_of_the_end(api: httpx.Client) -> None:
    job = started(api)
    made = subscribed(api, job, "milestone")
    with following(made["websocketUrl"]) as client:
        last = reported(api, job, *(milestone(number) for number in range(500)))
        found = told(client, 20)
        assert api.delete(f"/subscription/{made['subscriptionId']}").status_code == 204
        found += rest(client)
    assert [message["type"] for message in found].index("subscriptionEnded") == len(found) - 1
    events = sequences(found)[:-1]
    assert events == list(range(3, 3 + len(events)))
    assert events[-1] < last, "it was deleted after the last event had been told: nothing was in flight"
    assert refused(made["websocketUrl"]) == 401


def test_expired_it_says_so_and_closes(api: httpx.Client) -> None:
    job = started(api)
    made = subscribed(api, job, "milestone", expiresInSeconds=5)
    with following(made["websocketUrl"]) as client:
        reported(api, job, milestone(1))
        found = rest(client)
        reported(api, job, milestone(2))
    assert [message["type"] for message in found] == ["milestone", "subscriptionEnded"]
    assert found[-1]["data"]["reason"] == "expired"
    problem(api.post(f"/subscription/{made['subscriptionId']}/ticket"), 409, "conflict")


def test_a_newer_connection_takes_the_place_of_the_older(api: httpx.Client) -> None:
    job = started(api)
    made = subscribed(api, job, "milestone")
    with following(made["websocketUrl"]) as older, following(ticket(api, made["subscriptionId"])) as newer:
        assert rest(older) == []
        last = reported(api, job, milestone(1))
        assert sequences(told(newer, 1)) == [last]


def test_tenants_with_the_same_job_are_told_each_their_own(hurried: Service) -> None:
    job = str(uuid4())
    with ExitStack() as stack:
        apis = [stack.enter_context(hurried.client()) for _ in range(2)]
        made = [subscribed(each, started(each, jobId=job), "milestone") for each in apis]
        clients = [stack.enter_context(following(each["websocketUrl"])) for each in made]
        for number, each in enumerate(apis):
            reported(each, job, *(event("milestone", description=f"of {number}") for _ in range(20)))
        for number, (client, subscription) in enumerate(zip(clients, made, strict=True)):
            found = told(client, 20)
            assert {message["data"]["description"] for message in found} == {f"of {number}"}
            assert {message["data"]["subscriptionId"] for message in found} == {subscription["subscriptionId"]}
            reported(apis[number], job, milestone(1))
            assert sequences(told(client, 1)) == [23]
        problem(apis[0].post(f"/subscription/{made[1]['subscriptionId']}/ticket"), 404, "not_found")


class Follower:
    """A client that reconnects after each loss, and resumes at the greatest sequence that it received."""

    def __init__(self, api: httpx.Client, made: Json) -> None:
        self.connections: list[list[int]] = []
        self._api = api
        self._made = made

    def reach(self, api: httpx.Client) -> None:
        """Get tickets from here from now on."""
        self._api = api

    @property
    def seen(self) -> set[int]:
        """Return every sequence that arrived."""
        return {each for connection in self.connections for each in connection}

    def lost(self) -> bool:
        """Whether events count as delivered that did not arrive."""
        newest = deliveries(self._api, self._made["subscriptionId"], limit=1)
        return bool(newest) and newest[0]["sequence"] > max(self.seen)

    @contextmanager
    def connected(self) -> Iterator[Any]:
        """Connect with a new ticket; `take` records the messages."""
        url = ticket(self._api, self._made["subscriptionId"]) if self.connections else self._made["websocketUrl"]
        since = max(self.seen, default=0) if self.connections else None
        self.connections.append([])
        with following(url, since) as client:
            yield client

    def take(self, client: Any, count: int) -> None:
        """Receive `count` more messages."""
        for _ in range(count):
            self.connections[-1] += sequences(told(client, 1))


def test_a_client_that_drops_its_connection_ten_times_receives_every_event(api: httpx.Client) -> None:
    rng = random.Random(20261123)
    job = started(api)
    follower = Follower(api, subscribed(api, job, "milestone"))
    wanted = list(range(3, 3 + EVENTS))
    worker = threading.Thread(target=report_all, args=(api, job, rng.randrange(1000)))
    worker.start()
    for number in range(DROPS):
        if number == DROPS - 3:
            worker.join()  # the last three are certainly within a replay, with events in flight
        with follower.connected() as client:
            follower.take(client, rng.choice([0, 1, rng.randrange(2, 80)]))
            if not worker.is_alive():
                until(lambda: follower.lost())
            drop(client)
    assert len(follower.seen) < EVENTS
    with follower.connected() as client:
        while follower.seen < set(wanted):
            follower.take(client, 1)
    assert len(follower.connections) == DROPS + 1
    assert sorted(follower.seen) == wanted
    for connection in follower.connections:
        assert connection == sorted(set(connection))


def report_all(api: httpx.Client, job: str, seed: int) -> None:
    """Report the milestones of a job, in batches of any size."""
    rng, left = random.Random(seed), EVENTS
    while left:
        size = min(left, rng.randrange(1, 50))
        reported(api, job, *(milestone(number) for number in range(size)))
        left -= size
        time.sleep(rng.random() / 5)


def test_killed_in_between_it_goes_on_after_its_restart(home: Path, engine: str, tmp_path: Path) -> None:
    tenant, project, arguments = str(uuid4()), str(uuid4()), ["--data", str(tmp_path / "data")]
    follower: Follower | None = None
    job, last = "", 0
    for kills in (True, True, False):
        with running(home, engine, *arguments) as service, service.client(tenant, project) as api:
            if follower is None:
                job = started(api)
                follower = Follower(api, subscribed(api, job, "milestone"))
            follower.reach(api)
            with follower.connected() as client:
                last = reported(api, job, *(milestone(number) for number in range(100)))
                follower.take(client, 30)
                if kills:
                    service.kill()
                    with pytest.raises(ConnectionClosed):
                        follower.take(client, EVENTS)
                else:
                    while max(follower.seen) < last:
                        follower.take(client, 1)
    assert follower is not None
    assert sorted(follower.seen) == list(range(3, last + 1))


@pytest.mark.not_deployed("ministack keeps for a client all that it does not read")
def test_a_client_that_does_not_read_holds_up_no_other(api: httpx.Client) -> None:
    """One client's buffers fill up before its 12 MB are sent; the other client receives everything meanwhile."""
    large, small = started(api), started(api)
    deaf, hearing = subscribed(api, large, "error"), subscribed(api, small, "milestone")
    heavy = line("m" * 30_000, level="ERROR", details={"x": "y" * 15_000})
    with silent(deaf["websocketUrl"]), following(hearing["websocketUrl"]) as client:
        for _ in range(10):
            end = reported(api, large, *[heavy] * 15)
            last = reported(api, small, *(milestone(number) for number in range(5)))
            assert sequences(told(client, 5))[-1] == last
    assert [each["sequence"] for each in deliveries(api, deaf["subscriptionId"], limit=1)] < [end]
    with following(ticket(api, deaf["subscriptionId"]), 2) as client:
        assert sequences(told(client, 150)) == list(range(3, end + 1))


@pytest.mark.not_deployed("API Gateway does not stop; its limits of two hours and ten idle minutes are not ministack's")
def test_when_it_stops_it_says_so(home: Path, engine: str) -> None:
    with running(home, engine) as service, service.client() as api:
        with following(subscribed(api, started(api), "milestone")["websocketUrl"]) as client:
            service.process.terminate()
            assert rest(client) == []
            assert client.close_code == 1001
        assert service.process.wait(30) == 0
