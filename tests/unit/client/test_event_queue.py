"""Memory is bounded: the least important events are dropped first, lifecycle events never."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from jobtrack_client._reporting.event_queue import EventQueue
from jobtrack_client._reporting.queued_events import Event, Rank, make_event

ranks = st.lists(st.sampled_from(list(Rank)), max_size=200)


def event(number: int, rank: Rank, size: int = 10) -> Event:
    return Event(rank.name, rank, b"x" * size, number)


def fill(buffer: EventQueue, ranks: list[Rank]) -> list[Event]:
    dropped: list[Event] = []
    for number, rank in enumerate(ranks):
        dropped += buffer.put(event(number, rank))
    return dropped


@given(ranks=ranks, limit=st.integers(1, 50))
def test_what_stays_is_in_order_and_within_the_limit_but_for_lifecycle(ranks: list[Rank], limit: int) -> None:
    buffer = EventQueue(limit, 10**9)
    dropped = fill(buffer, ranks)
    kept = buffer.take(10**6, 10**9)
    assert sorted(item.number for item in kept + dropped) == list(range(len(ranks)))
    assert [item.number for item in kept] == sorted(item.number for item in kept)
    assert all(item.rank is not Rank.LIFECYCLE for item in dropped)
    assert len(kept) <= max(limit, ranks.count(Rank.LIFECYCLE))


@given(ranks=ranks, limit=st.integers(1, 50))
def test_each_drop_is_the_oldest_of_the_lowest_rank_there_was(ranks: list[Rank], limit: int) -> None:
    buffer, waiting = EventQueue(limit, 10**9), []
    for number, rank in enumerate(ranks):
        waiting.append(event(number, rank))
        for gone in buffer.put(waiting[-1]):
            assert gone == min(waiting, key=lambda item: (item.rank, item.number))
            waiting.remove(gone)


@given(sizes=st.lists(st.integers(1, 400), max_size=100), limit=st.integers(2000, 20_000))
def test_bytes_are_counted_with_what_an_entry_weighs(sizes: list[int], limit: int) -> None:
    buffer = EventQueue(10**6, limit)
    for number, size in enumerate(sizes):
        buffer.put(event(number, Rank.ROUTINE, size))
    assert buffer.bytes <= limit
    kept = buffer.take(10**6, 10**9)
    assert buffer.bytes == 0
    assert len(buffer) == 0
    assert sum(item.weight for item in kept) <= limit


@given(
    sizes=st.lists(st.integers(1, 400), min_size=1, max_size=100), count=st.integers(1, 20), room=st.integers(1, 999)
)
def test_take_keeps_to_both_limits_and_always_takes_one(sizes: list[int], count: int, room: int) -> None:
    buffer = EventQueue(10**6, 10**9)
    for number, size in enumerate(sizes):
        buffer.put(event(number, Rank.ROUTINE, size))
    taken = buffer.take(count, room)
    assert 1 <= len(taken) <= count
    assert len(taken) == 1 or sum(len(item.body) + 1 for item in taken) <= room


def test_an_entry_weighs_what_we_say() -> None:
    buffer = EventQueue(10**6, 10**9)
    tracemalloc.start()
    for number in range(10_000):
        made = make_event("log", {"level": "INFO", "message": f"line {number}"}, 1.7e9)
        buffer.put(made._replace(number=1000 + number))
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 0.9 < buffer.bytes / used < 1.1
