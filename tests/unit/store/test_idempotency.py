"""Idempotent writes: which requests are the same, and what a repeated one returns."""

import json
from functools import partial
from typing import Any, cast

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobtrack import times
from jobtrack.domain.job import Json
from jobtrack.errors import IdempotencyMismatch
from jobtrack.keys import JobKey, ProjectKey
from jobtrack.store.idempotency import Idempotency, fingerprint, write_once
from jobtrack.store.transactions import Cancelled, Refusal, commit
from jobtrack.times import Micros
from tests.unit.memory_table import Table

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
JOB = JobKey("t", "p", "j")


@given(values)
def test_spaces_and_the_order_of_members_make_no_difference(value: object) -> None:
    one = orjson.loads(json.dumps(value, indent=2, sort_keys=True))
    other = orjson.loads(json.dumps(value, ensure_ascii=False))
    assert fingerprint(one) == fingerprint(other)


@given(values, values)
def test_other_values_make_another_fingerprint(one: object, other: object) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (fingerprint(one) == fingerprint(other)) == same


@pytest.mark.parametrize(
    ("one", "other"), [([1, 2], [2, 1]), (1, True), (1, "1"), (None, {}), ({"a": None}, {}), (1, 1.0)]
)
def test_what_is_not_the_same(one: object, other: object) -> None:
    assert fingerprint(one) != fingerprint(other)


def test_a_record_lies_apart_for_every_owner_route_and_key() -> None:
    owners = [JOB, JOB.owner, ProjectKey("t", "q")]
    made = [Idempotency(owner, route, key, "b") for owner in owners for route in ("r", "r2") for key in ("k", "\nk")]
    assert len({json.dumps(each.item_key) for each in made}) == len(made)


def test_a_clients_text_makes_no_key() -> None:
    (sort_key,) = Idempotency(JOB, "/events", "O#000000000001", "b").item_key["sk"].values()
    assert sort_key.startswith("I#")
    assert "O#" not in sort_key


ITEM = {"pk": {"S": "t#p#j"}, "sk": {"S": "written"}}


def write(
    table: Table, idempotency: Idempotency | None, response: Json, now: Micros = times.EPOCH
) -> tuple[Json, bool]:
    """Write `ITEM` once."""
    dynamodb = cast("Any", table)
    return write_once(
        "jobs",
        idempotency,
        response,
        now,
        lambda more: commit(dynamodb, [{"Put": {"TableName": "jobs", "Item": ITEM}}, *more]),
    )


def test_a_repeated_request_gets_the_first_response_and_writes_nothing() -> None:
    table, key = Table(), Idempotency(JOB, "r", "k", "body")
    assert write(table, key, {"number": 1}) == ({"number": 1}, False)
    assert key.read_response(cast("Any", table), "jobs", times.EPOCH) == {"number": 1}
    stored = dict(table.held)
    assert write(table, key, {"number": 2}) == ({"number": 1}, True)
    assert table.held == stored


def test_another_body_under_the_same_key_is_refused() -> None:
    table = Table()
    write(table, Idempotency(JOB, "r", "k", "body"), {})
    other = Idempotency(JOB, "r", "k", "another")
    with pytest.raises(IdempotencyMismatch):
        write(table, other, {})
    with pytest.raises(IdempotencyMismatch):
        other.read_response(cast("Any", table), "jobs", times.EPOCH)


def test_an_expired_response_is_forgotten() -> None:
    after = partial(times.add_seconds, times.EPOCH)
    table, key = Table(), Idempotency(JOB, "r", "k", "body", seconds=10)
    write(table, key, {"number": 1}, now=after(100))
    assert key.read_response(cast("Any", table), "jobs", after(109)) == {"number": 1}
    assert key.read_response(cast("Any", table), "jobs", after(110)) is None
    assert write(table, key, {"number": 2}, now=after(110)) == ({"number": 2}, False)


def test_without_a_key_every_request_is_the_first() -> None:
    table = Table()
    assert [write(table, None, {"number": number}) for number in (1, 2)] == [
        ({"number": 1}, False),
        ({"number": 2}, False),
    ]


def test_a_transaction_that_another_condition_cancels_stays_cancelled() -> None:
    def fail(actions: object) -> None:
        raise Cancelled([Refusal(0, ITEM)])

    with pytest.raises(Cancelled):
        write_once("jobs", Idempotency(JOB, "r", "k", "body"), {}, times.EPOCH, fail)
