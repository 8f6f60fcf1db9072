"""Cursors."""

import base64
import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobtrack import times
from jobtrack.api import cursors
from jobtrack.api.cursors import JOURNAL, Format
from jobtrack.errors import Unprocessable
from jobtrack.store.status_index import Place

JOB = "cc0e8400-e29b-41d4-a716-446655440000"
LIST = f"{JOB}/forward"
places = st.tuples(st.integers(-(10**18) + 1, 10**18 - 1), st.integers(0, 10**12 - 1))
directions = st.sampled_from(["forward", "backward"])


@given(st.uuids().map(str), directions, places)
def test_a_cursor_leads_back_to_its_position(job: str, direction: str, place: tuple[int, int]) -> None:
    cursor = encoded(place, f"{job}/{direction}")
    assert cursors.decode(f"{job}/{direction}", JOURNAL, cursor) == place
    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@given(places, st.data())
def test_a_changed_cursor_is_refused(place: tuple[int, int], data: st.DataObject) -> None:
    cursor = encoded(place)
    at = data.draw(st.integers(0, len(cursor) - 1))
    other = data.draw(st.characters().filter(lambda character: character != cursor[at]))
    for changed in (cursor[:at] + other + cursor[at + 1 :], cursor[:at] + cursor[at + 1 :], cursor[:at], cursor + "A"):
        refuse(LIST, changed)


@pytest.mark.parametrize("other", [f"{JOB[:-1]}1/forward", f"{JOB}/backward"])
def test_a_cursor_is_of_its_list(other: str) -> None:
    refuse(other, encoded((1, 2)))


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda data: base64.urlsafe_b64encode(data).decode()))
def test_no_text_does_harm(text: str) -> None:
    refuse(LIST, text)


@pytest.mark.parametrize("content", ["1", "1#2#3", "a#1", "1.5#1", "1#", "1#-1", f"{10**18}#1", "[1,2]", "1#2 ", ""])
def test_a_forged_position_is_refused(content: str) -> None:
    checksum = hashlib.sha256(f"{LIST}/{content}".encode()).digest()[:6]
    refuse(LIST, base64.urlsafe_b64encode(checksum + content.encode()).decode().rstrip("="))


@pytest.mark.parametrize(
    ("position_format", "position"),
    [
        (cursors.JOBS, Place(times.parse("2023-11-14T22:13:20Z"), JOB)),
        (cursors.QUEUE, f"3#001700000000000000#{JOB}"),
        (cursors.SUBSCRIPTIONS, f"sub-{JOB}"),
        (cursors.DELIVERIES, "msg_000000000012_t0170000000000"),
    ],
)
def test_every_list_reads_its_own_positions(position_format: Format[object], position: object) -> None:
    cursor = cursors.encode("list", position_format.render(position))
    assert cursors.decode("list", position_format, cursor) == position


def test_pages_follow_each_other_until_the_last() -> None:
    numbers = [(number, 0) for number in range(5)]

    def read(after: tuple[int, int] | None) -> tuple[Sequence[tuple[int, int]], tuple[int, int] | None]:
        beyond = [number for number in numbers if after is None or number > after]
        return beyond[:2], beyond[1] if len(beyond) > 2 else None

    pages, cursor = [], None
    while True:
        page, cursor = cursors.read_page(LIST, JOURNAL, cursor, read)
        pages.append(page)
        if cursor is None:
            break
    assert pages == [numbers[:2], numbers[2:4], numbers[4:]]


def encoded(place: tuple[int, int], list_name: str = LIST) -> str:
    return cursors.encode(list_name, JOURNAL.render(place))


def refuse(list_name: str, cursor: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        cursors.decode(list_name, JOURNAL, cursor)
    assert [fault.pointer for fault in refused.value.faults] == ["/query/cursor"]
