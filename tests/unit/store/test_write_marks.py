"""A writer finds its own mark, even if others wrote in between. If the mark may be lost, the result is unknown."""

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from jobtrack.store import write_marks

WRITERS = 12


def mark(writer: int, number: int) -> bytes:
    return writer.to_bytes(4) + number.to_bytes(4)


writes = st.lists(st.integers(0, WRITERS - 1), max_size=60)


@given(writes, writes)
def test_the_newest_mark_of_each_of_the_last_eight_writers_is_found(before: list[int], after: list[int]) -> None:
    held = b""
    for number, writer in enumerate([*before, 99, *after]):
        held = write_marks.add_mark(held, mark(writer, number))
    ours = mark(99, len(before))
    assert write_marks.contains_mark(held, ours) is (True if len(set(after)) < 8 else None)
    assert len(held) <= write_marks.MAX_BYTES


@given(writes)
def test_a_write_that_was_not_applied_is_never_found(before: list[int]) -> None:
    held = b""
    for number, writer in enumerate(before):
        held = write_marks.add_mark(held, mark(writer, number))
    newest = list(dict.fromkeys(reversed(before)))[:8]
    for writer in range(WRITERS):
        surely_not = writer in newest or len(newest) < 8
        assert write_marks.contains_mark(held, mark(writer, 1000)) is (False if surely_not else None)


def test_no_two_writes_have_the_same_mark_and_those_of_a_thread_one_writer() -> None:
    with ThreadPoolExecutor(4) as pool:
        made = [
            each for part in pool.map(lambda _: [write_marks.new_mark() for _ in range(50)], range(8)) for each in part
        ]
    assert len(set(made)) == len(made)
    assert len({each[:4] for each in made}) <= 4
    assert {len(each) for each in made} == {8}


def test_an_item_without_marks_shows_none() -> None:
    assert write_marks.read_marks({"pk": {"S": "p"}}) == b""
    assert write_marks.contains_mark(b"", write_marks.new_mark()) is False
