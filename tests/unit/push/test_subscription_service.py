"""Ids that sort like their objects, secrets that sign for a day, timers that know their purpose."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobtrack import limits, times
from jobtrack.api import cursors
from jobtrack.errors import Conflict
from jobtrack.keys import JobKey
from jobtrack.push.delivery.retry_schedule import END_ATTEMPTS, END_SECONDS, next_end_attempt
from jobtrack.push.subscriptions.message_factory import event_message_id, service_message_id
from jobtrack.push.subscriptions.secrets import Secrets, SigningSecret
from jobtrack.push.subscriptions.subscription_service import OVERLAP_SECONDS, rotated
from jobtrack.times import Micros

JOB = JobKey(*(f"{digit * 8}-0000-4000-8000-000000000000" for digit in "123"))
SEQUENCES = st.integers(0, 10**12 - 2)
MOMENTS = st.integers(10**15, 4 * 10**15).map(Micros)


@given(SEQUENCES, SEQUENCES)
def test_ids_of_events_sort_by_sequence(one: int, other: int) -> None:
    ids = [event_message_id(JOB, "sub-1", each) for each in (one, other)]
    assert (ids[0] < ids[1]) == (one < other)
    assert all(cursors.MESSAGE_ID.fullmatch(each) for each in ids)


@given(SEQUENCES, MOMENTS, st.uuids())
def test_a_message_of_our_own_sorts_after_the_events_before_it(sequence: int, now: Micros, nonce: uuid.UUID) -> None:
    own = service_message_id(sequence, now, nonce.hex[:16])
    assert event_message_id(JOB, "sub-1", sequence) < own < event_message_id(JOB, "sub-1", sequence + 1)
    assert own < service_message_id(sequence, times.add_seconds(now, 0.002), "0")
    assert cursors.MESSAGE_ID.fullmatch(own)


@given(st.lists(st.integers(1, 3 * OVERLAP_SECONDS), max_size=30))
def test_each_secret_signs_until_a_day_after_the_next_one_came(waits: list[int]) -> None:
    now, held, replaced = times.EPOCH, Secrets((SigningSecret("whsec_0"),), "token"), dict[str, Micros]()
    for number, wait in enumerate(waits, 1):
        now = times.add_seconds(now, wait)
        try:
            held, before = rotated(held, f"whsec_{number}", now), held
        except Conflict:
            assert len(held.signing_at(now)) == limits.SIGNING_SECRETS
            continue
        replaced[before.signing[0].secret] = times.add_seconds(now, OVERLAP_SECONDS)
        signing = held.signing_at(now)
        assert signing[0] == f"whsec_{number}"
        assert set(signing[1:]) == {secret for secret, until in replaced.items() if now < until}
        assert len(signing) <= limits.SIGNING_SECRETS
    assert held.token == "token"


@pytest.mark.parametrize("retry_after", [None, 10.0, 200.0, 10_000.0])
@given(first=MOMENTS, random=st.floats(0, 1))
def test_the_word_of_an_end_is_sent_at_most_three_times_within_five_minutes(
    retry_after: float | None, first: Micros, random: float
) -> None:
    tries = [first]
    while (at := next_end_attempt(len(tries), tries[-1], first, random, retry_after)) is not None:
        tries.append(at)
    assert len(tries) <= END_ATTEMPTS
    assert tries[-1] < times.add_seconds(first, END_SECONDS)
    assert len(tries) == END_ATTEMPTS or (retry_after or 0) > 100
