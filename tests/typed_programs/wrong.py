# pyright: strict
"""Mistakes that a type checker must find, each on a line that ends with a comment."""

from jobtrack_client import Client, Job, JobTracker, track
from jobtrack_client.types import Event, PlannedStage, Subscription


def describe(client: Client) -> None:
    client.create_job("n", job_type="t", priority="Urgent")  # expect-error
    client.create_job("n")  # expect-error
    client.create_job("n", job_type="t", jobDescription="d")  # expect-error
    client.job("n", job_type="t", priority="Urgent")  # expect-error
    client.job("n", job_type="t", stages=[{"stageName": "Load"}])  # expect-error
    client.job("n", job_type="t", subscriptions=[{"subscriptionType": "webhok"}])  # expect-error
    client.job("n", job_type="t", subscriptions=[{"subscription_type": "webhok"}])  # expect-error
    track([1], "Rows", priority="Urgent")  # expect-error
    track([1], "Rows", colour="red")  # expect-error
    stage: PlannedStage = {"weight": 2}  # expect-error
    print(stage)


def report(client: Client, job: Job) -> None:
    job.log("LOUD", "m")  # expect-error
    job.sample(loss=0.3)  # expect-error
    job.sample(cpuUsage=0.3)  # expect-error
    job.quality(dataQualityScore=1)  # expect-error
    job.resource_allocated("GPU")  # expect-error
    client.report_events("id", [{"type": "logged"}])  # expect-error
    event: Event = {"type": "log", "data": {"level": "LOUD", "message": "m"}}  # expect-error
    print(event)


def read(client: Client) -> None:
    client.subscribe("id", subscription_type="webhok")  # expect-error
    client.subscribe("id", events=["log"])  # expect-error
    client.subscribe("id", subscription_type="webhook", events=["logs"])  # expect-error
    client.jobs(status="Finished")  # expect-error
    client.logs("id", level="LOUD")  # expect-error
    client.logs("id", lines=5)  # expect-error
    client.metrics("id", interval="2m")  # expect-error
    client.put_worker("n", cpu_units=1, memory_gb=1)  # expect-error
    JobTracker("u", "t", "p", "t").get_job_timeline("id", granularity="hours")  # expect-error
    subscription: Subscription = {"subscriptionType": "webhok"}  # expect-error
    print(subscription)
