"""Dataclasses whose methods are shared."""

from collections.abc import Callable
from dataclasses import asdict, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobtrack.classes import frozen, mutable, service


@frozen
class Point:
    x: int
    y: int = 0
    secret: str = field(default="", repr=False)


@frozen
class Place(Point):
    name: str = ""


@mutable
class Counter:
    count: int = 0
    seen: list[int] = field(default_factory=list)


@service
class Adder:
    clock: Callable[[], int]

    def next(self) -> int:
        return self.clock() + 1


@given(st.integers(), st.integers(), st.integers(), st.integers())
def test_values_are_equal_and_the_same_key_when_their_members_are(a: int, b: int, c: int, d: int) -> None:
    one, other = Point(a, b), Point(c, d)
    assert (one == other) == ((a, b) == (c, d))
    assert (len({one, other}) == 1) == ((a, b) == (c, d))


def test_a_value_of_another_class_is_another() -> None:
    others: list[object] = [Place(1), (1, 0, ""), 1]
    assert Point(1) not in others
    assert Place(1, name="here") == Place(1, name="here")


def test_a_value_shows_its_members_but_for_secrets() -> None:
    assert repr(Point(1, secret="whsec_")) == "Point(x=1, y=0)"


def test_values_are_dataclasses() -> None:
    assert replace(Point(1), y=2) == Point(1, 2)
    assert asdict(Place(1, 2, name="here")) == {"x": 1, "y": 2, "secret": "", "name": "here"}
    assert not hasattr(Point(1), "__dict__")


def test_what_changes_is_equal_for_now_and_no_key() -> None:
    one, other = Counter(), Counter()
    one.seen.append(1)
    assert one != other
    other.seen.append(1)
    assert one == other
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)


def test_a_service_is_itself_alone() -> None:
    one = Adder(lambda: 1)
    assert one.next() == 2
    assert one == one
    assert one != Adder(one.clock)
