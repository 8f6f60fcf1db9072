"""The health of endpoints in DynamoDB: what is stored follows the rules, and no write undoes another."""

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from jobtrack import aws
from jobtrack.push.delivery.attempt import Outcome
from jobtrack.push.delivery.circuit_breaker import CircuitBreaker, Permit
from jobtrack.push.delivery.endpoint_health import (
    LEASE_SECONDS,
    MAX_ATTEMPTS,
    EndpointHealth,
    HealthUpdate,
    Lease,
    Refusal,
)
from jobtrack.push.delivery.endpoint_health_table import KEPT_SECONDS, EndpointHealthTable, endpoint_key
from jobtrack.push.messages.message import Lane
from jobtrack.store.ttl import encode_expiry
from jobtrack.times import add_seconds
from tests.pushing import NOW, Clock, after
from tests.retrying import instant_retry

pytestmark = pytest.mark.usefixtures("stack")

FULL = EndpointHealth(3, 20.0, after(5.5), after(35.0), after(300.25), after(-1.0))
LEASE = Lease(4, after(LEASE_SECONDS), "mine")
OTHER = Lease(4, after(LEASE_SECONDS), "other")
LATE = Lease(4, after(-0.5), "late")


def table(clock: Clock | None = None) -> EndpointHealthTable:
    return EndpointHealthTable(aws.client("dynamodb"), "DeliveriesTable", clock or Clock())


@pytest.mark.parametrize(
    "before", [EndpointHealth(), EndpointHealth(leases={4: OTHER}), EndpointHealth(leases={4: LATE}), FULL]
)
@pytest.mark.parametrize(
    "change",
    [
        HealthUpdate(take=LEASE),
        HealthUpdate(release=OTHER),
        HealthUpdate(0, FULL),
        HealthUpdate(1, EndpointHealth(1)),
        HealthUpdate(2, EndpointHealth(1)),
        HealthUpdate(0, FULL, take=LEASE),
        HealthUpdate(0, FULL, release=OTHER),
        HealthUpdate(1, EndpointHealth(failures=2), take=Lease(5, after(1.0), "mine")),
    ],
)
def test_a_write_does_what_the_rules_say(before: EndpointHealth, change: HealthUpdate) -> None:
    held = table()
    for slot in before.leases.values():
        assert held.write_health("e", HealthUpdate(take=slot))
    if before.failures:
        assert held.write_health("e", HealthUpdate(0, before))
    stored = held.read_health("e")
    assert stored.is_same(before)
    assert held.write_health("e", change) == change.is_allowed(stored, NOW)
    assert held.read_health("e") == (change.apply(stored) if change.is_allowed(stored, NOW) else stored)


def test_it_is_forgotten_a_day_after_the_last_word() -> None:
    held = table()
    held.write_health("e", HealthUpdate(take=LEASE))
    item = held.dynamodb.get_item(TableName=held.name, Key=endpoint_key("e"))["Item"]
    assert item["exp"] == encode_expiry(after(KEPT_SECONDS))


def breaker(clock: Clock, held: EndpointHealthTable) -> CircuitBreaker:
    return CircuitBreaker(held, clock, lambda: 0.5, instant_retry(clock.pass_by))


@pytest.mark.parametrize("lane", ["normal", "slow"])
def test_an_endpoint_of_which_nothing_is_known_gets_so_many_attempts_at_once(lane: Lane) -> None:
    clock = Clock()
    held = table(clock)
    doors = breaker(clock, held)
    inside = [doors.acquire("e", lane, held.read_health("e")) for _ in range(MAX_ATTEMPTS[lane])]
    assert all(isinstance(one, Permit) for one in inside)
    assert doors.acquire("e", lane, held.read_health("e")) is Refusal.FULL
    assert isinstance(doors.acquire("another", lane, EndpointHealth()), Permit)
    assert isinstance(inside[3], Permit)
    doors.release(inside[3], Outcome.FAILED, 0.1)
    assert isinstance(doors.acquire("e", lane, held.read_health("e")), Permit)


def test_an_outcome_is_told_though_others_were_faster() -> None:
    clock = Clock()
    held = table(clock)
    doors = breaker(clock, held)
    inside = [doors.acquire("e", "normal", held.read_health("e")) for _ in range(12)]
    for one in inside:
        assert isinstance(one, Permit)
        doors.release(one, Outcome.FAILED, 0.1)
    known = held.read_health("e")
    assert (known.failures, known.leases) == (12, {})
    assert after(10) <= known.open_until < after(12)  # both gave way to the other


def test_a_lease_that_ran_out_and_is_anothers_now_is_left_alone() -> None:
    clock = Clock()
    held = table(clock)
    doors = breaker(clock, held)
    first = doors.acquire("e", "slow", held.read_health("e"))
    assert isinstance(first, Permit)
    assert first.lease
    clock.pass_by(LEASE_SECONDS + 1)
    theirs = Lease(first.lease.slot, add_seconds(clock.now, LEASE_SECONDS), "theirs")
    assert held.write_health("e", HealthUpdate(take=theirs))
    doors.release(first, Outcome.FAILED, 0.1)
    known = held.read_health("e")
    assert (known.failures, known.leases) == (1, {theirs.slot: theirs})


def test_what_cannot_be_remembered_fails_no_message(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    held = table(clock)
    doors = breaker(clock, held)
    inside = doors.acquire("e", "normal", held.read_health("e"))
    assert isinstance(inside, Permit)

    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "UpdateItem")

    calls: Callable[..., None] = held.dynamodb.meta.events.register
    calls("before-call.dynamodb.UpdateItem", refuse)
    doors.release(inside, Outcome.DELIVERED, 0.1)
    assert "endpoint e was not stored" in caplog.text
    with pytest.raises(ClientError):
        doors.acquire("e", "normal", held.read_health("e"))
