"""Cursors."""

import base64
import hashlib

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobtrack.api import cursors
from jobtrack.errors import Unprocessable

JOB = "cc0e8400-e29b-41d4-a716-446655440000"
places = st.tuples(st.integers(-(10**18) + 1, 10**18 - 1), st.integers(0, 10**12 - 1))
directions = st.sampled_from(["forward", "backward"])


@given(st.uuids().map(str), directions, places)
def test_a_cursor_leads_back_to_its_place(job: str, direction: str, place: tuple[int, int]) -> None:
    cursor = cursors.encode(job, direction, place)
    assert cursors.decode(job, direction, cursor) == place
    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@given(places, st.data())
def test_a_changed_cursor_is_refused(place: tuple[int, int], data: st.DataObject) -> None:
    cursor = cursors.encode(JOB, "forward", place)
    at = data.draw(st.integers(0, len(cursor) - 1))
    other = data.draw(st.characters().filter(lambda character: character != cursor[at]))
    for changed in (cursor[:at] + other + cursor[at + 1 :], cursor[:at] + cursor[at + 1 :], cursor[:at], cursor + "A"):
        refuse(JOB, "forward", changed)


@pytest.mark.parametrize(("job", "direction"), [(JOB[:-1] + "1", "forward"), (JOB, "backward")])
def test_a_cursor_is_of_its_job_and_direction(job: str, direction: str) -> None:
    refuse(job, direction, cursors.encode(JOB, "forward", (1, 2)))


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda data: base64.urlsafe_b64encode(data).decode()))
def test_no_text_does_harm(text: str) -> None:
    refuse(JOB, "forward", text)


@pytest.mark.parametrize(
    "content", [[1], [1, 2, 3], ["a", 1], [1.5, 1], [True, 1], [1, None], [10**18, 1], [1, -1], {"a": 1, "b": 2}, None]
)
def test_a_forged_place_is_refused(content: object) -> None:
    told = orjson.dumps(content)
    seal = hashlib.sha256(f"{JOB}/forward/".encode() + told).digest()[:6]
    refuse(JOB, "forward", base64.urlsafe_b64encode(seal + told).decode().rstrip("="))


def refuse(job: str, direction: str, cursor: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        cursors.decode(job, direction, cursor)
    assert [fault.pointer for fault in refused.value.faults] == ["/query/cursor"]
