"""Reading a stream's shards."""

from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from local.streams import DISCOVER_EVERY, StreamReader
from tests.unit.local.fakes import FakeStream, Shard


def reader(stream: FakeStream) -> StreamReader:
    return StreamReader(cast("Any", stream), "arn")


def polled(reading: StreamReader, times: int = 1) -> list[str]:
    return [record["dynamodb"]["SequenceNumber"] for _ in range(times) for page in reading.poll() for record in page]


def test_it_begins_at_what_is_written_from_now_on() -> None:
    stream = FakeStream()
    stream.shards = {"a": Shard(records=["1"]), "b": Shard(), "c": Shard(records=["2"])}
    reading = reader(stream)
    reading.start()
    assert polled(reading) == []
    stream.shards["a"].records.append("3")
    stream.shards["c"].records.append("4")
    assert polled(reading) == ["3", "4"]
    assert polled(reading) == []


def test_children_are_read_from_their_start_and_after_their_parents() -> None:
    stream = FakeStream()
    stream.shards = {"a": Shard()}
    reading = reader(stream)
    reading.start()
    stream.shards["a"].records += [f"a{number}" for number in range(7)]
    stream.shards["a"].closed = True
    stream.shards |= {"c": Shard("b", ["c0"]), "b": Shard("a", ["b0", "b1"], closed=True)}
    assert polled(reading, 8) == [*(f"a{number}" for number in range(7)), "b0", "b1", "c0"]


def test_a_child_whose_parent_is_gone_is_read() -> None:
    stream = FakeStream()
    reading = reader(stream)
    reading.start()
    stream.shards = {"b": Shard("a", ["b0"])}
    assert polled(reading, DISCOVER_EVERY) == ["b0"]


def test_it_asks_for_shards_seldom_while_none_is_closed() -> None:
    stream = FakeStream()
    stream.shards = {"a": Shard()}
    reading = reader(stream)
    reading.start()
    polled(reading, DISCOVER_EVERY - 1)
    assert stream.descriptions == 1


def test_after_an_iterator_expired_it_goes_on_where_it_was() -> None:
    stream = FakeStream()
    stream.shards = {"a": Shard()}
    reading = reader(stream)
    reading.start()
    stream.shards["a"].records += ["1", "2"]
    assert polled(reading) == ["1", "2"]
    stream.shards["a"].records += ["3"]
    stream.expired = True
    assert polled(reading, 2) == ["3"]


def test_where_it_was_may_be_trimmed() -> None:
    stream = FakeStream()
    stream.shards = {"a": Shard()}
    reading = reader(stream)
    reading.start()
    stream.shards["a"].records += ["1"]
    assert polled(reading) == ["1"]
    stream.shards["a"].records += ["2", "3", "4"]
    stream.shards["a"].trimmed = 3
    stream.expired = True
    assert polled(reading, 2) == ["4"]


def test_records_that_were_not_handled_are_given_again() -> None:
    stream = FakeStream()
    stream.shards = {"a": Shard()}
    reading = reader(stream)
    reading.start()
    stream.shards["a"].records += ["1"]
    interrupted = reading.poll()
    assert len(next(interrupted)) == 1
    del interrupted
    assert polled(reading) == ["1"]


@given(st.lists(st.sampled_from(["write", "poll", "split", "expire"]), max_size=60))
def test_whatever_happens_each_record_is_read_once_and_in_its_shards_order(steps: list[str]) -> None:
    stream, written, read = FakeStream(), list[str](), list[str]()
    stream.shards = {"s0": Shard()}
    reading = reader(stream)
    reading.start()
    for step in steps:
        last = f"s{len(stream.shards) - 1}"
        if step == "write":
            written.append(str(len(written)))
            stream.shards[last].records.append(written[-1])
        elif step == "split":
            stream.shards[last].closed = True
            stream.shards[f"s{len(stream.shards)}"] = Shard(last)
        elif step == "expire":
            stream.expired = True
        else:
            read += polled(reading)
    read += polled(reading, 2 * DISCOVER_EVERY + len(written) + 2 * len(stream.shards))
    assert read == written
