"""The health of an endpoint, and the rules that follow from it: circuit breaker, lanes, concurrent attempts.

An endpoint is a webhook URL of a tenant. Clock, randomness and the names of leases are passed in, so that the rules
are pure.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Self

from msgspec import Struct, field
from msgspec.structs import replace

from jobtrack import times
from jobtrack.push.delivery.attempt import Outcome
from jobtrack.push.messages.message import Lane
from jobtrack.times import Micros

OPENING_FAILURES = 10
"""How many failures in a row open the breaker."""
FIRST_OPEN_SECONDS = 10.0
LONGEST_OPEN_SECONDS = 600.0
"""How long the breaker stays open: twice as long after each failed probe."""
JITTER = 0.2
PROBE_RECHECK_SECONDS = 3.0
"""Delay before rechecking while a probe is running."""
SLOW_RESPONSE_SECONDS = 2.0
"""A response that takes longer makes its endpoint slow."""
SLOW_SECONDS = 300.0
FAST_SECONDS = 600.0
"""How long an endpoint counts as slow after a slow response, and as fast after a fast response."""
REFRESH_SECONDS = 60.0
"""An endpoint that was marked as slow less than this ago is not marked again, to save writes."""
MAX_ATTEMPTS: Mapping[Lane, int] = {"normal": 20, "slow": 10}
"""How many concurrent attempts an endpoint gets."""
LEASE_SECONDS = 35.0
"""Longer than the deliverer may run, so that the holder of an expired lease no longer sends."""


class Lease(Struct, frozen=True):
    """The right to one attempt: one of the endpoint's numbered slots, until a time, under a unique name."""

    slot: int
    until: Micros
    name: str

    @property
    def text(self) -> str:
        """The stored form of the lease, which sorts by time."""
        return f"{self.until:018d}#{self.name}"

    @classmethod
    def parse(cls, slot: int, text: str) -> Self:
        """Return the lease from its stored form."""
        until, _, name = text.partition("#")
        return cls(slot, Micros(int(until)), name)


class EndpointHealth(Struct, frozen=True):
    """The health of an endpoint as it is stored; `version` counts all changes except those of leases.

    The breaker is closed while `open_seconds` is 0. Once opened, it permits nothing until `open_until`, and then one
    probe at a time; the running probe has until `probe_until`.
    """

    failures: int = 0
    open_seconds: float = 0.0
    open_until: Micros = times.EPOCH
    probe_until: Micros = times.EPOCH
    slow_until: Micros = times.EPOCH
    fast_at: Micros = times.EPOCH
    version: int = 0
    leases: Mapping[int, Lease] = field(default_factory=dict)

    def is_slow(self, now: Micros) -> bool:
        """Return whether the endpoint responded slowly within the last minutes."""
        return now < self.slow_until

    def is_fast(self, now: Micros) -> bool:
        """Return whether the endpoint was fast within the last minutes, and neither slow nor failing since."""
        return not self.failures and not self.is_slow(now) and now < times.add_seconds(self.fast_at, FAST_SECONDS)

    def is_same(self, other: "EndpointHealth") -> bool:
        """Return whether both are the same, apart from leases and version."""
        return replace(self, version=0, leases={}) == replace(other, version=0, leases={})


class HealthUpdate(Struct, frozen=True):
    """A conditional write: a new health, if the stored version is still `seen`, and a lease to take or to release."""

    seen: int = 0
    health: EndpointHealth | None = None
    take: Lease | None = None
    release: Lease | None = None

    def is_allowed(self, stored: EndpointHealth, now: Micros) -> bool:
        """Return whether the stored health meets the conditions of the update."""
        current = self.health is None or stored.version == self.seen
        holder = stored.leases.get(self.take.slot) if self.take else None
        free = holder is None or holder.until < now
        return current and free and (self.release is None or stored.leases.get(self.release.slot) == self.release)

    def apply(self, stored: EndpointHealth) -> EndpointHealth:
        """Return the stored health after the update."""
        leases = {slot: lease for slot, lease in stored.leases.items() if lease != self.release}
        if self.take:
            leases[self.take.slot] = self.take
        if self.health is None:
            return replace(stored, leases=leases)
        return replace(self.health, version=self.seen + 1, leases=leases)


class Admission(Struct, frozen=True):
    """The message may be sent once `update`, if any, is stored; a probe's outcome closes or reopens the breaker."""

    update: HealthUpdate | None = None
    probe: bool = False


class Open(Struct, frozen=True):
    """The breaker is open, at least until this time."""

    until: Micros


class Refusal(Enum):
    """Why a message is not sent now although the breaker is closed."""

    SLOW = "the endpoint is slow, so the message belongs in the slow lane"
    FULL = "the endpoint has the maximum of concurrent attempts"


def admit(health: EndpointHealth, lane: Lane, now: Micros, random: float, name: str) -> Admission | Open | Refusal:
    """Decide whether a message of the lane may be sent now; `random` (0 to 1) chooses among the free leases."""
    if now < health.open_until:
        return Open(health.open_until)
    if now < health.probe_until:
        return Open(times.add_seconds(now, PROBE_RECHECK_SECONDS))
    if lane == "normal" and health.is_slow(now):
        return Refusal.SLOW
    if lane == "normal" and not health.open_seconds and health.is_fast(now):
        return Admission()
    if (lease := _free_lease(health, lane, now, random, name)) is None:
        return Refusal.FULL
    probing = replace(health, probe_until=lease.until) if health.open_seconds else None
    return Admission(HealthUpdate(health.version, probing, take=lease), probe=probing is not None)


def _free_lease(health: EndpointHealth, lane: Lane, now: Micros, random: float, name: str) -> Lease | None:
    taken = {slot for slot, lease in health.leases.items() if lease.until >= now}
    free = [slot for slot in range(MAX_ATTEMPTS[lane]) if slot not in taken]
    if not free:
        return None
    slot = free[min(int(random * len(free)), len(free) - 1)]
    return Lease(slot, times.add_seconds(now, LEASE_SECONDS), name)


def health_after(
    health: EndpointHealth, lane: Lane, outcome: Outcome, seconds: float, now: Micros, random: float, probe: bool
) -> EndpointHealth:
    """Return the health after an attempt; `random` (0 to 1) spreads how long the breaker is open."""
    if outcome is Outcome.NOT_SENT:
        return replace(health, probe_until=times.EPOCH) if probe else health
    failed = outcome is Outcome.FAILED
    judged = _after_failure(health, now, random, probe) if failed else _closed(health)
    if seconds > SLOW_RESPONSE_SECONDS:
        return marked_slow(judged, now)
    return judged if failed else _marked_fast(judged, lane, now)


def marked_slow(health: EndpointHealth, now: Micros) -> EndpointHealth:
    """Return the health after a late response."""
    if times.seconds_between(now, health.slow_until) > SLOW_SECONDS - REFRESH_SECONDS:
        return health
    return replace(health, slow_until=times.add_seconds(now, SLOW_SECONDS), fast_at=times.EPOCH)


def _marked_fast(health: EndpointHealth, lane: Lane, now: Micros) -> EndpointHealth:
    """In the slow lane, a fast response only ends the slowness: it does not prove that the normal lane is fast."""
    if lane == "slow":
        return replace(health, slow_until=times.EPOCH)
    return health if times.seconds_between(health.fast_at, now) < FAST_SECONDS / 2 else replace(health, fast_at=now)


def _closed(health: EndpointHealth) -> EndpointHealth:
    return replace(health, failures=0, open_seconds=0.0, open_until=times.EPOCH, probe_until=times.EPOCH)


def _after_failure(health: EndpointHealth, now: Micros, random: float, probe: bool) -> EndpointHealth:
    failed = replace(health, failures=health.failures + 1)
    if health.open_seconds and not probe:
        return failed  # this attempt was running when the breaker opened
    if failed.failures < OPENING_FAILURES:
        return failed
    open_seconds = min(2 * health.open_seconds, LONGEST_OPEN_SECONDS) or FIRST_OPEN_SECONDS
    until = times.add_seconds(now, open_seconds * (1 + JITTER * (2 * random - 1)))
    return replace(failed, open_seconds=open_seconds, open_until=until, probe_until=times.EPOCH)
