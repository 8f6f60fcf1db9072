"""The outbox's records: decoding returns what was encoded, and refuses everything else."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobtrack.domain.journal import packing
from jobtrack.keys import JobKey
from jobtrack.store.outbox_records import (
    EventBatch,
    OutboxEvent,
    OutboxRecord,
    ReadyMessage,
    Replay,
    ReplayStep,
    decode,
    encode,
)

JOB = JobKey("tenant", "project", "job")
NUMBERS = st.integers(0, 2**53)
PAIRS = st.tuples(NUMBERS, NUMBERS)
EVENTS = st.builds(
    OutboxEvent,
    type=st.text(),
    sequence=NUMBERS,
    time=NUMBERS,
    status=st.sampled_from(["Queued", "Running", "Failed"]),
    percentage=st.integers(0, 100),
    data=st.dictionaries(st.text(), st.text() | NUMBERS | st.none()),
    previous_percentage=st.none() | st.integers(0, 100),
    stage=st.none() | st.text(),
    labels=st.none() | st.dictionaries(st.sampled_from(["ja", "en"]), st.text()),
)
STEPS = st.builds(
    ReplayStep,
    since=NUMBERS,
    up_to=NUMBERS,
    number=NUMBERS,
    place=st.none() | PAIRS,
    timeline_done=st.booleans(),
    logged=st.none() | NUMBERS,
    statuses=st.lists(st.tuples(st.text(), NUMBERS)).map(tuple),
    percentages=st.lists(PAIRS).map(tuple),
)
RECORDS: st.SearchStrategy[OutboxRecord] = st.one_of(
    st.builds(EventBatch, st.just(JOB), st.text(), st.lists(st.text()).map(tuple), st.lists(EVENTS).map(tuple)),
    st.builds(ReadyMessage, st.text()),
    st.builds(Replay, st.just(JOB), st.text(), STEPS),
)


@given(RECORDS)
def test_a_record_survives_being_stored(record: OutboxRecord) -> None:
    assert decode(encode(record)) == record


@pytest.mark.parametrize(
    "stored",
    [
        [],
        {},
        {"kind": "events"},
        {"kind": "events", "job_name": "a job"},
        {"kind": "replay", "job": {}, "subscription_id": "sub-1", "step": {}},
    ],
)
def test_what_lacks_a_member_is_no_record(stored: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode(packing.pack(stored))


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(msgspec.ValidationError, match="later"):
        decode(packing.pack({"kind": "later"}))
