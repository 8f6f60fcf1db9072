"""The store on a real engine: many writers, repeats, contention and lost responses lose and repeat nothing."""

import itertools
import random
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from jobtrack import aws, times
from jobtrack.domain.events import Event
from jobtrack.domain.job import Job, Stage
from jobtrack.domain.journal.packing import unpack
from jobtrack.domain.journal.records import LEVELS, Family, Record
from jobtrack.errors import Conflict, IdempotencyMismatch, JobBusy, NotFound, Unprocessable
from jobtrack.invocation import Invocation
from jobtrack.keys import JobKey
from jobtrack.retry import Retry
from jobtrack.scheduled.watchdog import Watchdog
from jobtrack.store.idempotency import Idempotency
from jobtrack.store.job_subscriptions import ListenerStore, NewListener
from jobtrack.store.jobs import JobStore
from jobtrack.store.journal_reader import JournalQuery, JournalReader
from jobtrack.store.snapshots import Listener, Snapshot
from jobtrack.store.timers import HEARTBEAT, TimerStore
from jobtrack.times import Micros
from jobtrack.views.responses.events import Accepted
from tests.e2e.engine import provisioned

pytestmark = pytest.mark.not_deployed("asks the store on the engine, without a service")
START = times.parse("2024-01-20T10:30:00Z")
WRITERS = 8


@dataclass(frozen=True)
class Table:
    """The jobs table of an engine; each writer gets a store with its own cache."""

    name: str

    def store(self) -> JobStore:
        return JobStore(aws.client("dynamodb"), self.name)

    def store_at(self, moment: int) -> JobStore:
        return JobStore(aws.client("dynamodb"), self.name, now=lambda: Micros(moment))

    def reader(self) -> JournalReader:
        return JournalReader(aws.client("dynamodb"), self.name)

    def listeners(self) -> ListenerStore:
        return ListenerStore(aws.client("dynamodb"), self.name)

    def job(self, **settings: Any) -> JobKey:
        key = JobKey(*(str(uuid.uuid4()) for _ in range(3)))
        self.store().create(Snapshot(key, 0, Job(key.job, "Example", "Test", START, **settings)), "body", {})
        return key

    def outbox(self, key: JobKey) -> list[dict[str, Any]]:
        """Return the events for listeners, in order."""
        items = aws.client("dynamodb").query(
            TableName=self.name,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
            ExpressionAttributeValues={":pk": {"S": key.partition}, ":sk": {"S": "O#"}},
        )["Items"]
        return [event for item in items for event in unpack(bytes(item["d"]["B"]))["events"]]


@pytest.fixture(scope="module")
def table(engine: str) -> Iterator[Table]:
    with provisioned(engine) as names:
        yield Table(names.refs["JobsTable"])


def line(text: str, moment: int = START, level: str = "INFO") -> Event:
    return Event("log", Micros(moment), {"level": level, "message": text})


def messages(table: Table, key: JobKey) -> list[str]:
    """Return all lines of the job by sequence, read by cursor."""
    snapshot = table.store().read_snapshot(key)
    found: list[Record] = []
    asked, more = JournalQuery(LEVELS, limit=300), True
    while more:
        page, more = table.reader().read_page(snapshot, asked)
        found += page
        asked = JournalQuery(LEVELS, limit=300, after=page[0].place) if page else asked
    assert len({record.sequence for record in found}) == len(found)
    return [record.body[0] for record in sorted(found, key=lambda record: record.sequence)]


def test_eight_writers_lose_and_repeat_nothing(table: Table) -> None:
    key, batches, size = table.job(), 15, 20
    table.store().report(key, [Event("jobStarted", START, {})])

    def write(writer: int) -> list[tuple[int, list[str]]]:
        store, acknowledged = table.store(), []
        for batch in range(batches):
            texts = [f"{writer}/{batch}/{index} {random.Random(index).getrandbits(300):x}" for index in range(size)]
            events = [line(text, START + batch * times.SECOND) for text in texts]
            answer = report_when_not_busy(store, key, [*events, Event("heartbeat", START, {})])
            acknowledged.append((answer["lastSequence"], texts))
        return acknowledged

    with ThreadPoolExecutor(WRITERS) as writers:
        acknowledged = [each for answers in writers.map(write, range(WRITERS)) for each in answers]
    in_order = [text for _, texts in sorted(acknowledged) for text in texts]
    assert messages(table, key) == in_order
    assert sorted(last for last, _ in acknowledged) == [2 + (size + 1) * n for n in range(1, WRITERS * batches + 1)]
    snapshot = table.store().read_snapshot(key)
    assert snapshot.job.sequence == 2 + (size + 1) * WRITERS * batches
    assert snapshot.journal.count(Family.INFO) == size * WRITERS * batches


def report_when_not_busy(store: JobStore, key: JobKey, events: list[Event], with_key: bool = True) -> Accepted:
    for _ in range(20):
        same = Idempotency(key, "events", str(uuid.uuid4()), "body") if with_key else None
        try:
            return store.report(key, events, same)[0]
        except JobBusy:
            continue
    raise AssertionError("busy twenty times over")


def test_the_same_key_from_eight_writers_at_once_is_stored_once(table: Table) -> None:
    key = table.job()
    same = Idempotency(key, "events", "the key", "body")
    with ThreadPoolExecutor(WRITERS) as writers:
        answers = list(writers.map(lambda _: table.store().report(key, [line("once")], same), range(WRITERS)))
    assert {answer["lastSequence"] for answer, _ in answers} == {2}
    assert sorted(replayed for _, replayed in answers) == [False] + [True] * (WRITERS - 1)
    assert messages(table, key) == ["once"]


def test_a_key_used_for_another_batch_is_refused_and_nothing_is_stored(table: Table) -> None:
    key = table.job()
    table.store().report(key, [line("first")], Idempotency(key, "events", "k", "body 1"))
    with pytest.raises(IdempotencyMismatch):
        table.store().report(key, [line("second")], Idempotency(key, "events", "k", "body 2"))
    assert messages(table, key) == ["first"]


def test_a_repeat_is_answered_though_the_job_has_moved_on(table: Table) -> None:
    key, store = table.job(), table.store()
    start = Idempotency(key, "events", "start", "body")
    first, _ = store.report(key, [Event("jobStarted", START, {})], start)
    store.report(key, [Event("jobCompleted", START, {})])
    for again in (store, table.store()):
        assert again.report(key, [Event("jobStarted", START, {})], start) == (first, True)


def test_a_writer_with_an_old_version_in_hand_judges_by_the_present_one(table: Table) -> None:
    key, early, other = table.job(), table.store(), table.store()
    early.report(key, [line("in hand")])
    other.report(key, [Event("jobStarted", START, {})])
    early.report(key, [Event("stageStarted", START, {"stageName": "A"})])
    other.report(key, [Event("jobCompleted", START, {})])
    with pytest.raises(Conflict, match="Completed"):
        early.report(key, [Event("heartbeat", START, {})])


def test_the_same_job_is_made_once_whoever_asks_first(table: Table) -> None:
    key = JobKey(*(str(uuid.uuid4()) for _ in range(3)))

    def create(number: int) -> tuple[dict[str, Any], bool]:
        job = Job(key.job, "Example", "Test", START)
        return table.store().create(Snapshot(key, 0, job), "body", {"maker": number})

    with ThreadPoolExecutor(WRITERS) as makers:
        answers = list(makers.map(create, range(WRITERS)))
    [maker] = [number for number, (_, replayed) in enumerate(answers) if not replayed]
    assert [response for response, _ in answers] == [{"maker": maker}] * WRITERS
    with pytest.raises(Conflict, match="Another request created"):
        table.store().create(Snapshot(key, 0, Job(key.job, "Other", "Test", START)), "another body", {})


def test_no_batch_misses_a_listener_that_was_acknowledged_before_it(table: Table) -> None:
    key = table.job()
    never, always = Listener(times.EPOCH, frozenset({"log.INFO"})), Listener(times.LATEST, frozenset({"log.INFO"}))
    table.listeners().add_listener(NewListener(key, "sub-expired", never), {})
    added, owed = [], []
    store = table.store()
    for number in range(30):
        if number == 10:
            table.listeners().add_listener(NewListener(key, "sub-live", always), {})
            added.append(number)
        store.report(key, [line(f"{number}"), line("unheard", level="WARN")])
        owed += [f"{number}"] if added else []
    assert [event["data"]["message"] for event in table.outbox(key)] == owed
    assert set(table.store().read_snapshot(key).listeners) == {"sub-live"}


def test_listeners_added_while_others_write_survive(table: Table) -> None:
    key = table.job()
    listener = Listener(times.LATEST, frozenset({"milestone"}))

    def listen(number: int) -> None:
        table.listeners().add_listener(NewListener(key, f"sub-{number}", listener), {})

    def write(number: int) -> None:
        report_when_not_busy(table.store(), key, [line(f"{number}")])

    with ThreadPoolExecutor(WRITERS) as threads:
        list(threads.map(lambda number: (listen if number % 2 else write)(number), range(40)))
    assert set(table.store().read_snapshot(key).listeners) == {f"sub-{number}" for number in range(1, 40, 2)}
    assert sorted(messages(table, key)) == sorted(str(number) for number in range(0, 40, 2))


def test_a_job_has_at_most_100_live_listeners_and_none_after_its_end(table: Table) -> None:
    key = table.job()
    listener = Listener(times.LATEST, frozenset({"log.ERROR"}))
    for number in range(100):
        table.listeners().add_listener(NewListener(key, f"sub-{number}", listener), {})
    with pytest.raises(Unprocessable, match="100 live subscriptions"):
        table.listeners().add_listener(NewListener(key, "sub-100", listener), {})
    table.store().report(key, [Event("jobCancelled", START, {})])
    with pytest.raises(Conflict, match="Cancelled"):
        table.listeners().add_listener(NewListener(key, "sub-101", listener), {})


@pytest.mark.parametrize("pattern", ["late", "jittered", "line by line"])
def test_every_page_is_that_of_a_sorted_list(table: Table, pattern: str) -> None:
    rng, key, store = random.Random(pattern), table.job(), table.store()
    sent: list[Record] = []
    size = 1 if pattern == "line by line" else 50
    for sequence in range(2, 602, size):
        events = [line(f"{rng.getrandbits(400):x}", moment(rng, pattern, sequence + index)) for index in range(size)]
        store.report(key, events)
        sent += [Record(Family.INFO, each.time, sequence + n, [each.data["message"]]) for n, each in enumerate(events)]
    held = sorted(sent, key=lambda record: record.place)
    middle = held[len(held) // 2].place
    for backward, limit, after in itertools.product((True, False), (1, 100, 1000), (None, middle)):
        asked = JournalQuery(LEVELS, limit=limit, backward=backward, after=after)
        wanted = [record for record in held if asked.contains(record)]
        page = wanted[-limit:] if backward else wanted[:limit]
        assert table.reader().read_page(store.read_snapshot(key), asked) == (page, len(wanted) > limit)


def moment(rng: random.Random, pattern: str, sequence: int) -> int:
    offset = sequence * times.SECOND // 2
    if pattern == "jittered":
        return START + offset + rng.randrange(-30, 30) * times.SECOND
    return START + offset - (rng.randrange(3600) * times.SECOND if pattern == "late" and rng.random() < 0.1 else 0)


def test_what_does_not_fit_the_snapshot_is_kept_beside_it(table: Table) -> None:
    names = [f"stage {number}" for number in range(200)]
    key, store = table.job(stages=[Stage(name) for name in names], metadata={"text": "x" * 8000}), table.store()
    store.report(key, [Event("jobStarted", START, {})])
    metrics = {name: {"blob": f"{random.Random(name).getrandbits(16_000):x}"} for name in names}
    for start in range(0, 200, 50):
        store.report(
            key,
            [
                Event("stageCompleted", START, {"stageName": name, "metrics": metrics[name]})
                for name in names[start : start + 50]
            ],
        )
    store.report(key, [Event("stageCompleted", START, {"stageName": names[0], "metrics": {"more": 1}})])
    job = table.store().read_snapshot(key, extras=True).job
    assert {stage.name: stage.metrics for stage in job.stages} == metrics | {names[0]: metrics[names[0]] | {"more": 1}}
    assert job.metadata == {"text": "x" * 8000}


def test_a_job_that_does_not_exist_is_not_found(table: Table) -> None:
    with pytest.raises(NotFound):
        table.store().report(JobKey("t", "p", "j"), [line("lost")])


CONTENTION = {
    "TransactionCanceledException": [{"Code": "TransactionConflict"}, {"Code": "None"}],
    "ThrottlingException": None,
    "ProvisionedThroughputExceededException": None,
    "TransactionInProgressException": None,
}


@pytest.mark.parametrize("code", CONTENTION)
def test_contention_that_only_aws_has_is_tried_again(table: Table, code: str) -> None:
    key, store = table.job(), table.store()
    failures = fail_first(store, 3, answering(code, CONTENTION[code]))
    store.report(key, [line("kept")], Idempotency(key, "events", "k", "body"))
    assert (messages(table, key), next(failures)) == (["kept"], 3)


def test_contention_without_end_ends_as_busy_and_nothing_is_stored(table: Table) -> None:
    key, clock = table.job(), itertools.count(0.0, 0.1)
    store = table.store()
    store.retry = Retry(sleep=lambda _: None, monotonic=lambda: next(clock))
    fail_first(
        store, 10**6, answering("TransactionCanceledException", [{"Code": "TransactionConflict"}, {"Code": "None"}])
    )
    with pytest.raises(JobBusy) as busy:
        store.report(key, [line("refused")], Idempotency(key, "events", "k", "body"))
    assert (busy.value.retry_after, messages(table, key)) == (1, [])


def test_an_answer_lost_on_its_way_back_is_found_again(table: Table) -> None:
    key, store = table.job(), table.store()
    same = Idempotency(key, "events", "k", "body")
    lose_answers(store)
    with pytest.raises(ReadTimeoutError):
        store.report(key, [line("written")], same)
    answer, replayed = table.store().report(key, [line("written")], same)
    assert (answer["lastSequence"], replayed, messages(table, key)) == (2, True, ["written"])


@pytest.mark.one_engine("dynamodb-local", "loses responses between the processes")
@pytest.mark.parametrize("size", [20, 3000], ids=["an update", "a transaction"])
def test_a_batch_without_a_key_is_stored_once_though_its_response_is_lost(table: Table, size: int) -> None:
    key, store = table.job(), table.store()
    store.report(key, [Event("jobStarted", START, {})])
    lost = lose_responses(store, lambda number: number == 0)
    texts = [f"{random.Random(number).getrandbits(8 * size):x}" for number in range(5)]
    assert store.report(key, [line(text) for text in texts]) == ({"accepted": 5, "lastSequence": 7}, False)
    assert (messages(table, key), lost) == (texts, ["UpdateItem" if size == 20 else "TransactWriteItems"])


@pytest.mark.one_engine("dynamodb-local", "loses responses between the processes")
def test_eight_writers_whose_responses_are_lost_repeat_nothing(table: Table) -> None:
    key, batches, size = table.job(), 8, 5

    def write(writer: int) -> list[tuple[int, list[str]]]:
        store, rng, acknowledged = table.store(), random.Random(writer), []
        lose_responses(store, lambda _: rng.random() < 0.15)
        for batch in range(batches):
            texts = [f"{writer}/{batch}/{index}" for index in range(size)]
            answer = report_when_not_busy(store, key, [line(text) for text in texts], with_key=batch % 2 == 0)
            acknowledged.append((answer["lastSequence"], texts))
        return acknowledged

    with ThreadPoolExecutor(WRITERS) as writers:
        acknowledged = [each for answers in writers.map(write, range(WRITERS)) for each in answers]
    assert messages(table, key) == [text for _, texts in sorted(acknowledged) for text in texts]
    assert table.store().read_snapshot(key).job.sequence == 1 + size * WRITERS * batches


@pytest.mark.parametrize("round_", range(10))
def test_a_heartbeat_races_the_watchdog_and_the_job_is_not_stalled_after_it(table: Table, round_: int) -> None:
    key, client = table.job(heartbeat_seconds=10), aws.client("dynamodb")
    table.store_at(START).report(key, [Event("jobStarted", START, {})])
    in_time, too_late = START + 10 * times.SECOND, START + 11 * times.SECOND
    timers = TimerStore(client, table.name, HEARTBEAT, 90 * 24 * 3600)
    watchdog = Watchdog(timers, table.store_at(too_late), lambda: Micros(too_late))

    def beat() -> int:
        time.sleep(round_ * 0.003)
        answer, _ = table.store_at(in_time).report(key, [Event("heartbeat", Micros(in_time), {})])
        return int(answer["lastSequence"])

    with ThreadPoolExecutor(2) as both:
        beating, watching = both.submit(beat), both.submit(watchdog.run, Invocation())
        last, _ = beating.result(), watching.result()
    job = table.store().read_snapshot(key).job
    assert (job.stalled, job.sequence) == (False, last)
    assert last in (3, 4), "the alarm comes before the heartbeat, or not at all"
    watchdog.run(Invocation())
    assert table.store().read_snapshot(key).job.stalled is False


def answering(code: str, reasons: list[dict[str, str]] | None) -> Callable[[], tuple[Any, dict[str, Any]]]:
    """An AWS error as botocore sees it; botocore does not retry a 400 of this kind."""

    class Raw:
        status_code = 400

    def answer() -> tuple[Any, dict[str, Any]]:
        parsed: dict[str, Any] = {
            "Error": {"Code": code, "Message": "injected"},
            "ResponseMetadata": {"HTTPStatusCode": 400},
        }
        return Raw(), parsed | ({"CancellationReasons": reasons} if reasons else {})

    return answer


def fail_first(store: JobStore, count: int, answer: Callable[[], tuple[Any, dict[str, Any]]]) -> Iterator[int]:
    """Respond like this to the first transactions before they are sent; yields their number."""
    failed = itertools.count()
    done = [0]

    def before_call(**_: Any) -> tuple[Any, dict[str, Any]] | None:
        if next(failed) >= count:
            return None
        done[0] += 1
        return answer()

    register: Any = store.dynamodb.meta.events.register  # its stubs do not know handlers that return a response
    register("before-call.dynamodb.TransactWriteItems", before_call)
    return iter(lambda: done[0], None)


def lose_responses(store: JobStore, lost: Callable[[int], bool]) -> list[str]:
    """Lose responses to writes, by their number, after the engine has sent them; botocore then repeats the request."""
    client: Any = store.dynamodb
    writes, found = itertools.count(), list[str]()

    def send(request: Any, **_: Any) -> None:
        operation = request.headers["X-Amz-Target"].decode().rpartition(".")[2]
        if operation in ("UpdateItem", "TransactWriteItems") and lost(next(writes)):
            client._endpoint.http_session.send(request)
            found.append(operation)
            raise ConnectionClosedError(endpoint_url=request.url)

    client.meta.events.register("before-send.dynamodb", send)
    return found


def lose_answers(store: JobStore) -> None:
    """Let transactions be written, and lose their responses."""

    def after_call(**_: Any) -> None:
        raise ReadTimeoutError(endpoint_url="injected")

    store.dynamodb.meta.events.register("after-call.dynamodb.TransactWriteItems", after_call)
