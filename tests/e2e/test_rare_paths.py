"""Paths that only long jobs, slow receivers and other processes take: each needs calls of no other end-to-end test."""

import json
import random
import time
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from jobtrack_demo.receiver import Receiver
from tests.e2e.engine import Kept
from tests.e2e.following import following, rest, sequences, told
from tests.e2e.following import subscribed as subscribed_by_websocket
from tests.e2e.receiving import Recorder, deliveries, milestone, subscribed, until
from tests.e2e.reporting import event, line, reported, started
from tests.e2e.running import Service, running

WARNINGS = 1001
"""One entry more than a replay reads of the timeline at once."""
LINES = 60
"""Lines that are long enough to be sealed into chunks."""
BATCH = 400
SLOW_SECONDS = 2.5


@pytest.fixture
def job(api: httpx.Client) -> str:
    """Create a long job whose entries hardly compress."""
    made, chance = started(api), random.Random(7)
    for first in range(0, WARNINGS, BATCH):
        batch = range(first, min(first + BATCH, WARNINGS))
        reported(api, made, *(event("warning", description=chance.randbytes(250).hex()) for _ in batch))
    for _ in range(0, LINES, 20):
        reported(api, made, *(line(chance.randbytes(2000).hex()) for _ in range(20)))
    return made


WANTED = [*range(WARNINGS + 3, WARNINGS + 3 + LINES)]
"""The sequences of the lines: the job is queued and started first."""


def test_who_subscribes_late_to_the_log_of_a_long_job_is_sent_all_of_it(api: httpx.Client, job: str) -> None:
    recorder = Recorder()
    with Receiver(recorder) as receiver:
        subscribed(api, job, receiver.url, "log", sinceSequence=0)
        recorder.await_requests(LINES)
    assert sorted(each or 0 for each in recorder.sequences()) == WANTED


def test_who_connects_late_to_the_log_of_a_long_job_is_told_all_of_it_in_order(api: httpx.Client, job: str) -> None:
    made = subscribed_by_websocket(api, job, "log", sinceSequence=0)
    with following(made["websocketUrl"]) as client:
        assert sequences(told(client, LINES)) == WANTED


class Slow(Recorder):
    """Responds to the first message more slowly than a fast receiver may."""

    def receive(self, headers: Mapping[str, str], body: bytes) -> int:
        if not self.requests:
            time.sleep(SLOW_SECONDS)
        return super().receive(headers, body)


def test_a_slow_receiver_is_sent_what_follows_through_the_other_lane(api: httpx.Client) -> None:
    recorder, job = Slow(), started(api)
    with Receiver(recorder) as receiver:
        name = subscribed(api, job, receiver.url, "milestone")["subscriptionId"]
        reported(api, job, milestone(1))
        recorder.await_requests(1)
        reported(api, job, milestone(2))
        recorder.await_requests(2)
        until(lambda: [each["status"] for each in deliveries(api, name)] == ["Delivered"] * 2)


def test_another_process_answers_a_repeated_request_with_its_secrets(tmp_path: Path, home: Path, engine: str) -> None:
    webhook = {"subscriptionType": "webhook", "webhookUrl": "https://hook.example/"}
    wanted = {"jobName": "n", "jobType": "t", "subscriptions": [webhook]}
    tenant, project, answers = str(uuid4()), str(uuid4()), list[httpx.Response]()
    for _ in range(2):
        serving = running(home, engine, "--data", str(tmp_path / "data"))
        with serving as service, service.client(tenant, project) as api:
            created = api.post("/jobs", json=wanted, headers={"Idempotency-Key": "once"})
            subscribe = f"/job/{created.json()['jobId']}/subscribe"
            answers += [created, api.post(subscribe, json=webhook, headers={"Idempotency-Key": "once"})]
    for first, second in zip(answers[:2], answers[2:], strict=True):
        assert (first.status_code, second.status_code) == (201, 201), second.text
        assert second.headers["idempotency-replayed"] == "true"
        assert first.json() == second.json()
    created, subscribed = (answer.json() for answer in answers[:2])
    assert created["subscriptions"][0]["signingSecret"].startswith("whsec_")
    assert subscribed["signingSecret"].startswith("whsec_")


def test_a_connection_that_is_no_subscriptions_is_closed_when_it_speaks(service: Service, api: httpx.Client) -> None:
    job = started(api)
    made, kept = subscribed_by_websocket(api, job, "milestone"), Kept(service)
    with following(made["websocketUrl"]) as client:
        (connection,) = (
            item
            for item in kept.items("SubscriptionsTable")
            if item["pk"]["S"].startswith("connection#") and job in str(item)
        )
        key = {name: connection[name] for name in ("pk", "sk")}
        kept.dynamodb.delete_item(TableName=kept.names["SubscriptionsTable"], Key=key)
        client.send(json.dumps({"action": "resume", "sinceSequence": 0}))
        assert rest(client) == []
