"""No connection is opened to an internal host, counted at the socket: neither by subscribing nor by delivering."""

import json
import socket
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from jobtrack import aws, times
from jobtrack.domain.job import Job
from jobtrack.push.delivery.attempt import Attempt
from jobtrack.push.egress.guarded_post import Egress
from jobtrack.push.messages.message import Message
from jobtrack.store.jobs import JobStore
from jobtrack.store.snapshots import Snapshot
from tests.functions.conftest import Invoke
from tests.functions.subscribing import job_of
from tests.hostile import ADDRESSES, INSIDE, OTHER_PORTS, PLAIN, REFUSED, Traffic, hearing
from tests.pushing import URL, World, message, subscription
from tests.receivers import answering, receiver

pytestmark = pytest.mark.usefixtures("stack")

Sample = Callable[[str], dict[str, Any]]
PUBLIC = "93.184.215.14"
TABLES = ["JobsTable", "SubscriptionsTable", "DeliveriesTable"]


@pytest.fixture
def traffic() -> Iterator[Traffic]:
    with hearing() as heard:
        yield heard


class Names:
    """A name server with scripted responses, the last of which is repeated."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def delivering(names: Names | None = None) -> World:
    """A world whose deliverer opens real connections."""
    world = World()
    world.deliverer.webhooks.egress = Egress(resolve=names) if names else Egress()
    return world


def deliver(world: World, sequence: int, url: str) -> None:
    """Deliver a message of the subscription, whose stored URL is now this one; its endpoint has no health yet."""
    kept = world.stored()
    assert kept is not None
    world.dynamodb.put_item(TableName="SubscriptionsTable", Item=replace(kept, url=url).to_item())
    world.deliver(message(sequence, subscription(url=f"https://endpoint-{sequence}.example/")))


def attempts(world: World, sequence: int = 1) -> tuple[Attempt, ...]:
    return world.delivered(message(sequence)).attempts


def stored() -> dict[str, list[Any]]:
    return {name: aws.client("dynamodb").scan(TableName=name)["Items"] for name in TABLES}


def changed(event: dict[str, Any], **changes: Any) -> dict[str, Any]:
    body = json.dumps({**json.loads(event["body"]), **changes})
    headers = {**event["headers"], "content-length": str(len(body))}
    return {**event, "body": body, "headers": headers}


def test_what_is_opened_is_counted(traffic: Traffic) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        socket.create_connection(listening.getsockname()).close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((PUBLIC, 443))
        with pytest.raises(ConnectionRefusedError), socket.socket(type=socket.SOCK_DGRAM) as datagrams:
            datagrams.sendto(b"", (PUBLIC, 53))
        assert traffic.connected == [listening.getsockname(), (PUBLIC, 443), (PUBLIC, 53)]
    socket.getaddrinfo("localhost", 443)
    assert traffic.looked_up[-1] == "localhost"


def test_who_subscribes_a_host_inside_is_refused_and_nothing_is_stored_looked_up_or_opened(
    invoke: Invoke, sample: Sample, traffic: Traffic
) -> None:
    event = sample("subscribe")
    key = job_of(event)
    JobStore(aws.client("dynamodb"), "JobsTable").create(
        Snapshot(key, 0, Job(key.job, "a job", "mining", times.now())), "b", {}
    )
    before, statuses = stored(), {}
    for url in REFUSED:
        statuses[url] = invoke("SubscriptionsFunction", changed(event, webhookUrl=url))["statusCode"]
    assert {url: status for url, status in statuses.items() if status != 422} == {}
    assert (stored(), traffic.connected, traffic.looked_up) == (before, [], [])
    assert invoke("SubscriptionsFunction", changed(event, webhookUrl=URL))["statusCode"] == 201


def test_who_makes_a_job_with_such_a_subscription_makes_none(invoke: Invoke, sample: Sample, traffic: Traffic) -> None:
    event, statuses = sample("create-job"), {}
    wanted = json.loads(sample("subscribe")["body"])
    for url in REFUSED:
        subscriptions = [wanted, {**wanted, "webhookUrl": url}]
        statuses[url] = invoke("JobsFunction", changed(event, subscriptions=subscriptions))["statusCode"]
    assert {url: status for url, status in statuses.items() if status != 422} == {}
    assert (stored(), traffic.connected, traffic.looked_up) == ({name: [] for name in TABLES}, [], [])
    assert invoke("JobsFunction", changed(event, subscriptions=[wanted]))["statusCode"] == 201


def test_who_was_stored_and_is_inside_now_is_not_reached(traffic: Traffic) -> None:
    names, errors = Names([PUBLIC]), {}
    world = delivering(names)
    for sequence, url in enumerate([*INSIDE, *OTHER_PORTS, *PLAIN], 1):
        deliver(world, sequence, url)
        [attempt] = attempts(world, sequence)
        errors[url] = attempt.error or ""
    assert [url for url, error in errors.items() if not error.startswith("the URL must ")] == []
    assert (traffic.connected, traffic.looked_up, names.asked) == ([], [], [])


@pytest.mark.parametrize("others", [[], [PUBLIC, "2606:4700:4700::1111"]], ids=["alone", "mixed"])
@pytest.mark.parametrize("last", [True, False], ids=["last", "first"])
def test_whose_name_leads_inside_is_not_reached(others: list[str], last: bool, traffic: Traffic) -> None:
    names = Names(*([*others, each] if last else [each, *others] for each in ADDRESSES))
    world = delivering(names)
    for sequence, _ in enumerate(ADDRESSES, 1):
        deliver(world, sequence, f"https://hook-{sequence}.example/")
        [attempt] = attempts(world, sequence)
        assert attempt.error == "the host resolves to a non-public address"
    assert (len(names.asked), traffic.connected, traffic.looked_up) == (len(ADDRESSES), [], [])


def test_a_name_without_an_address_is_not_reached(traffic: Traffic) -> None:
    world = delivering(Names([]))
    world.deliver(message())
    assert (len(attempts(world)), traffic.connected) == (1, [])


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"])
def test_who_rebinds_between_two_look_ups_is_reached_where_it_was_checked(address: str, traffic: Traffic) -> None:
    names = Names([PUBLIC], [address])
    world = delivering(names)
    world.deliver(message())
    assert (names.asked, traffic.connected, traffic.looked_up) == (["hook.example"], [(PUBLIC, 443)], [PUBLIC])
    world.clock.pass_by(5)
    for body in world.sqs.take():
        world.deliverer.deliver(Message.decode(body))
    assert [each.error for each in attempts(world)] == [
        "connection refused",
        "the host resolves to a non-public address",
    ]
    assert (len(names.asked), traffic.connected) == (2, [(PUBLIC, 443)])


REDIRECTS = ["http://169.254.169.254/latest/meta-data/", "//169.254.169.254/", "https://hook.example/"]


@pytest.mark.parametrize("status", [300, 301, 302, 303, 305, 307, 308])
def test_who_redirects_is_not_followed(status: int, traffic: Traffic) -> None:
    world, reached = delivering(), []
    world.deliverer.webhooks = replace(world.deliverer.webhooks, egress=Egress(True), allow_loopback=True)
    for sequence, to in enumerate(REDIRECTS, 1):
        more = f"Location: {to}\r\nRefresh: 0; url={to}\r\nContent-Length: 0\r\n\r\n"
        with receiver(answering(f"HTTP/1.1 {status} Elsewhere\r\n{more}".encode())) as target:
            deliver(world, sequence, f"http://127.0.0.1:{target.port}/")
        assert [each.status_code for each in attempts(world, sequence)] == [status]
        reached.append(("127.0.0.1", target.port))
    assert traffic.connected == reached
