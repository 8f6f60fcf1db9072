"""A full run reveals its secrets nowhere: not in output or responses, not in tables, queues or files."""

import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from jobtrack.domain.journal import packing
from jobtrack_demo.receiver import Receiver
from tests.e2e.engine import Item, Kept
from tests.e2e.receiving import PATIENCE_SECONDS, TOKEN, Recorder, answered, deliveries, milestone, subscribed, until
from tests.e2e.reporting import encoded, line, post, problem, reported, started
from tests.e2e.running import Service, running
from tests.leaks import layers, leaked

OTHER_TOKEN = "another-receivers-own/+%2F"
REFUSED_TOKEN = "a token with spaces is refused"
PASSWORD = "the-password-of-a-refused-url"
BROKEN_TOKEN = "a-token-in-json-that-breaks-off"
TELLING = re.compile(r"/(jobs|subscribe|rotate-secret|ticket)$")
"""Routes that return a signing secret or a ticket to their caller."""
TOLD = re.compile(r'"signingSecret":"(?P<secret>whsec_[^"]+)"|"websocketUrl":"[^"]+[?]ticket=(?P<ticket>[^"]+)"')


class Answers:
    """Records every response of the service; permitted secrets are removed and remembered."""

    def __init__(self, client: httpx.Client) -> None:
        self.texts: list[bytes] = []
        self.told: set[str] = set()
        client.event_hooks["response"].append(self._hear)

    def _hear(self, answer: httpx.Response) -> None:
        text = answer.read().decode()
        if answer.request.method == "POST" and TELLING.search(answer.request.url.path):
            self.told |= {found["secret"] or found["ticket"] for found in TOLD.finditer(text)}
            text = TOLD.sub("", text)
        self.texts += [text.encode(), *(name + b": " + value for name, value in answer.headers.raw)]


@contextmanager
def printed(service: Service) -> Iterator[list[str]]:
    """Return the output of the service."""
    lines: list[str] = []
    output = service.process.stdout
    assert output is not None
    thread = threading.Thread(target=lambda: lines.extend(output))
    thread.start()
    yield lines
    thread.join()


def refusals(api: httpx.Client, job: str, url: str) -> None:
    """Send requests that are refused for their contents."""
    wanted = {"subscriptionType": "webhook", "webhookUrl": url, "events": ["milestone"]}
    subscribe = f"/job/{job}/subscribe"
    bad: list[dict[str, Any]] = [
        {"authentication": {"type": "bearer", "token": REFUSED_TOKEN}},
        {"authentication": {"type": "bearer", "token": OTHER_TOKEN * 100}},
        {"authentication": {"type": OTHER_TOKEN, "token": OTHER_TOKEN}},
        {"authentication": OTHER_TOKEN},
        {"webhookUrl": f"https://user:{PASSWORD}@hook.example/"},
        {"webhookUrl": f"https://user:{PASSWORD}@169.254.169.254/"},
    ]
    for each in bad:
        problem(api.post(subscribe, json=wanted | each), 422, "unprocessable")
    problem(post(api, subscribe, f'{{"authentication": {{"token": "{BROKEN_TOKEN}'.encode()), 400, "invalid_request")


def followed(api: httpx.Client, job: str, answers: Answers) -> None:
    """Create a WebSocket subscription; one ticket is used, one is not, and one is invented."""
    made = answered(
        api.post(f"/job/{job}/subscribe", json={"subscriptionType": "websocket", "events": ["warning"]}), 201
    )
    answered(api.post(f"/subscription/{made['subscriptionId']}/ticket"))
    with connect(made["websocketUrl"], proxy=None) as client:
        reported(api, job, line("a warning", level="WARN"))
        answers.texts.append(str(client.recv(PATIENCE_SECONDS)).encode())
    for url in (made["websocketUrl"], made["websocketUrl"] + "x"):
        with pytest.raises(InvalidStatus), connect(url, proxy=None):
            pass


def a_full_run(api: httpx.Client, url: str, recorder: Recorder) -> str:
    """Create a job with early and late subscriptions, failures, retries, rotations and ends, and return its id."""
    job = started(api)
    own = {"type": "bearer", "token": OTHER_TOKEN}
    with_job = {"subscriptionType": "webhook", "webhookUrl": url, "events": ["jobStarted"], "authentication": own}
    wanted = {"jobName": "a job", "jobType": "Import", "subscriptions": [with_job]}
    for _ in range(2):
        answered(post(api, "/jobs", encoded(wanted), key="made once"), 201)
    problem(post(api, "/jobs", encoded({**wanted, "jobName": "another"}), key="made once"), 409, "idempotency_mismatch")
    name = subscribed(api, job, url, "milestone", sinceSequence=0)["subscriptionId"]
    subscribed(api, job, "http://127.0.0.1:9/", "milestone", "log", authentication=own)
    for number in range(3):
        for _ in range(2):
            answered(post(api, f"/subscription/{name}/rotate-secret", b"", key=f"rotation {number}"))
        reported(api, job, *(milestone(number) for number in range(10)), line("a line"))
    refusals(api, job, url)
    until(lambda: len(set(recorder.sequences())) == 30)
    until(lambda: len(deliveries(api, name, limit=100)) == 30)
    answered(api.post(f"/subscription/{name}/deliveries/{deliveries(api, name)[0]['messageId']}/retry"), 202)
    answered(api.post(f"/subscription/{name}/test"), 202)
    answered(api.post(f"/subscription/{name}/renew"))
    for path in (f"/job/{job}/subscriptions", f"/subscription/{name}", f"/job/{job}", f"/job/{job}/timeline"):
        answered(api.get(path))
    api.delete(f"/subscription/{name}")
    until(lambda: recorder.bodies("subscriptionEnded"))
    problem(api.post(f"/subscription/{name}/rotate-secret"), 409, "conflict")
    return job


def poison(kept: Kept, api: httpx.Client, job: str) -> None:
    """Put an invalid record into the outbox, and wait until it is in quarantine.

    A record that this process writes into SQLite does not wake the service's poller. The next report does.
    """
    owed = [item for item in kept.items("JobsTable") if job in item["pk"]["S"] and item["sk"]["S"][:2] == "O#"]
    item, record = next((item, found) for item in owed if (found := packing.unpack(item["d"]["B"]))["kind"] == "events")
    del record["events"]
    item |= {"sk": {"S": "O#999999999999"}, "d": {"B": packing.pack(record)}}
    kept.dynamodb.put_item(TableName=kept.names["JobsTable"], Item=item)
    reported(api, job, milestone(10))
    until(lambda: kept.items("QuarantineTable"))


def contents(tables: dict[str, list[Item]]) -> list[bytes]:
    """Yield every value of every item."""
    values = [value for items in tables.values() for item in items for each in item.values() for value in each.values()]
    return [value if isinstance(value, bytes) else str(value).encode() for value in values]


def test_a_full_run_leaves_its_secrets_nowhere(
    home: Path, engine: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    recorder, wire, data = Recorder(500, 302, 429, 204), tmp_path / "wire", tmp_path / "data"
    program = (sys.executable, "-m", "tests.e2e.talking", str(wire))
    with (
        Receiver(recorder) as receiver,
        running(home, engine, "--data", str(data), program=program) as service,
        service.client() as api,
        printed(service) as lines,
    ):
        answers, kept = Answers(api), Kept(service)
        job = a_full_run(api, receiver.url, recorder)
        followed(api, job, answers)
        poison(kept, api, job)
        tables = kept.tables()
        service.stop()
    jwt = api.headers["authorization"].removeprefix("Bearer ")
    secrets = [TOKEN, OTHER_TOKEN, REFUSED_TOKEN, PASSWORD, BROKEN_TOKEN, jwt, jwt.rpartition(".")[2], *answers.told]
    places = {
        "logs": "\n".join([*lines, *capfd.readouterr()]).encode().splitlines(),
        "answers": answers.texts,
        "written and queued": wire.read_bytes().splitlines(),
        "tables": contents(tables),
        "files": [path.read_bytes() for path in data.rglob("*") if path.is_file()],
    }
    assert {headers["authorization"] for headers, _ in recorder.requests} == {f"Bearer {TOKEN}"}
    assert len(answers.told) == 8
    assert [name for name, items in tables.items() if not items] == []
    assert [place for place, texts in places.items() if not told_of(texts)] == []
    assert {place: found for place, texts in places.items() if (found := leaked(secrets, texts))} == {}


def told_of(texts: list[bytes]) -> bool:
    """Whether the run left traces there, so that a search of the place is meaningful."""
    held = b"\n".join(layer for text in texts for layer in layers(text))
    return b"msg_0000" in held
