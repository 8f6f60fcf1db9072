# pyright: strict
"""Programs that use the whole client as it is meant to be used: no type checker objects."""

import asyncio
import logging
from datetime import UTC, datetime

from jobtrack_client import (
    AsyncClient,
    Client,
    JobTracker,
    ReporterOptions,
    current_job,
    install,
    track,
    verify_webhook,
)
from jobtrack_client.types import Event, JobDescription, Sample, Subscription

SUBSCRIPTION: Subscription = {
    "subscription_type": "webhook",
    "webhook_url": "https://example.com/hook",
    "events": ["jobCompleted", "jobFailed"],
    "filters": {"min_progress_increment": 10, "notify_on_errors": True},
    "authentication": {"type": "bearer", "token": "secret"},
    "language": "en",
}
DESCRIPTION: JobDescription = {
    "description": "Load the day's orders",
    "priority": "High",
    "submitted_by": "scheduler",
    "stages": ["Load", {"stage_name": "Check", "labels": {"ja": "検証"}, "weight": 2}],
    "total_records": 1_000,
    "prerequisites": [{"job_id": "00000000-0000-4000-8000-000000000001", "dependency": "orders"}],
    "resources": [{"resource_type": "Dataset", "resource_id": "orders", "last_modified": datetime.now(UTC)}],
    "blocking_conditions": [{"condition": "The lock is free"}],
    "subscriptions": [SUBSCRIPTION],
    "metadata": {"source": {"bucket": "orders"}, "attempt": 1},
}
EVENTS: list[Event] = [
    {"type": "jobStarted", "data": {"resources_allocated": {"cpu_units": 2, "memory_gb": 8}}},
    {"type": "stageStarted", "data": {"stage_name": "Load", "total_records": 10}},
    {"type": "progressUpdate", "time": datetime.now(UTC), "data": {"progress": 50}},
    {"type": "log", "time": "2026-01-20T10:30:00Z", "data": {"level": "INFO", "message": "m", "details": {"row": 1}}},
    {"type": "metricSample", "data": {"cpu_usage": 12.5, "memory_bytes": 1024}},
    {"type": "warning", "data": {"description": "slow"}},
    {"type": "resourceAllocated", "data": {"resource_type": "GPU", "resource_id": "0"}},
    {"type": "heartbeat"},
    {"type": "jobFailed", "data": {"error": {"message": "no memory", "exitCode": 137}}},
]


def report(client: Client) -> None:
    options = ReporterOptions(close_seconds=5)
    with client.job("Import", job_type="import", heartbeat_seconds=60, options=options, **DESCRIPTION) as job:
        with install(job), job.stage("Load", total=3) as stage:
            stage.advance()
            stage.update(operation="reading", details={"file": "orders.csv"})
            stage.metrics["rows"] = 3
        job.log("WARN", "odd row", details={"row": 4})
        job.sample(cpu_usage=12.5, memory_bytes=1024)
        usage: Sample = {"iops": 5.0}
        job.sample(**usage)
        job.quality(99.5, validations_passed=3)
        job.resource_allocated("GPU", "0", status="Ready")
        job.milestone("half", rows=2)
        logging.getLogger().addHandler(job.logging_handler())
        if (current := current_job()) is not None:
            current.fail(ValueError("no"), row=4)
    for row in track([1, 2, 3], "Rows", job_type="rows", priority="Low", client=client):
        print(row + 1)


def read(client: Client) -> str | None:
    job = client.create_job("Import", job_type="import", **DESCRIPTION)
    client.report_events(job["jobId"], EVENTS)
    client.put_worker("node-1", cpu_units=8, memory_gb=32, max_concurrent_jobs=4)
    subscription = client.subscribe(job["jobId"], subscription_type="websocket", events=["log"])
    client.renew_subscription(subscription["subscriptionId"], expires_in_seconds=3600)
    client.jobs(status=["Running", "Queued"], from_time=datetime.now(UTC))
    client.logs(job["jobId"], level="ERROR", direction="forward", since_sequence=3)
    client.timeline(job["jobId"], granularity="seconds", include_sub_events=True)
    client.metrics(job["jobId"], interval="15m", metrics=["cpu", "memory"])
    for message in client.events(job["jobId"], ["stageCompleted"], filters={"include_debug_events": True}):
        print(message["type"], message["data"]["sequence"])
    for progress in client.follow_progress(job["jobId"]):
        print(progress["overallProgress"]["percentage"])
    return JobTracker("http://x", "t", "p", "token").get_job_logs(job["jobId"], level="WARN")["nextCursor"]


async def watch(client: AsyncClient, job_id: str) -> None:
    async for entry in client.iter_logs(job_id, level="INFO"):
        print(entry["message"])
    async for row in track(client.iter_jobs(status="Failed"), "Jobs"):
        print(row["jobName"])


def receive(body: bytes, headers: dict[str, str]) -> str:
    return verify_webhook(body, headers, ["whsec_old", "whsec_new"])["type"]


def main() -> None:
    with Client(language="en") as client:
        report(client)
        read(client)
    asyncio.run(watch(AsyncClient(), "00000000-0000-4000-8000-000000000001"))
