"""Many writers to one job, and repeated requests: nothing is lost, nothing repeated."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest

from tests.e2e.reporting import (
    Json,
    create,
    encoded,
    event,
    got,
    line,
    messages,
    post,
    problem,
    report,
    reported,
    started,
)
from tests.e2e.running import Service

WRITERS, BATCHES = 8, 12
LEVELS = ["DEBUG", "INFO", "WARN", "ERROR"]


def when_not_busy(send: Callable[[], httpx.Response]) -> httpx.Response:
    """Return the response of the first try that was not refused because of other writers."""
    for _ in range(30):
        answer = send()
        if answer.status_code != 429:
            return answer
        assert problem(answer, 429, "job_busy")
        time.sleep(int(answer.headers["retry-after"]) * random.random())
    raise AssertionError("busy thirty times over")


def batches(writer: int) -> Iterator[list[Json]]:
    """The reports of a writer: lines of every level, samples, notes and a heartbeat, of many sizes."""
    rng = random.Random(writer)
    for batch in range(BATCHES):
        lines = [
            line(f"{writer}/{batch}/{number} {rng.getrandbits(rng.choice([8, 800])):x}", level=rng.choice(LEVELS))
            for number in range(rng.randrange(1, 30))
        ]
        yield [*lines, event("heartbeat"), event("metricSample"), event("warning"), event("error")]


def test_eight_writers_with_requests_sent_twice(service: Service) -> None:
    tenant, project = str(uuid4()), str(uuid4())

    def write(writer: int) -> list[tuple[int, list[Json]]]:
        acknowledged = []
        with service.client(tenant, project) as client, ThreadPoolExecutor(2) as twice:
            for number, events in enumerate(batches(writer)):
                key, copies = str(uuid4()), 2 if number % 3 == 0 else 1

                def send(events: list[Json] = events, key: str = key) -> httpx.Response:
                    return when_not_busy(lambda: report(client, job, *events, key=key))

                answers = [each.result() for each in [twice.submit(send) for _ in range(copies)]]
                answers += [send()] if number % 4 == 0 else []
                assert {answer.status_code for answer in answers} == {202}
                assert len({answer.text for answer in answers}) == 1
                assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
                acknowledged.append((answers[0].json()["lastSequence"], events))
        return acknowledged

    with service.client(tenant, project) as client:
        job = started(client)
        with ThreadPoolExecutor(WRITERS) as writers:
            stored = sorted(
                (each for told in writers.map(write, range(WRITERS)) for each in told), key=lambda at: at[0]
            )
        sequence = 2
        for last, events in stored:
            assert last - len(events) == sequence, "sequences are without gaps"
            sequence = last
        in_order = [(each, place) for place, each in enumerate((each for _, events in stored for each in events), 3)]
        lines = [(each["data"], place) for each, place in in_order if each["type"] == "log"]
        answer = got(client, f"/job/{job}/logs", level="DEBUG", limit=10_000)
        shown = sorted((entry["sequence"], entry["level"], entry["message"]) for entry in answer["logs"])
        assert shown == [(place, data["level"], data["message"]) for data, place in lines]
        assert got(client, f"/job/{job}")["lastSequence"] == sequence
        counts = Counter(data["level"] for data, _ in lines)
        summary = answer["logsSummary"]
        assert {level: summary[f"{level.lower()}Entries"] for level in LEVELS} == counts
        assert summary["totalEntries"] == len(lines)
        quality = got(client, f"/job/{job}/progress")["qualityMetrics"]
        notes = WRITERS * BATCHES
        assert quality["warningsGenerated"] == counts["WARN"] + notes
        assert quality["errorsEncountered"] == counts["ERROR"] + notes


def test_the_same_new_job_from_eight_at_once_is_made_once(service: Service) -> None:
    tenant, project = str(uuid4()), str(uuid4())
    wanted = encoded({"jobName": "n", "jobType": "t"})
    with service.client(tenant, project) as client, ThreadPoolExecutor(WRITERS) as makers:
        answers = list(makers.map(lambda _: post(client, "/jobs", wanted, key="the same"), range(WRITERS)))
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.json()["jobId"] for answer in answers}) == 1
        assert post(client, "/jobs", wanted).json()["queuePosition"] == 2


def test_only_one_of_eight_starts_the_job(service: Service) -> None:
    with service.client() as client, ThreadPoolExecutor(WRITERS) as workers:
        job = create(client)
        start = [event("jobStarted"), line("mine")]
        answers = list(workers.map(lambda _: when_not_busy(lambda: report(client, job, *start)), range(WRITERS)))
        assert Counter(answer.status_code for answer in answers) == {202: 1, 409: WRITERS - 1}
        assert all(problem(each, 409, "invalid_transition") for each in answers if each.status_code == 409)
        assert messages(client, job) == ["mine"]
        assert got(client, f"/job/{job}")["lastSequence"] == 3


def test_a_repeat_is_answered_the_same_though_the_job_has_moved_on(api: httpx.Client) -> None:
    job = create(api)
    first = report(api, job, event("jobStarted"), line("once"), key="start")
    reported(api, job, event("jobCompleted"))
    again = report(api, job, event("jobStarted"), line("once"), key="start")
    assert (first.status_code, again.status_code, again.json()) == (202, 202, first.json())
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert messages(api, job) == ["once"]


def test_a_key_with_another_body_is_409_and_stores_nothing(api: httpx.Client) -> None:
    job = create(api)
    report(api, job, line("first"), key="k")
    problem(report(api, job, line("second"), key="k"), 409, "idempotency_mismatch")
    assert messages(api, job) == ["first"]


def test_a_key_belongs_to_one_job(api: httpx.Client) -> None:
    for job in (create(api), create(api)):
        assert report(api, job, line("here"), key="k").json() == {"accepted": 1, "lastSequence": 2}


@pytest.mark.parametrize("refused", [event("jobCompleted"), event("log", level="INFO")])
def test_a_refused_request_does_not_use_its_key_up(api: httpx.Client, refused: Json) -> None:
    job = create(api)
    assert report(api, job, line("lost"), refused, key="k").status_code in (409, 422)
    assert report(api, job, line("kept"), key="k").status_code == 202
    assert messages(api, job) == ["kept"]


def test_every_write_is_seen_by_the_next_read(api: httpx.Client) -> None:
    job = started(api, stages=[{"stageName": "A"}])
    for number in range(1, 40):
        sequence = reported(api, job, event("progressUpdate", stageName="A", progress=number), line(f"{number}"))
        assert got(api, f"/job/{job}")["lastSequence"] == sequence
        assert got(api, f"/job/{job}/progress")["overallProgress"]["percentage"] == number
        assert messages(api, job, limit=1) == [f"{number}"]
