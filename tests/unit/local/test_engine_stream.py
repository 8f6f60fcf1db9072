"""Reading an engine's stream."""

from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from jobtrack_local.pollers.engine_stream import EngineStream
from jobtrack_local.pollers.stream_mapping import DISCOVERY_STEPS, StreamMapping
from jobtrack_local.runtime.events import Record, sequence_number
from jobtrack_local.template.cloudformation import StreamProperties
from tests.unit.local.fakes import FakeStream, Shard

TRIGGER = StreamProperties.model_validate({"Stream": "arn"})


class Reading:
    """A mapping over the engine's stream, and the records it received."""

    def __init__(self, stream: FakeStream) -> None:
        self.seen: list[str] = []
        self.stream = EngineStream(cast("Any", stream), "arn")
        self.stream.start()
        self._mapping = StreamMapping(self.stream, self._serve, TRIGGER, lambda lost, shard: None)

    def poll(self, times: int = 1) -> list[str]:
        """Return the records of a number of steps."""
        self.seen = []
        for _ in range(times):
            self._mapping.step()
        return self.seen

    def _serve(self, records: object) -> None:
        assert isinstance(records, list)
        self.seen += [sequence_number(cast("Record", record)) for record in records]


def test_it_begins_at_what_is_written_from_now_on() -> None:
    stream = FakeStream()
    stream.shards = {"a": Shard(records=["1"]), "b": Shard(), "c": Shard(records=["2"])}
    reading = Reading(stream)
    assert reading.poll() == []
    stream.shards["a"].records.append("3")
    stream.shards["c"].records.append("4")
    assert reading.poll() == ["3", "4"]
    assert reading.poll() == []


def test_children_are_read_from_their_start_and_after_their_parents() -> None:
    stream = FakeStream()
    stream.shards = {"a": Shard()}
    reading = Reading(stream)
    stream.shards["a"].records += [f"a{number}" for number in range(7)]
    stream.shards["a"].closed = True
    stream.shards |= {"c": Shard("b", ["c0"]), "b": Shard("a", ["b0", "b1"], closed=True)}
    assert reading.poll(8) == [*(f"a{number}" for number in range(7)), "b0", "b1", "c0"]


def test_a_child_whose_parent_is_gone_is_read() -> None:
    stream = FakeStream()
    reading = Reading(stream)
    stream.shards = {"b": Shard("a", ["b0"])}
    assert reading.poll(DISCOVERY_STEPS) == ["b0"]


def test_it_asks_for_shards_seldom_while_none_is_closed() -> None:
    stream = FakeStream()
    stream.shards = {"a": Shard()}
    reading = Reading(stream)
    reading.poll(DISCOVERY_STEPS - 1)
    assert stream.descriptions == 2  # at the start, and with the first step


def test_after_an_iterator_expired_it_goes_on_where_it_was() -> None:
    stream = FakeStream()
    stream.shards = {"a": Shard()}
    reading = Reading(stream)
    stream.shards["a"].records += ["1", "2"]
    assert reading.poll() == ["1", "2"]
    stream.shards["a"].records += ["3"]
    stream.expired = True
    assert reading.poll(2) == ["3"]


def test_where_it_was_may_be_trimmed() -> None:
    stream = FakeStream()
    stream.shards = {"a": Shard()}
    reading = Reading(stream)
    stream.shards["a"].records += ["1"]
    assert reading.poll() == ["1"]
    stream.shards["a"].records += ["2", "3", "4"]
    stream.shards["a"].trimmed = 3
    stream.expired = True
    assert reading.poll(2) == ["4"]


@given(st.lists(st.sampled_from(["write", "poll", "split", "expire"]), max_size=60))
def test_whatever_happens_each_record_is_read_once_and_in_its_shards_order(steps: list[str]) -> None:
    stream, written, read = FakeStream(), list[str](), list[str]()
    stream.shards = {"s0": Shard()}
    reading = Reading(stream)
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
            read += reading.poll()
    read += reading.poll(2 * DISCOVERY_STEPS + len(written) + 2 * len(stream.shards))
    assert read == written
