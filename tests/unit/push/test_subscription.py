"""Which events a subscription wants, and that storing it loses nothing."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from jobtrack import times
from jobtrack.domain.events import EVENT_NAMES, EventName
from jobtrack.keys import JobKey
from jobtrack.push.subscriptions.subscription import (
    ERROR_EVENTS,
    KEPT_SECONDS,
    Filters,
    Subscription,
)
from jobtrack.store import outbox
from jobtrack.store.outbox_records import OutboxEvent
from jobtrack.store.timers import EXPIRY, Timer
from jobtrack.store.ttl import encode_expiry
from jobtrack.times import Micros

JOB = JobKey(*(f"{digit * 8}-0000-4000-8000-000000000000" for digit in "123"))
START, END = times.parse("2026-11-23T10:45:33Z"), times.parse("2026-11-23T10:47:13Z")
REPORTED = (*EVENT_NAMES, "metricSample", "quality", "heartbeat", "resourceAllocated", "blocked")


def subscription(*events: EventName, step: int = 0, debug: bool = False, on_errors: bool = False) -> Subscription:
    filters = Filters(step, debug, on_errors)
    return Subscription(JOB, "sub-1", "webhook", "https://a.example/", events, filters, "en", START, END, b"sealed")


def event(reported: str, level: str = "INFO", before: int | None = 0, percentage: int = 50) -> OutboxEvent:
    data = {"level": level, "message": "m"} if reported == "log" else {}
    return OutboxEvent(reported, 1, START, "Running", percentage, data, before)


def kind(seen: OutboxEvent) -> str:
    """How the outbox checks whether a subscription wants an event."""
    return outbox.interest(seen.type, seen.data)


def log(level: str) -> OutboxEvent:
    return event("log", level)


subscriptions = st.builds(
    lambda events, step, debug, on_errors: subscription(*events, step=step, debug=debug, on_errors=on_errors),
    st.lists(st.sampled_from(EVENT_NAMES), unique=True),
    st.integers(0, 100),
    st.booleans(),
    st.booleans(),
)
events = st.builds(
    event,
    st.sampled_from(REPORTED),
    st.sampled_from(["DEBUG", "INFO", "WARN", "ERROR"]),
    st.none() | st.integers(0, 100),
    st.integers(0, 100),
)


@pytest.mark.parametrize("name", [name for name in EVENT_NAMES if name != "log"])
def test_a_subscribed_event_is_pushed_under_its_name_and_no_other_is(name: EventName) -> None:
    one = subscription(name)
    assert one.wants(event(name)) == name
    assert [other for other in REPORTED if other not in (name, "log") and one.wants(event(other))] == []


@pytest.mark.parametrize(
    ("subscribed", "level", "pushed"),
    [
        (["log"], "INFO", "log"),
        (["log"], "WARN", "log"),
        (["log"], "ERROR", "log"),
        (["log"], "DEBUG", None),
        (["log", "warning"], "WARN", "warning"),
        (["log", "warning"], "ERROR", "log"),
        (["log", "error"], "ERROR", "error"),
        (["warning"], "WARN", "warning"),
        (["warning"], "INFO", None),
        (["error"], "WARN", None),
        (["error"], "ERROR", "error"),
        (["milestone"], "ERROR", None),
    ],
)
def test_a_log_line_is_one_message_under_one_name(subscribed: list[EventName], level: str, pushed: str | None) -> None:
    assert subscription(*subscribed).wants(log(level)) == pushed


def test_debug_lines_are_let_in_for_subscribers_of_logs() -> None:
    assert subscription("log", debug=True).wants(log("DEBUG")) == "log"
    assert subscription("error", debug=True).wants(log("DEBUG")) is None


@pytest.mark.parametrize("name", ERROR_EVENTS)
def test_errors_are_pushed_though_not_subscribed_if_asked_for(name: str) -> None:
    assert subscription("milestone", on_errors=True).wants(event(name)) == name
    assert subscription("milestone", on_errors=False).wants(event(name)) is None


def test_an_error_in_the_log_counts_as_an_error() -> None:
    assert subscription("milestone", on_errors=True).wants(log("ERROR")) == "error"
    assert subscription("milestone", on_errors=True).wants(log("WARN")) is None


@pytest.mark.parametrize(
    ("step", "before", "now", "pushed"),
    [
        (0, 10, 10, True),
        (5, 0, 4, False),
        (5, 4, 5, True),
        (5, 5, 5, False),
        (5, 5, 9, False),
        (5, 9, 11, True),
        (5, 9, 31, True),
        (100, 0, 99, False),
        (100, 99, 100, True),
        (1, 7, 8, True),
        (10, None, 9, False),
        (10, None, 10, True),
    ],
)
def test_progress_is_pushed_when_it_reached_a_multiple(step: int, before: int | None, now: int, pushed: bool) -> None:
    wanted = subscription("progressUpdate", step=step).wants(event("progressUpdate", before=before, percentage=now))
    assert (wanted == "progressUpdate") is pushed


@given(st.integers(1, 100), st.lists(st.integers(0, 100), min_size=1).map(sorted))
def test_a_rising_progress_is_pushed_once_for_each_multiple_that_it_comes_to(step: int, seen: list[int]) -> None:
    one = subscription("progressUpdate", step=step)
    moves = list(pairwise([0, *seen]))
    pushed = [b for a, b in moves if one.wants(event("progressUpdate", before=a, percentage=b))]
    assert pushed == [b for a, b in moves if any(a < multiple <= b for multiple in range(step, 101, step))]


@given(subscriptions, events)
def test_what_is_wanted_is_among_the_interests_under_a_known_name(one: Subscription, seen: OutboxEvent) -> None:
    wanted = one.wants(seen)
    assert wanted is None or (wanted in EVENT_NAMES and kind(seen) in one.interests())
    assert one.wants(seen) == wanted


@given(subscriptions)
def test_every_interest_is_wanted_in_some_event(one: Subscription) -> None:
    for interest in one.interests():
        reported, _, level = interest.partition(".")
        assert one.wants(event(reported, level, 0, 100))


@given(subscriptions, st.booleans())
def test_it_survives_being_stored(one: Subscription, over: bool) -> None:
    stored = replace(one, status="Ended", end_reason="gone") if over else one
    assert Subscription.from_item(stored.to_item()) == stored


def test_its_life_ends_at_expiry_or_before() -> None:
    one = subscription("log")
    assert [one.live(Micros(END - 1)), one.live(END), replace(one, status="Ended").live(START)] == [True, False, False]


def test_the_answer_shows_its_state_and_no_secret() -> None:
    one = subscription("log", "error", step=5)
    assert one.response(START) == {
        "subscriptionId": "sub-1",
        "jobId": JOB.job,
        "subscriptionType": "webhook",
        "status": "Active",
        "endReason": None,
        "webhookUrl": "https://a.example/",
        "eventsSubscribed": ["log", "error"],
        "filters": {"minProgressIncrement": 5, "includeDebugEvents": False, "notifyOnErrors": False},
        "language": "en",
        "createdAt": "2026-11-23T10:45:33Z",
        "expiresAt": "2026-11-23T10:47:13Z",
    }
    assert one.response(END)["status"] == "Expired"
    assert one.response(END)["endReason"] == "expired"
    assert replace(one, status="Ended", end_reason="gone").response(END)["status"] == "Ended"
    assert "sealed" not in repr(one)


def test_it_is_stored_together_with_the_pointer_from_its_id_to_its_job() -> None:
    item, pointer, expiry = subscription("log").to_items()
    assert item["pk"] == {"S": JOB.partition}
    assert pointer == {
        "pk": {"S": JOB.owner.partition},
        "sk": {"S": "sub-1"},
        "f": {"N": "1"},
        "job": {"S": JOB.job},
        "exp": encode_expiry(times.add_seconds(END, KEPT_SECONDS)),
    }
    assert expiry == Timer(EXPIRY, JOB, END, "sub-1").to_item(KEPT_SECONDS)
