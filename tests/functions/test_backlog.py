"""The backlog of a WebSocket subscription: the outbox and the journal give the same, page after page."""

import pytest
from msgspec.structs import replace

from jobtrack import aws, times
from jobtrack.domain.events import EVENT_NAMES
from jobtrack.push.subscriptions.message_factory import event_message
from jobtrack.push.subscriptions.stream_state import StreamState
from jobtrack.push.subscriptions.subscription import Filters, Subscription
from jobtrack.push.websockets.backlog import Backlog, BacklogPage
from jobtrack.store.outbox import KEPT_SECONDS
from jobtrack.times import Micros
from tests.functions.test_replays import history, job_heard_by, jobs, report
from tests.pushing import JOB, NOW, after, subscription

pytestmark = pytest.mark.usefixtures("stack")

SOCKET = subscription(type="websocket", url=None, stream=StreamState(0, 0), created_at=NOW)
WANTED = [
    replace(SOCKET, events=EVENT_NAMES),
    replace(SOCKET, events=EVENT_NAMES, filters=Filters(10, True, False)),
    replace(SOCKET, events=("milestone",), filters=Filters(0, False, True)),
    replace(SOCKET, events=("log",)),
    replace(SOCKET, events=("jobCompleted",)),
]


def pages(one: Subscription, position: int = 0, now: Micros = NOW, page: int = 2000) -> list[BacklogPage]:
    return list(Backlog(aws.client("dynamodb"), "JobsTable", lambda: now, page).read_after(one, position))


def from_the_journal(one: Subscription, position: int = 0, page: int = 2000) -> list[BacklogPage]:
    """Read after all outbox items have expired."""
    return pages(replace(one, created_at=times.EPOCH, stream=StreamState(10**6, 0)), position, page=page)


def payloads(one: Subscription, read: list[BacklogPage]) -> list[tuple[int | None, str]]:
    made = (event_message(JOB, each.job_name, one, event, NOW) for each in read for event in each.events)
    return [(message.sequence, message.payload) for message in made if message]


@pytest.fixture
def job() -> int:
    """Create a job that has reported, and return its last sequence."""
    job_heard_by(*[replace(one, subscription_id=f"sub-{number}") for number, one in enumerate(WANTED)])
    report(history(200, seed=7), batch=30)
    return jobs().read_snapshot(JOB).job.sequence


@pytest.mark.parametrize("one", WANTED, ids=range(len(WANTED)))
def test_outbox_and_journal_tell_the_same_in_the_same_order(one: Subscription, job: int) -> None:
    told = payloads(one, pages(one))
    assert told == payloads(one, from_the_journal(one))
    assert told == payloads(one, from_the_journal(one, page=7))
    assert [sequence for sequence, _ in told] == sorted({sequence for sequence, _ in told if sequence})


@pytest.mark.parametrize("position", [0, 1, 17, 29, 30, 31, 32, 100, 213])
def test_from_whatever_position_all_that_follows_and_nothing_else(position: int, job: int) -> None:
    one = WANTED[0]
    all_of_it = payloads(one, pages(one))
    following = [(sequence, payload) for sequence, payload in all_of_it if sequence and sequence > position]
    assert payloads(one, pages(one, position)) == following
    assert payloads(one, from_the_journal(one, position, page=5)) == following


def test_the_last_page_ends_where_the_job_is(job: int) -> None:
    one = WANTED[3]
    assert from_the_journal(one)[-1].position == job
    assert from_the_journal(one, job) == []
    assert pages(one, job) == []
    positions = [each.position for each in from_the_journal(one, page=7)]
    assert positions == sorted(set(positions))


def test_the_journal_helps_out_where_items_of_the_outbox_have_gone(job: int) -> None:
    one, dynamodb = WANTED[0], aws.client("dynamodb")
    expected = payloads(one, pages(one, 40))
    later = after(KEPT_SECONDS - 600)  # DynamoDB may delete any of them within the hour
    for item in dynamodb.scan(TableName="JobsTable")["Items"]:
        if item["sk"]["S"].startswith("O#") and item["sk"]["S"] != "O#000000000032":
            dynamodb.delete_item(TableName="JobsTable", Key={name: item[name] for name in ("pk", "sk")})
    assert payloads(one, pages(one, 40, now=later)) == expected


def test_a_job_that_is_no_longer_kept_has_nothing_to_tell() -> None:
    assert from_the_journal(SOCKET) == []
    assert pages(SOCKET) == []
