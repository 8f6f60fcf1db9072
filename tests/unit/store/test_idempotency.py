"""What makes two requests the same."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobtrack.domain.journal.packing import pack
from jobtrack.errors import IdempotencyMismatch
from jobtrack.keys import JobKey, ProjectKey
from jobtrack.store.idempotency import Idempotency, fingerprint

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


def test_an_answer_is_replayed_to_the_same_body_only() -> None:
    stored = {"h": {"S": "body"}, "a": {"B": pack({"accepted": 1})}}
    assert Idempotency(JOB, "r", "k", "body").replay(stored) == {"accepted": 1}
    with pytest.raises(IdempotencyMismatch):
        Idempotency(JOB, "r", "k", "another").replay(stored)
