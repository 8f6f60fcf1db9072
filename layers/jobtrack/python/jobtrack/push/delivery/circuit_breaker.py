"""Who is let through to an endpoint, and what is remembered of how it went."""

import logging
import random
import time
import uuid
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from jobtrack.classes import frozen, service
from jobtrack.push.delivery.endpoint_health import (
    QUICK_SECONDS,
    EndpointHealth,
    HealthUpdate,
    Lease,
    Open,
    Outcome,
    Pass,
    Refusal,
    admit,
    after,
    noted_slow,
)
from jobtrack.push.delivery.endpoint_health_table import EndpointHealthTable
from jobtrack.push.messages.message import Lane
from jobtrack.retry import RETRY, Retry

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = (0.1, 0.2, 0.4)
"""The waits for a free lease in the normal lane: a burst to an endpoint that answers at once is over by then."""


@frozen
class Permit:
    """A message on its way to an endpoint: what was known of it then, and the lease that it goes under, if any."""

    endpoint: str
    lane: Lane
    health: EndpointHealth
    lease: Lease | None
    probe: bool


@service
class CircuitBreaker:
    """Guards the endpoints: `enter` before each attempt, `leave` after it."""

    table: EndpointHealthTable
    clock: Callable[[], float] = time.time
    random: Callable[[], float] = random.random
    retry: Retry = RETRY
    name: Callable[[], str] = lambda: uuid.uuid4().hex[:12]

    def enter(self, endpoint: str, lane: Lane, health: EndpointHealth) -> Permit | Open | Refusal:
        """Let the message through, or say why not; `health` is what was just read."""
        found = self._enter(endpoint, lane, health)
        for pause in PATIENCE_SECONDS if lane == "normal" else ():
            if found is not Refusal.FULL:
                break
            self.retry.sleep(pause)
            found = self._enter(endpoint, lane, self.table.get(endpoint))
        return found

    def _enter(self, endpoint: str, lane: Lane, health: EndpointHealth) -> Permit | Open | Refusal:
        for attempt in self.retry.attempts():
            if attempt:
                health = self.table.get(endpoint)
            found = admit(health, lane, self.clock(), self.random(), self.name())
            if not isinstance(found, Pass):
                return found
            if found.change is None or self.table.write(endpoint, found.change):
                return Permit(endpoint, lane, *_written(health, found), found.probe)
        return Refusal.FULL

    def leave(self, passage: Permit, outcome: Outcome, seconds: float = 0.0) -> EndpointHealth:
        """Give the lease back, remember the outcome of an attempt that took so long, and tell what is known now.

        What cannot be written is left: a lease runs out, and the next attempt tells as much.
        """

        def judged(health: EndpointHealth) -> EndpointHealth:
            now, chance = self.clock(), self.random()
            return after(health, passage.lane, outcome, seconds, now, chance, passage.probe)

        return self._note(passage, judged, seconds > QUICK_SECONDS, passage.lease)

    def note_slow(self, passage: Permit) -> None:
        """Remember that an answer is awaited for too long; the attempt goes on."""
        self._note(passage, lambda health: noted_slow(health, self.clock()), True)

    def _note(
        self,
        passage: Permit,
        judged: Callable[[EndpointHealth], EndpointHealth],
        late: bool,
        lease: Lease | None = None,
    ) -> EndpointHealth:
        try:
            return self._noted(passage, judged, late, lease)
        except (BotoCoreError, ClientError):
            logger.warning("endpoint %s could not be remembered", passage.endpoint, exc_info=True)
            return passage.health

    def _noted(
        self, passage: Permit, judged: Callable[[EndpointHealth], EndpointHealth], late: bool, lease: Lease | None
    ) -> EndpointHealth:
        """Write what follows for the endpoint; where it is `late`, much may have changed since the message came."""
        health = self.table.get(passage.endpoint) if late else passage.health
        for attempt in self.retry.attempts():
            if attempt:
                health = self.table.get(passage.endpoint)
            state = judged(health)
            held = lease if lease and health.leases.get(lease.slot) == lease else None
            changed = not state.same(health)
            if not changed and held is None:
                return health
            if self.table.write(
                passage.endpoint, HealthUpdate(health.version, state if changed else None, release=held)
            ):
                return state
        logger.warning("endpoint %s is too busy to be remembered", passage.endpoint)
        if lease:
            self.table.write(passage.endpoint, HealthUpdate(release=lease))
        return health


def _written(health: EndpointHealth, found: Pass) -> tuple[EndpointHealth, Lease | None]:
    """What is stored now, as far as is known, and the lease."""
    if found.change is None:
        return health, None
    return found.change.applied(health), found.change.take
