"""The limits of an endpoint hold for any order of arrivals, responses, crashes and pauses."""

from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec.structs import replace

from jobtrack import times
from jobtrack.push.delivery import endpoint_health
from jobtrack.push.delivery.attempt import Outcome
from jobtrack.push.delivery.circuit_breaker import LEASE_WAIT_SECONDS, CircuitBreaker, Permit
from jobtrack.push.delivery.endpoint_health import (
    FIRST_OPEN_SECONDS,
    LEASE_SECONDS,
    LONGEST_OPEN_SECONDS,
    MAX_ATTEMPTS,
    OPENING_FAILURES,
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
from jobtrack.push.delivery.retry_schedule import (
    FIRST_DELAY_SECONDS,
    JITTER,
    LATER_DELAY_SECONDS,
    LONGEST_SPREAD_SECONDS,
    LONGEST_WAIT_SECONDS,
    next_breaker_check,
    next_lease_check,
)
from jobtrack.push.messages.message import Lane
from jobtrack.times import Micros, add_seconds, seconds_between
from tests.retrying import instant_retry

NOW = times.parse("2026-11-23T10:45:33Z")
TIMEOUT_SECONDS = 30
"""The longest life of a deliverer's process."""
DAY = 24 * 3600
outcomes = st.sampled_from(list(Outcome))
lanes = st.sampled_from(["normal", "slow"])
chances = st.floats(0, 1)
MOMENTS = st.integers(0, times.LATEST).map(Micros)


@dataclass
class Memory:
    """A table of one endpoint with DynamoDB's guarantees and a history."""

    now: Micros = NOW
    held: EndpointHealth = field(default_factory=EndpointHealth)

    def __post_init__(self) -> None:
        self.past = deque([self.held], maxlen=8)

    def read_health(self, _: str) -> EndpointHealth:
        return self.held

    def write_health(self, _: str, change: HealthUpdate) -> bool:
        if not change.is_allowed(self.held, self.now):
            return False
        self.held = change.apply(self.held)
        self.past.append(self.held)
        return True

    def pass_by(self, seconds: float) -> None:
        self.now = add_seconds(self.now, seconds)


@dataclass
class Flight:
    """An attempt in progress."""

    permit: Permit
    began: Micros


class Endpoint(RuleBasedStateMachine):
    """Many deliverers of one endpoint, some with outdated data, some of which crash."""

    def __init__(self) -> None:
        super().__init__()
        self.table = Memory()
        self.flights: list[Flight] = []
        self.probes_since_opened = 0
        self.chance = 0.5
        names = iter(range(10**9))
        self.breaker = CircuitBreaker(
            self.table,  # type: ignore[arg-type]
            lambda: self.table.now,
            lambda: self.chance,
            instant_retry(),
            lambda: str(next(names)),
        )

    @rule(lane=lanes, age=st.integers(0, 7), chance=chances)
    def a_message_comes(self, lane: Lane, age: int, chance: float) -> None:
        self.chance, past = chance, self.table.past
        known = past[max(0, len(past) - 1 - age)]
        opened, fresh = self.table.held.open_until, known is self.table.held
        found = self.breaker.acquire("endpoint", lane, known)
        if not isinstance(found, Permit):
            return
        assert not fresh or self.table.now >= opened
        self.flights.append(Flight(found, self.table.now))
        if found.probe:
            self.probes_since_opened += 1
            assert self.probes_since_opened == 1

    @precondition(lambda self: self.flights)
    @rule(which=st.integers(0, 100), outcome=outcomes, seconds=st.floats(0, 12), chance=chances)
    def an_attempt_ends(self, which: int, outcome: Outcome, seconds: float, chance: float) -> None:
        self.chance, flight = chance, self.flights.pop(which % len(self.flights))
        opened = self.table.held.open_until
        self.breaker.release(flight.permit, outcome, seconds)
        if self.table.held.open_until != opened or (flight.permit.probe and outcome is Outcome.NOT_SENT):
            self.probes_since_opened = 0
        if flight.permit.lease:
            assert flight.permit.lease not in self.table.held.leases.values()

    @precondition(lambda self: self.flights)
    @rule(which=st.integers(0, 100))
    def an_answer_is_awaited_for_long(self, which: int) -> None:
        self.breaker.mark_slow(self.flights[which % len(self.flights)].permit)
        assert self.table.held.is_slow(self.table.now)

    @precondition(lambda self: self.flights)
    @rule(which=st.integers(0, 100))
    def a_process_ends(self, which: int) -> None:
        self._crash(self.flights.pop(which % len(self.flights)))

    @rule(seconds=st.floats(0, 60) | st.floats(0, 900))
    def time_goes_by(self, seconds: float) -> None:
        self.table.now = add_seconds(self.table.now, seconds)
        for flight in [one for one in self.flights if seconds_between(one.began, self.table.now) > TIMEOUT_SECONDS]:
            self.flights.remove(flight)
            self._crash(flight)

    def _crash(self, flight: Flight) -> None:
        if flight.permit.probe:
            self.probes_since_opened = 0  # another may follow after its time is over

    @invariant()
    def no_more_attempts_are_under_way_than_may_be(self) -> None:
        leased = [flight.permit for flight in self.flights if flight.permit.lease]
        assert len(leased) <= MAX_ATTEMPTS["normal"]
        assert sum(one.lane == "slow" for one in leased) <= MAX_ATTEMPTS["slow"]
        assert len({one.lease.slot for one in leased if one.lease}) == len(leased)
        assert all(flight.permit.lease for flight in self.flights if flight.permit.lane == "slow")

    @invariant()
    def one_probe_at_most_is_under_way(self) -> None:
        assert sum(flight.permit.probe for flight in self.flights) <= 1


TestEndpoint = Endpoint.TestCase
TestEndpoint.settings = settings(max_examples=40, stateful_step_count=50, deadline=None)


def after(seconds: float) -> Micros:
    return add_seconds(NOW, seconds)


def failed(known: EndpointHealth, times: int, now: Micros = NOW) -> EndpointHealth:
    for _ in range(times):
        known = health_after(known, "normal", Outcome.FAILED, 0.1, now, 0.5, probe=False)
    return known


def test_the_breaker_opens_at_the_tenth_failure_in_a_row() -> None:
    nearly = failed(EndpointHealth(), OPENING_FAILURES - 1)
    assert isinstance(admit(nearly, "normal", NOW, 0, "a"), Admission)
    answered = health_after(nearly, "normal", Outcome.DELIVERED, 0.1, NOW, 0.5, probe=False)
    assert failed(answered, OPENING_FAILURES - 1).open_seconds == 0
    opened = failed(nearly, 1)
    assert admit(opened, "normal", NOW, 0, "a") == Open(after(FIRST_OPEN_SECONDS))
    assert admit(opened, "slow", after(9.9), 0, "a") == Open(after(FIRST_OPEN_SECONDS))


@given(chances)
def test_each_probe_in_vain_doubles_the_wait_up_to_ten_minutes(chance: float) -> None:
    known, now, waits = failed(EndpointHealth(), OPENING_FAILURES), NOW, []
    for _ in range(10):
        now = known.open_until
        found = admit(known, "normal", now, chance, "a")
        assert isinstance(found, Admission)
        assert found.probe
        assert found.update
        claimed = found.update.apply(known)
        assert isinstance(admit(claimed, "normal", now, chance, "b"), Open)
        known = health_after(claimed, "normal", Outcome.FAILED, 0.1, add_seconds(now, 1), chance, probe=True)
        waits.append(seconds_between(now, known.open_until) - 1)
    plain = [20, 40, 80, 160, 320, *[LONGEST_OPEN_SECONDS] * 5]
    assert waits == pytest.approx([wait * (0.8 + 0.4 * chance) for wait in plain], abs=1e-3)


@pytest.mark.parametrize("outcome", [Outcome.DELIVERED, Outcome.GONE])
def test_an_answer_to_the_probe_closes_the_breaker(outcome: Outcome) -> None:
    opened = failed(EndpointHealth(), 3 * OPENING_FAILURES)
    closed = health_after(opened, "normal", outcome, 0.1, after(11), 0.5, probe=True)
    assert (closed.failures, closed.open_seconds, closed.open_until) == (0, 0, 0)
    assert isinstance(admit(closed, "normal", after(11), 0, "a"), Admission)


def test_failures_of_what_was_under_way_do_not_lengthen_the_wait() -> None:
    opened = failed(EndpointHealth(), OPENING_FAILURES)
    assert failed(opened, 15, after(5)).open_until == opened.open_until


def test_a_probe_whose_process_ended_is_followed_by_another() -> None:
    opened = failed(EndpointHealth(), OPENING_FAILURES)
    found = admit(opened, "normal", opened.open_until, 0, "a")
    assert isinstance(found, Admission)
    assert found.update
    claimed = found.update.apply(opened)
    still = admit(claimed, "normal", add_seconds(opened.open_until, LEASE_SECONDS - 1), 0, "b")
    again = admit(claimed, "normal", add_seconds(opened.open_until, LEASE_SECONDS + 1), 0, "b")
    assert isinstance(still, Open)
    assert isinstance(again, Admission)
    assert again.probe


@given(st.lists(st.floats(0, 300), min_size=10, max_size=400), chances)
def test_a_dead_endpoint_gets_few_attempts_however_many_messages_come(pauses: list[float], chance: float) -> None:
    """Further attempts than those that open the breaker: one per open period, which doubles up to ten minutes."""
    known, now, attempts = EndpointHealth(), NOW, 0
    for number, pause in enumerate(pauses):
        now = add_seconds(now, pause)
        found = admit(known, "normal", now, chance, str(number))
        if isinstance(found, Admission):
            attempts += 1
            known = found.update.apply(known) if found.update else known
            known = health_after(known, "normal", Outcome.FAILED, 0.1, now, chance, found.probe)
            known = replace(known, leases={})
    doublings = 7
    assert attempts <= OPENING_FAILURES + doublings + seconds_between(NOW, now) / (0.8 * LONGEST_OPEN_SECONDS)


def test_a_slow_answer_moves_the_endpoint_to_the_slow_lane_for_five_minutes() -> None:
    slow = health_after(EndpointHealth(), "normal", Outcome.DELIVERED, 2.1, NOW, 0.5, probe=False)
    assert admit(slow, "normal", after(299), 0, "a") is Refusal.SLOW
    assert isinstance(admit(slow, "slow", after(299), 0, "a"), Admission)
    assert isinstance(admit(slow, "normal", after(300), 0, "a"), Admission)
    assert marked_slow(slow, after(10)) == slow
    assert marked_slow(slow, after(100)).slow_until == after(400)


def test_a_quick_answer_in_the_slow_lane_ends_that_but_proves_nothing_yet() -> None:
    slow = marked_slow(EndpointHealth(fast_at=NOW), NOW)
    quick = health_after(slow, "slow", Outcome.DELIVERED, 0.2, after(5), 0.5, probe=False)
    assert not quick.is_slow(after(5))
    assert not quick.is_fast(after(5))
    assert health_after(slow, "slow", Outcome.FAILED, 0.2, after(5), 0.5, probe=False).is_slow(after(5))
    assert health_after(slow, "slow", Outcome.DELIVERED, 2.5, after(100), 0.5, probe=False).slow_until == after(400)


def test_what_is_known_to_be_fast_is_sent_to_without_a_write() -> None:
    fast = health_after(EndpointHealth(), "normal", Outcome.DELIVERED, 0.1, NOW, 0.5, probe=False)
    assert admit(fast, "normal", after(599), 0, "a") == Admission()
    assert admit(fast, "normal", after(600), 0, "a") != Admission()
    assert health_after(fast, "normal", Outcome.DELIVERED, 0.1, after(299), 0.5, probe=False) == fast
    assert health_after(fast, "normal", Outcome.DELIVERED, 0.1, after(300), 0.5, probe=False).fast_at == after(300)
    assert not health_after(fast, "normal", Outcome.FAILED, 0.1, after(1), 0.5, probe=False).is_fast(after(1))


@given(chances, lanes)
def test_the_leases_are_as_many_as_may_be_and_come_back_by_themselves(chance: float, lane: Lane) -> None:
    known = EndpointHealth()
    for number in range(MAX_ATTEMPTS[lane]):
        found = admit(known, lane, NOW, chance, str(number))
        assert isinstance(found, Admission)
        assert found.update
        known = found.update.apply(known)
    assert len(known.leases) == MAX_ATTEMPTS[lane]
    assert admit(known, lane, after(LEASE_SECONDS), chance, "x") is Refusal.FULL
    assert isinstance(admit(known, lane, after(LEASE_SECONDS + 0.001), chance, "x"), Admission)


@given(MOMENTS, st.text("0123456789abcdef", min_size=1), MOMENTS)
def test_stored_leases_compare_by_their_time(until: Micros, name: str, now: Micros) -> None:
    lease = Lease(3, until, name)
    assert Lease.parse(3, lease.text) == lease
    assert (lease.text < f"{now:018d}") == (lease.until < now)


def test_a_burst_waits_a_moment_for_an_endpoint_that_answers_at_once() -> None:
    table, slept = Memory(), list[float]()
    breaker = CircuitBreaker(table, lambda: table.now, lambda: 0.5, instant_retry(slept.append), lambda: "a")  # type: ignore[arg-type]
    full = EndpointHealth(leases={slot: Lease(slot, after(30), "b") for slot in range(MAX_ATTEMPTS["normal"])})
    table.held = full
    assert breaker.acquire("endpoint", "normal", full) is Refusal.FULL
    assert slept == list(LEASE_WAIT_SECONDS)
    assert breaker.acquire("endpoint", "slow", full) is Refusal.FULL
    assert slept == list(LEASE_WAIT_SECONDS)
    table.held = EndpointHealth(fast_at=NOW, leases=full.leases)
    assert isinstance(breaker.acquire("endpoint", "normal", full), Permit)


def test_what_is_put_off_comes_back_later_each_time() -> None:
    looks = [seconds_between(NOW, next_lease_check(waits, NOW, 0.5)) for waits in range(12)]
    assert looks[:4] == [2, 4, 8, 16]
    assert all(earlier <= later for earlier, later in pairwise(looks))
    assert looks[-1] == LONGEST_WAIT_SECONDS
    assert next_lease_check(1000, NOW, 1) <= after(1.5 * LONGEST_WAIT_SECONDS)
    assert [next_breaker_check(NOW, 0, chance) for chance in (0, 1)] == [NOW, after(2)]
    assert next_breaker_check(NOW, 1000, 1) == after(LONGEST_SPREAD_SECONDS)


def test_nothing_is_open_longer_than_the_schedules_later_delays() -> None:
    """So a single message to a dead receiver is attempted when its own schedule says."""
    opened_from = FIRST_DELAY_SECONDS[OPENING_FAILURES - 1 :] or (LATER_DELAY_SECONDS,)
    assert min(opened_from) * (1 - JITTER) > LONGEST_OPEN_SECONDS * (1 + endpoint_health.JITTER)
