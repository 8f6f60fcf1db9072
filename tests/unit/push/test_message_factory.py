"""Pushed messages, and their way through the queue."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from jobtrack import times
from jobtrack.domain.event_text import Language
from jobtrack.domain.events import EventName
from jobtrack.keys import JobKey
from jobtrack.push.messages.message import Message
from jobtrack.push.subscriptions.message_factory import endpoint_group, event_message, event_message_id
from jobtrack.push.subscriptions.subscription import Filters, Subscription
from jobtrack.store.outbox_records import OutboxEvent
from jobtrack.times import Micros

JOB = JobKey(*(f"{digit * 8}-0000-4000-8000-000000000000" for digit in "123"))
NOW = times.parse("2026-11-23T10:45:33Z")
LATER = times.add_seconds(NOW, 32.5)
MOMENTS = st.integers(0, times.LATEST).map(Micros)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))

messages = st.builds(
    Message,
    job=st.just(JOB),
    subscription_id=st.just("sub-1"),
    message_id=st.just("msg_1"),
    type=st.sampled_from(["log", "ping"]),
    sequence=st.none() | st.integers(1, 10**9),
    payload=TEXT,
    group=st.just("t-1"),
    first_at=MOMENTS,
    not_before=MOMENTS,
    attempt=st.integers(0, 30),
    earlier=st.integers(0, 30),
    waits=st.integers(0, 30),
    lane=st.sampled_from(["normal", "slow"]),
)


def subscription(language: Language = "ja") -> Subscription:
    events: tuple[EventName, ...] = ("stageCompleted", "log", "error")
    return Subscription(
        JOB, "sub-1", "webhook", "https://a.example/", events, Filters(), language, NOW, times.LATEST, b""
    )


STAGE_COMPLETED = OutboxEvent(
    type="stageCompleted",
    sequence=7,
    time=times.parse("2024-01-20T10:45:33Z"),
    status="Running",
    percentage=40,
    data={"stageName": "Data Loading", "recordsProcessed": 192850, "metrics": {"dataQualityScore": 98.2}},
    labels={"ja": "データローディング", "en": "Data Loading"},
)


def test_the_body_of_the_contract() -> None:
    message = event_message(JOB, "Customer Journey Analysis", subscription(), STAGE_COMPLETED, NOW)
    assert message is not None
    assert json.loads(message.payload) == {
        "type": "stageCompleted",
        "timestamp": "2024-01-20T10:45:33Z",
        "data": {
            "tenantId": JOB.tenant,
            "projectId": JOB.project,
            "jobId": JOB.job,
            "jobName": "Customer Journey Analysis",
            "subscriptionId": "sub-1",
            "sequence": 7,
            "status": "Running",
            "percentage": 40,
            "description": "データローディングステージ完了",
            "event": {"stageName": "Data Loading", "recordsProcessed": 192850, "metrics": {"dataQualityScore": 98.2}},
        },
    }
    assert (message.sequence, message.type, message.first_at, message.attempt) == (7, "stageCompleted", NOW, 0)


def test_descriptions_are_in_the_subscriptions_language() -> None:
    message = event_message(JOB, "j", subscription("en"), STAGE_COMPLETED, NOW)
    assert message is not None
    assert json.loads(message.payload)["data"]["description"] == "Data Loading stage completed"


def test_a_log_line_is_pushed_as_what_it_counts_for_with_what_was_reported() -> None:
    data = {"level": "ERROR", "message": "out of memory"}
    message = event_message(JOB, "j", subscription(), replace(STAGE_COMPLETED, type="log", data=data), NOW)
    assert message is not None
    body = json.loads(message.payload)
    assert (message.type, body["type"], body["data"]["event"]) == ("error", "error", data)
    assert body["data"]["description"] == "out of memory"


def test_what_is_not_wanted_makes_no_message() -> None:
    assert event_message(JOB, "j", subscription(), replace(STAGE_COMPLETED, type="milestone"), NOW) is None


@given(messages)
def test_it_passes_through_the_queue_unharmed(message: Message) -> None:
    encoded = message.encode()
    assert Message.decode(encoded) == message
    assert re.fullmatch(r"[\t\n\r -~]*", encoded)


@given(st.lists(st.text('\x00\\"é漢😀\uffff', max_size=200), max_size=5))
def test_in_the_queue_it_is_at_most_three_times_as_large(texts: list[str]) -> None:
    payload = json.dumps(texts, ensure_ascii=False)
    message = Message(JOB, "sub-1", "msg_1", "log", 1, payload, "g", NOW)
    assert len(message.encode()) <= 3 * len(payload.encode()) + 1000


def test_the_webhook_id_depends_on_the_message_alone() -> None:
    other_job = JOB.job_key(JOB.tenant)
    other_tenant = JobKey(JOB.project, JOB.project, JOB.job)
    ids = {
        event_message_id(job, name, sequence)
        for job in (JOB, other_job, other_tenant)
        for name in ("sub-1", "sub-2")
        for sequence in (1, 2)
    }
    assert len(ids) == 12
    assert event_message_id(JOB, "sub-1", 1) == event_message_id(JOB.job_key(JOB.job), "sub-1", 1)
    assert all(re.fullmatch(r"msg_\d{12}_[0-9a-f]{32}", each) for each in ids)


def test_a_group_is_a_tenants_endpoint_however_its_host_is_written() -> None:
    def group_of(job: JobKey, url: str) -> str:
        return endpoint_group(Subscription(job, "sub-1", "webhook", url, (), Filters(), "ja", NOW, times.LATEST, b""))

    here = group_of(JOB, "https://a.example/one")
    assert here == group_of(JOB, "https://A.example:443/one")
    assert here not in (
        group_of(JOB, "https://a.example/two"),
        group_of(JOB, "https://a.example:8443/one"),
        group_of(JOB, "https://b.example/one"),
        group_of(JobKey("t", "p", "j"), "https://a.example/one"),
    )
    assert re.fullmatch(r"[0-9a-f-]{1,128}", here)


def test_a_later_attempt_is_the_same_message() -> None:
    message = Message(JOB, "sub-1", "msg_1", "log", 1, "{}", "g", NOW)
    later = message.later(LATER)
    assert (later.attempt, later.not_before) == (1, LATER)
    assert (later.message_id, later.payload, later.first_at) == ("msg_1", "{}", NOW)


def test_a_message_that_is_put_off_is_at_the_same_attempt_and_stays_in_its_lane() -> None:
    message = Message(JOB, "sub-1", "msg_1", "log", 1, "{}", "g", NOW, attempt=3).moved("slow")
    put_off = message.postponed(NOW).postponed(LATER)
    assert (put_off.attempt, put_off.not_before, put_off.waits, put_off.lane) == (3, LATER, 2, "slow")
    assert (put_off.later(LATER).waits, put_off.later(LATER).lane) == (0, "normal")
