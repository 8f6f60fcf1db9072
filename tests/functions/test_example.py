"""The replayed example job against the specification's bodies; docs/example.md lists each value that differs."""

import json
import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from jobtrack import times
from jobtrack_local.stack import load_function
from tests import example
from tests.functions.conftest import Invoke
from tests.functions.replaying import Caller, caller
from tests.stack import ROOT

Json = dict[str, Any]

PREPARATION, ENRICHMENT, REPORT, OTHER = (
    f"{two}0e8400-e29b-41d4-a716-446655440000" for two in ("aa", "dd", "ee", "ff")
)
SUBSCRIPTION = "123e8400-e29b-41d4-a716-446655440000"
TABLE = re.compile(r"\| `(/\S*)` \| `(.+?)` \| `(.+?)` \| (\S.*) \|")


@pytest.fixture
def api(invoke: Invoke, sample: Callable[[str], Json], monkeypatch: pytest.MonkeyPatch) -> Caller:
    """Return the example's project at 10:45:33."""
    found = caller(invoke, sample, monkeypatch)
    subscriptions = load_function("functions/api/subscriptions")
    creator = subscriptions.creator
    monkeypatch.setattr(creator.listeners, "now", lambda: found.now)
    factory = replace(creator.factory, clock=lambda: found.now, new_id=lambda: uuid.UUID(SUBSCRIPTION))
    monkeypatch.setattr(creator, "factory", factory)
    found.past()
    prepare(found)
    dependency = "Dataset must be validated before analysis"
    found.replay(example.OPERATIONS["progress"], prerequisites=[{"jobId": PREPARATION, "dependency": dependency}])
    surround(found)
    found.now = times.parse(example.NOW)
    return found


def prepare(api: Caller) -> None:
    """Report the job before it."""
    make(api, "10:15:00", PREPARATION, "Data Preparation")
    report(api, PREPARATION, example.event("10:16:00", "jobStarted"), example.event("10:25:00", "jobCompleted"))


def surround(api: Caller) -> None:
    """Report other jobs and workers: 11 of 15 cores and 3 of 9 slots are in use, one job waits before the report."""
    stage = {"stageName": "Data Enrichment", "expectedSeconds": 2707}
    make(api, "10:33:00", ENRICHMENT, "Sales Data Enrichment", stages=[stage], submittedBy="system")
    usage = {"cpuUsage": 52, "memoryBytes": round(1.8 * 1024**3), "recordsPerSecond": 890}
    report(
        api,
        ENRICHMENT,
        example.event("10:35:00", "jobStarted", resourcesAllocated={"cpuUnits": 4, "memoryGB": 4}),
        example.event("10:35:00", "stageStarted", stageName="Data Enrichment"),
        example.event("10:45:00", "progressUpdate", progress=45),
        example.event("10:45:00", "metricSample", **usage),
    )
    make(api, "10:36:00", OTHER, "Inventory Forecast")
    report(api, OTHER, example.event("10:37:00", "jobStarted", resourcesAllocated={"cpuUnits": 5}))
    make(api, "10:38:00", "ab" + OTHER[2:], "Quarterly Audit")
    stages = [{"stageName": "Report", "expectedSeconds": 1500}]
    wanted = [{"jobId": example.JOB_ID}]
    make(
        api, "10:40:00", REPORT, "Weekly Report Generation", stages=stages, prerequisites=wanted, submittedBy="user456"
    )
    api.now = times.parse(example.at("10:45:00"))
    api.put("worker/{workerNode}", "worker-node-02", {"cpuUnits": 15, "memoryGB": 64, "maxConcurrentJobs": 9})


def make(api: Caller, clock: str, job: str, name: str, **more: Any) -> None:
    api.now = times.parse(example.at(clock))
    api.post("jobs", {"jobId": job, "jobName": name, "jobType": name, **more})


def report(api: Caller, job: str, *events: Json) -> None:
    api.now = times.parse(events[-1]["time"])
    api.post("job/{jobId}/events", {"events": list(events)}, job)


BATCH = {
    "jobIds": ",".join((example.JOB_ID, ENRICHMENT, REPORT, OTHER, PREPARATION)),
    "includeMetrics": "true",
}
READS: dict[str, tuple[str, dict[str, str]]] = {
    "logs": ("job/{jobId}/logs", {}),
    "progress": ("job/{jobId}/progress", {}),
    "timeline": ("job/{jobId}/timeline", {}),
    "metrics": ("job/{jobId}/metrics", {"includeHistory": "true"}),
    "batch": ("tracking/batch", BATCH),
    "dependencies": ("job/{jobId}/dependencies", {}),
}
CUT: dict[str, tuple[str, Callable[[Json], object]]] = {
    "logs": ("logs", lambda line: (line["timestamp"], line["message"])),
    "timeline": ("timeline", lambda event: (event["eventType"], event["description"])),
    "batch": ("jobs", lambda job: job["jobId"]),
}
"""Lists that the example abbreviates, and the members that identify their elements."""


def asked(api: Caller, name: str) -> Json:
    """Return our body."""
    if name == "subscribe":
        request = json.loads((ROOT / "docs" / "examples" / "subscribe.request.json").read_text())
        return dict(api.post("job/{jobId}/subscribe", request))
    route, query = READS[name]
    status, body = api.get(route, **query)
    assert status == 200, body
    return dict(body)


def rows(api: Caller, name: str) -> Iterator[tuple[str, str, str]]:
    """Yield pointer, the example's value and ours for each difference; of abbreviated lists for the shown elements."""
    theirs, ours = example.body(name), asked(api, name)
    if name in CUT:
        part, identity = CUT[name]
        wanted = [identity(each) for each in theirs[part]]
        ours[part] = sorted(
            (each for each in ours[part] if identity(each) in wanted), key=lambda each: wanted.index(identity(each))
        )
    for pointer, value in example.differences(theirs, ours):
        yield pointer, written(resolved(theirs, pointer)), written(value)


def resolved(body: Any, pointer: str) -> Any:
    """Return the value at a JSON pointer."""
    for step in pointer.split("/")[1:]:
        body = body[int(step)] if isinstance(body, list) else body[step]
    return body


def written(value: Any) -> str:
    return "nothing" if value is ... else json.dumps(value, ensure_ascii=False)


def told(name: str) -> list[tuple[str, str, str]]:
    """Return the rows of docs/example.md about a body; each has a reason."""
    text = (ROOT / "docs" / "example.md").read_text()
    section = text.split(f"\n## {name}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `/")]
    found = [TABLE.fullmatch(line) for line in lines]
    assert all(found), "a row has no reason"
    return [(match[1], match[2], match[3]) for match in found if match]


def test_each_body_is_the_examples_but_for_what_the_table_tells(api: Caller) -> None:
    names = [*READS, "subscribe"]
    assert {name: list(rows(api, name)) for name in names} == {name: told(name) for name in names}


def test_the_job_itself_tells_what_progress_does(api: Caller) -> None:
    progress, (status, job) = asked(api, "progress"), api.get("job/{jobId}")
    assert status == 200
    overall = {name: progress["overallProgress"][name] for name in ("percentage", "estimatedCompletion", "elapsedTime")}
    assert job["progress"] == {**overall, "currentStage": "Performance Analysis"}
    wanted = {"startedAt": "2024-01-20T10:30:00Z", "endedAt": None, "lastSequence": progress["lastSequence"]}
    assert wanted.items() <= job.items()
    assert (job["status"], job["priority"], job["submittedBy"]) == ("Running", "High", "user123")
