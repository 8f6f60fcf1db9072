"""The circuit breaker: decides whether messages may be sent to an endpoint, and stores the outcome of attempts.

`endpoint_health` has the rules. This module applies them to the table that all deliverers share.
"""

import logging
import random
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from jobtrack import times
from jobtrack.push.delivery.attempt import Outcome
from jobtrack.push.delivery.endpoint_health import (
    SLOW_RESPONSE_SECONDS,
    Admission,
    EndpointHealth,
    HealthUpdate,
    Lease,
    Open,
    Refusal,
    admit,
    health_after,
    marked_slow,
)
from jobtrack.push.delivery.endpoint_health_table import EndpointHealthTable
from jobtrack.push.messages.message import Lane
from jobtrack.retry import RETRY, Retry
from jobtrack.times import Micros
from jobtrack.transient_errors import passes

logger = logging.getLogger(__name__)

LEASE_WAIT_SECONDS = (0.1, 0.2, 0.4)
"""The waits for a free lease in the normal lane: a burst to a fast endpoint is over by then."""

Timer = Callable[[float, Callable[[], None]], Callable[[], None]]
"""Calls a function after a number of seconds, unless the function that it returns is called before."""


def start_timer(seconds: float, act: Callable[[], None]) -> Callable[[], None]:
    """Call `act` in another thread after a number of seconds; return the function that cancels the call."""
    timer = threading.Timer(seconds, act)
    timer.daemon = True
    timer.start()
    return timer.cancel


class Permit(Struct, frozen=True):
    """The permission for one attempt; `health` is the endpoint's health when the permission was given."""

    endpoint: str
    lane: Lane
    health: EndpointHealth
    lease: Lease | None
    probe: bool


class CircuitBreaker(Struct, eq=False):
    """Guards the endpoints: `acquire` a permit before each attempt, `release` it afterwards."""

    table: EndpointHealthTable
    clock: Callable[[], Micros] = times.now
    random: Callable[[], float] = random.random
    retry: Retry = RETRY
    new_name: Callable[[], str] = lambda: uuid.uuid4().hex[:12]
    timer: Timer = start_timer

    def acquire(self, endpoint: str, lane: Lane, health: EndpointHealth) -> Permit | Open | Refusal:
        """Return a permit, or the reason for the refusal; `health` was just read from the table."""
        decision = self._acquire(endpoint, lane, health)
        for seconds in LEASE_WAIT_SECONDS if lane == "normal" else ():
            if decision is not Refusal.FULL:
                break
            self.retry.sleep(seconds)
            decision = self._acquire(endpoint, lane, self.table.read_health(endpoint))
        return decision

    def _acquire(self, endpoint: str, lane: Lane, health: EndpointHealth) -> Permit | Open | Refusal:
        for attempt in self.retry.attempts():
            if attempt:
                health = self.table.read_health(endpoint)
            decision = admit(health, lane, self.clock(), self.random(), self.new_name())
            if not isinstance(decision, Admission):
                return decision
            update = decision.update
            if update is None:
                return Permit(endpoint, lane, health, None, decision.probe)
            if self.table.write_health(endpoint, update):
                return Permit(endpoint, lane, update.apply(health), update.take, decision.probe)
        return Refusal.FULL

    @contextmanager
    def watch(self, permit: Permit) -> Iterator[None]:
        """Mark the endpoint as slow as soon as the block takes longer than a fast response."""
        cancel = self.timer(SLOW_RESPONSE_SECONDS, lambda: self.mark_slow(permit))
        try:
            yield
        finally:
            cancel()

    def release(self, permit: Permit, outcome: Outcome, seconds: float = 0.0) -> EndpointHealth:
        """Return the lease, store the outcome of an attempt and its duration, and return the new health.

        A write that fails is only logged: the lease expires, and the next attempt shows the endpoint's health again.
        """

        def judge(health: EndpointHealth) -> EndpointHealth:
            return health_after(health, permit.lane, outcome, seconds, self.clock(), self.random(), permit.probe)

        return self._update(permit, judge, seconds > SLOW_RESPONSE_SECONDS, permit.lease)

    def mark_slow(self, permit: Permit) -> None:
        """Store that a response is late, while the attempt continues."""
        self._update(permit, lambda health: marked_slow(health, self.clock()), True)

    def _update(
        self,
        permit: Permit,
        judge: Callable[[EndpointHealth], EndpointHealth],
        late: bool,
        lease: Lease | None = None,
    ) -> EndpointHealth:
        try:
            return self._write_health(permit, judge, late, lease)
        except (BotoCoreError, ClientError) as error:
            message = "the health of endpoint %s was not stored: %s"
            logger.warning(message, permit.endpoint, error, exc_info=not passes(error))
            return permit.health

    def _write_health(
        self, permit: Permit, judge: Callable[[EndpointHealth], EndpointHealth], late: bool, lease: Lease | None
    ) -> EndpointHealth:
        """Store the judged health and release the lease.

        If `late`, the health is read again first, since it may have changed.
        """
        health = self.table.read_health(permit.endpoint) if late else permit.health
        for attempt in self.retry.attempts():
            if attempt:
                health = self.table.read_health(permit.endpoint)
            judged = judge(health)
            release = lease if lease and health.leases.get(lease.slot) == lease else None
            changed = not judged.is_same(health)
            if not changed and release is None:
                return health
            update = HealthUpdate(health.version, judged if changed else None, release=release)
            if self.table.write_health(permit.endpoint, update):
                return judged
        logger.warning("the health of endpoint %s was not stored: too many writers", permit.endpoint)
        if lease:
            self.table.write_health(permit.endpoint, HealthUpdate(release=lease))
        return health
