"""What is known of an endpoint, and what it may be sent: circuit breaker, lanes, attempts at once.

An endpoint is a tenant's webhook URL. Times are epoch seconds; clock, randomness and the names of leases are passed in.
"""

from collections.abc import Mapping
from dataclasses import field, replace
from enum import Enum
from typing import Self

from jobtrack.classes import frozen
from jobtrack.push.messages.message import Lane

OPENING_FAILURES = 10
FIRST_OPEN_SECONDS = 10.0
LONGEST_OPEN_SECONDS = 600.0
JITTER = 0.2
PROBE_LOOK_SECONDS = 3.0
"""How soon who found a probe under way looks again."""
QUICK_SECONDS = 2.0
"""An answer that takes longer makes its endpoint slow."""
SLOW_SECONDS = 300.0
FAST_SECONDS = 600.0
"""How long an endpoint counts as slow, or as fast, after it was so."""
NOTED_AGAIN_SECONDS = 60.0
"""What was noted this short a time ago is not written anew."""
CAPS: Mapping[Lane, int] = {"normal": 20, "slow": 10}
"""How many attempts an endpoint gets at once."""
LEASE_SECONDS = 35.0
"""Longer than the deliverer may run, so that whoever holds a lease that ran out no longer sends."""


class Outcome(Enum):
    """What an attempt says of its endpoint."""

    ANSWERED = "2xx"
    GONE = "410"
    FAILED = "anything else, or no answer"
    NOT_SENT = "the message was not sent"


@frozen
class Lease:
    """The right to one attempt: one of the endpoint's numbered slots, until a time, under a name of its own."""

    slot: int
    until: float
    name: str

    @property
    def text(self) -> str:
        """As stored: sorts by its time."""
        return f"{self.until:017.6f}#{self.name}"

    @classmethod
    def read(cls, slot: int, text: str) -> Self:
        """Read what was stored."""
        until, _, name = text.partition("#")
        return cls(slot, float(until), name)


@frozen
class EndpointHealth:
    """One endpoint's, as stored; `version` counts the changes of all but its leases.

    The breaker is closed while `open_for` is 0. Opened, it lets nothing through until `open_until`, then one probe at a
    time; the one under way has until `probe_until`.
    """

    failures: int = 0
    open_for: float = 0.0
    open_until: float = 0.0
    probe_until: float = 0.0
    slow_until: float = 0.0
    fast_at: float = 0.0
    version: int = 0
    leases: Mapping[int, Lease] = field(default_factory=dict)

    def slow(self, now: float) -> bool:
        """Whether it recently took its time."""
        return now < self.slow_until

    def fast(self, now: float) -> bool:
        """Whether it recently answered at once, and nothing speaks against it since."""
        return not self.failures and not self.slow(now) and now < self.fast_at + FAST_SECONDS

    def same(self, other: "EndpointHealth") -> bool:
        """Whether they differ in leases and version at most."""
        return replace(self, version=0, leases={}) == replace(other, version=0, leases={})


@frozen
class HealthUpdate:
    """A conditional write: a new state, if nobody changed it meanwhile, and a lease taken or given back."""

    seen: int = 0
    state: EndpointHealth | None = None
    take: Lease | None = None
    release: Lease | None = None

    def holds(self, stored: EndpointHealth, now: float) -> bool:
        """Whether it may be written over what is stored."""
        current = self.state is None or stored.version == self.seen
        held = stored.leases.get(self.take.slot) if self.take else None
        free = held is None or held.until < now
        return current and free and (self.release is None or stored.leases.get(self.release.slot) == self.release)

    def applied(self, stored: EndpointHealth) -> EndpointHealth:
        """What is stored afterwards."""
        leases = {slot: lease for slot, lease in stored.leases.items() if lease != self.release}
        if self.take:
            leases[self.take.slot] = self.take
        if self.state is None:
            return replace(stored, leases=leases)
        return replace(self.state, version=self.seen + 1, leases=leases)


@frozen
class Pass:
    """The message may be sent, once `change` (if any) is written; the outcome of a probe decides about the breaker."""

    change: HealthUpdate | None = None
    probe: bool = False


@frozen
class Open:
    """The breaker is open; look again then."""

    until: float


class Refusal(Enum):
    """Why a message is not sent now, though the breaker is closed."""

    SLOW = "it belongs into the slow lane"
    FULL = "as many attempts as there may be are under way"


def admit(health: EndpointHealth, lane: Lane, now: float, random: float, name: str) -> Pass | Open | Refusal:
    """Whether a message of the lane may be sent now; `random` (0 to 1) chooses among the free leases."""
    if now < health.open_until:
        return Open(health.open_until)
    if now < health.probe_until:
        return Open(now + PROBE_LOOK_SECONDS)
    if lane == "normal" and health.slow(now):
        return Refusal.SLOW
    if lane == "normal" and not health.open_for and health.fast(now):
        return Pass()
    if (lease := _free(health, lane, now, random, name)) is None:
        return Refusal.FULL
    probing = replace(health, probe_until=lease.until) if health.open_for else None
    return Pass(HealthUpdate(health.version, probing, take=lease), probe=probing is not None)


def _free(health: EndpointHealth, lane: Lane, now: float, random: float, name: str) -> Lease | None:
    held = {slot for slot, lease in health.leases.items() if lease.until >= now}
    free = [slot for slot in range(CAPS[lane]) if slot not in held]
    if not free:
        return None
    slot = free[min(int(random * len(free)), len(free) - 1)]
    return Lease(slot, round(now + LEASE_SECONDS, 6), name)


def after(
    health: EndpointHealth, lane: Lane, outcome: Outcome, seconds: float, now: float, random: float, probe: bool
) -> EndpointHealth:
    """What is known after an attempt that took so long; `random` (0 to 1) spreads how long the breaker stays open."""
    if outcome is Outcome.NOT_SENT:
        return replace(health, probe_until=0.0) if probe else health
    judged = _failed(health, now, random, probe) if outcome is Outcome.FAILED else _closed(health)
    if seconds > QUICK_SECONDS:
        return noted_slow(judged, now)
    return judged if outcome is Outcome.FAILED else _noted_quick(judged, lane, now)


def noted_slow(health: EndpointHealth, now: float) -> EndpointHealth:
    """What is known once an answer is awaited for too long."""
    if health.slow_until - now > SLOW_SECONDS - NOTED_AGAIN_SECONDS:
        return health
    return replace(health, slow_until=now + SLOW_SECONDS, fast_at=0.0)


def _noted_quick(health: EndpointHealth, lane: Lane, now: float) -> EndpointHealth:
    """In the slow lane it ends the slowness only: what comes next has still to show that the endpoint is fast."""
    if lane == "slow":
        return replace(health, slow_until=0.0)
    return health if now - health.fast_at < FAST_SECONDS / 2 else replace(health, fast_at=now)


def _closed(health: EndpointHealth) -> EndpointHealth:
    return replace(health, failures=0, open_for=0.0, open_until=0.0, probe_until=0.0)


def _failed(health: EndpointHealth, now: float, random: float, probe: bool) -> EndpointHealth:
    failed = replace(health, failures=health.failures + 1)
    if health.open_for and not probe:
        return failed  # it was under way when the breaker opened
    if failed.failures < OPENING_FAILURES:
        return failed
    open_for = min(2 * health.open_for, LONGEST_OPEN_SECONDS) or FIRST_OPEN_SECONDS
    until = now + open_for * (1 + JITTER * (2 * random - 1))
    return replace(failed, open_for=open_for, open_until=until, probe_until=0.0)
