"""Measure how much one receiver that takes ten seconds delays 99 others, on the running service.

Each round has one event for each of the 99 receivers and a burst for the hundredth, which responds immediately in half
of the windows and slowly in the other half. Windows alternate, so that both kinds run under the same conditions.
"""

import math
import statistics
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import PIPE, Popen

import httpx

from bench.receivers import Receivers
from bench.report import Report
from jobtrack_local import tokens

OTHERS = 99
WINDOWS = 4
ROUNDS = 3
BURST = 20
PATIENCE_SECONDS = 60.0
LIMIT = 1.2


def measure(report: Report) -> None:
    """Measure how the slow receiver changes the p99 of the other 99, with and without the service's protection."""
    for name, module, limit in (
        ("99 webhooks beside one that takes 10 s", "jobtrack_local", LIMIT),
        ("the same without breaker, lanes and leases", "bench.unguarded", math.inf),
    ):
        without, beside = _compared(module)
        report.add(name, "p99 over that without it", round(_p99(beside) / _p99(without), 2), limit)
        report.add(name, "p99 without it, ms", round(1000 * _p99(without)), math.inf)
        report.add(name, "p50 over that without it", round(_p50(beside) / _p50(without), 2), math.inf)


def _compared(module: str) -> tuple[list[float], list[float]]:
    """Return the seconds from event to arrival at the other 99, without the slow receiver and with it."""
    seconds: tuple[list[float], list[float]] = ([], [])
    with Receivers() as receivers, _serving(module) as client:
        others, _ = _job(client, [f"{receivers.url}/{number}" for number in range(OTHERS)])
        _round(client, others, receivers)  # from now on every endpoint is known
        for window in range(2 * WINDOWS):
            slow = window % 2 == 1
            hundredth, [one] = _job(client, [f"{receivers.url}/{'slow' if slow else 'quick'}-{window}"])
            for _ in range(ROUNDS):
                _report(client, hundredth, BURST)
                seconds[slow].extend(_round(client, others, receivers))
            client.delete(f"/subscription/{one}").raise_for_status()
            receivers.release()
    return seconds


def _round(client: httpx.Client, job: str, receivers: Receivers) -> list[float]:
    """Report one event, wait until the other 99 have received it, and return the seconds until each arrival."""
    began = time.monotonic()
    sequence = _report(client, job, 1)
    arrived = receivers.wait(sequence, OTHERS, PATIENCE_SECONDS)
    if len(arrived) < OTHERS:
        raise AssertionError(f"{OTHERS - len(arrived)} messages did not arrive")
    return [at - began for at in arrived]


def _job(client: httpx.Client, urls: list[str]) -> tuple[str, list[str]]:
    """Create a job and its subscriptions."""
    subscriptions = [{"subscriptionType": "webhook", "webhookUrl": url, "events": ["milestone"]} for url in urls]
    response = client.post("/jobs", json={"jobName": "Bench", "jobType": "bench", "subscriptions": subscriptions})
    created = response.raise_for_status().json()
    return created["jobId"], [subscription["subscriptionId"] for subscription in created["subscriptions"]]


def _report(client: httpx.Client, job: str, count: int) -> int:
    events = [{"type": "milestone", "data": {"description": str(number)}} for number in range(count)]
    response = client.post(f"/job/{job}/events", json={"events": events})
    return int(response.raise_for_status().json()["lastSequence"])


@contextmanager
def _serving(module: str) -> Iterator[httpx.Client]:
    """Run a service until the block ends."""
    process = Popen([sys.executable, "-m", module, "serve", "--memory", "--port", "0"], stdout=PIPE, text=True)
    try:
        line = process.stdout.readline() if process.stdout else ""
        tenant = str(uuid.uuid4())
        base = f"{line.split()[-1]}/api/{tenant}/{uuid.uuid4()}/execution"
        headers = {"Authorization": f"Bearer {tokens.issue(tenant)}"}
        with httpx.Client(base_url=base, headers=headers, timeout=30, trust_env=False) as client:
            yield client
    finally:
        process.terminate()
        process.wait(30)


def _p99(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=100)[98]


def _p50(seconds: list[float]) -> float:
    return statistics.median(seconds)
