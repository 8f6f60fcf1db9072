"""Leases and probes of endpoints on a real engine: independent threads respect the limits."""

import random
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from jobtrack import times
from jobtrack.push.delivery.attempt import Outcome
from jobtrack.push.delivery.circuit_breaker import CircuitBreaker, Permit
from jobtrack.push.delivery.endpoint_health import MAX_ATTEMPTS, EndpointHealth, HealthUpdate
from jobtrack.push.delivery.endpoint_health_table import EndpointHealthTable
from tests.e2e.engine import Kept
from tests.e2e.running import Service

THREADS = 16
MESSAGES = 160


@pytest.fixture
def table(service: Service) -> EndpointHealthTable:
    kept = Kept(service)
    return EndpointHealthTable(kept.dynamodb, kept.names["DeliveriesTable"])


@dataclass
class Count:
    """The number of concurrent attempts."""

    inside: int = 0
    most: int = 0
    entered: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, number: int) -> None:
        with self.lock:
            self.inside += number
            self.entered += max(0, number)
            self.most = max(self.most, self.inside)


def test_no_more_attempts_are_under_way_than_there_are_leases(table: EndpointHealthTable) -> None:
    endpoint, count = str(uuid.uuid4()), Count()
    breaker = CircuitBreaker(table)

    def attempt(_: int) -> None:
        found = breaker.acquire(endpoint, "slow", table.read_health(endpoint))
        if isinstance(found, Permit):
            count.add(1)
            time.sleep(random.random() / 5)
            count.add(-1)
            breaker.release(found, Outcome.DELIVERED, 3.0)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(attempt, range(MESSAGES)))
    assert 1 < count.most <= MAX_ATTEMPTS["slow"] < count.entered
    known = table.read_health(endpoint)
    assert known.leases == {}
    assert known.is_slow(times.now())


def test_of_many_at_a_half_open_breaker_one_is_let_through(table: EndpointHealthTable) -> None:
    endpoint, breaker = str(uuid.uuid4()), CircuitBreaker(table)
    opened = EndpointHealth(10, 10.0, times.add_seconds(times.now(), -1))
    assert table.write_health(endpoint, HealthUpdate(0, opened))
    stale, together = table.read_health(endpoint), threading.Barrier(THREADS)

    def attempt(_: int) -> object:
        together.wait(30)
        return breaker.acquire(endpoint, "normal", stale)

    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(attempt, range(THREADS)))
    [permit] = [one for one in found if isinstance(one, Permit)]
    assert permit.probe
    breaker.release(permit, Outcome.DELIVERED, 0.1)
    assert isinstance(breaker.acquire(endpoint, "normal", table.read_health(endpoint)), Permit)


def test_every_failure_of_many_at_once_counts(table: EndpointHealthTable) -> None:
    endpoint, breaker = str(uuid.uuid4()), CircuitBreaker(table)
    inside = [breaker.acquire(endpoint, "normal", table.read_health(endpoint)) for _ in range(10)]

    def fail(permit: object) -> None:
        assert isinstance(permit, Permit)
        breaker.release(permit, Outcome.FAILED, 0.1)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(fail, inside))
    known = table.read_health(endpoint)
    assert (known.failures, known.leases) == (10, {})
    assert known.open_until > times.now()
