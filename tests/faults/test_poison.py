"""A record or message that cannot be processed delays no other, and is stored completely."""

import base64
import json

import pytest

from jobtrack import times
from jobtrack.domain.journal import packing
from jobtrack.push.dispatch.quarantine import load_record
from jobtrack.push.subscriptions.message_factory import event_message_id
from jobtrack.push.subscriptions.stream_state import StreamState
from jobtrack.store.outbox_records import ReadyMessage, encode
from tests.faults.deployed import Deployed
from tests.pushing import JOB, after, elapsed, message, subscription

pytestmark = pytest.mark.usefixtures("stack")

HOUR = 3600
POISON = {
    "no bytes of ours": b"\x00\x01not packed",
    "nothing at all": b"",
    "no record": packing.pack(["a list"]),
    "unknown kind": packing.pack({"kind": "other"}),
    "lacks its job": packing.pack({"kind": "events", "events": [], "subscription_ids": []}),
    "an event without a type": packing.pack(
        {
            "kind": "events",
            "job": JOB,
            "job_name": "a job",
            "subscription_ids": ["sub-1"],
            "events": [{"sequence": 1}],
        }
    ),
    "a message that is none": encode(ReadyMessage('{"tenantId": 1}')),
}


def ids(*sequences: int) -> set[str]:
    return {event_message_id(JOB, "sub-1", sequence) for sequence in sequences}


def kept(stack: Deployed) -> dict[str, bytes]:
    """Return the bytes of each quarantined record, by its sequence number."""
    found = {}
    for item in stack.quarantined():
        change = load_record(item)["dynamodb"]
        found[change["SequenceNumber"]] = base64.b64decode(change["NewImage"]["d"]["B"])
        assert (item["pk"], item["sk"]) == (change["Keys"]["pk"], change["Keys"]["sk"])
        assert item["error"]["S"]
    return found


@pytest.mark.parametrize(
    "places",
    [{0}, {50}, {99}, {0, 1, 2}, {0, 50, 99}],
    ids=["first", "middle", "last", "three in a row", "three apart"],
)
def test_of_a_hundred_records_the_good_are_delivered_and_the_poison_is_quarantined(
    places: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    stack, poison = Deployed(monkeypatch), dict[str, bytes]()
    stack.subscribe(subscription())
    for number in range(100):
        if number in places:
            packed = [*POISON.values()][len(poison)] + bytes([number]) * (not poison)
            poison[stack.show(JOB, number, packed)] = packed
        else:
            stack.owe(JOB, ["sub-1"], number)
    stack.run()
    assert len(stack.receivers.ids) == 100 - len(places)
    assert {*stack.receivers.ids} == ids(*({*range(100)} - places))
    assert kept(stack) == poison
    assert (stack.pointers(), stack.dead_letters()) == ([], [])


@pytest.mark.parametrize("packed", POISON.values(), ids=POISON)
def test_a_websocket_goes_on_after_a_record_that_cannot_be_served(
    packed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = Deployed(monkeypatch)
    socket = subscription(type="websocket", url=None, stream=StreamState(0, 0))
    stack.subscribe(socket)
    connection = stack.connect(socket)
    for number in range(1, 10):
        if number == 5:
            stack.show(JOB, number, packed)
        else:
            stack.owe(JOB, ["sub-1"], number)
    stack.run(until=after(600))
    assert [each["data"]["sequence"] for each in stack.gateway.sent[connection]] == [1, 2, 3, 4, 6, 7, 8, 9]
    assert (len(stack.quarantined()), stack.dead_letters()) == (1, [])


@pytest.mark.parametrize("packed", POISON.values(), ids=POISON)
def test_whatever_is_wrong_with_a_record_it_is_kept_byte_for_byte(
    packed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = Deployed(monkeypatch)
    stack.subscribe(subscription())
    number = stack.show(JOB, 1, packed)
    stack.owe(JOB, ["sub-1"], 2)
    stack.run()
    assert kept(stack) == {number: packed}
    assert {*stack.receivers.ids} == ids(2)


def test_a_record_whose_quarantine_is_away_for_hours_waits_for_it_and_its_neighbours_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stack, away = Deployed(monkeypatch), True
    stack.subscribe(subscription(expires_at=after(24 * HOUR)))
    stack.outages["PutItem"] = lambda: away and "dispatcher" in stack.steps.running
    stack.owe(JOB, ["sub-1"], 1)
    number = stack.show(JOB, 2, POISON["no record"])
    stack.owe(JOB, ["sub-1"], 3)
    for _ in range(3):
        stack.run(until=times.add_seconds(stack.clock(), 120))
        assert (kept(stack), {*stack.receivers.ids}) == ({}, ids(1, 3))
        stack.clock.pass_by(6 * HOUR)
    away = False
    stack.run()
    assert kept(stack) == {number: POISON["no record"]}
    assert sorted(stack.receivers.ids) == sorted(ids(1, 3))
    assert stack.pointers() == []


def test_a_record_that_could_not_even_be_quarantined_for_a_day_is_pointed_to(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = Deployed(monkeypatch)
    stack.outages["PutItem"] = lambda: True
    number = stack.show(JOB, 1, POISON["no record"])
    stack.run(until=times.add_seconds(stack.clock(), 120))
    stack.clock.pass_by(22.9 * HOUR)
    stack.run(until=after(22.99 * HOUR))
    assert stack.pointers() == []
    stack.run()
    [told] = [json.loads(body) for body in stack.pointers()]
    assert told["requestContext"]["condition"] == "RecordAgeExceeded"
    lay = told["DDBStreamBatchInfo"]
    assert lay["startSequenceNumber"] == lay["endSequenceNumber"] == number
    assert elapsed(stack.clock()) < 23.1 * HOUR  # while the stream still has it


@pytest.mark.parametrize("body", ["no json", "{}", '{"kind": "wake"}', "[]", '{"kind": "message", "payload": 7}'])
def test_a_message_that_cannot_be_read_ends_among_the_dead_letters_and_its_neighbours_are_delivered(
    body: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = Deployed(monkeypatch)
    stack.subscribe(subscription())
    queue = stack.sqs.queues["DeliveryQueue"]
    for number in range(1, 10):
        queue.send(message(number).encode())
        if number == 5:
            queue.send(body)
    stack.run()
    assert stack.dead_letters() == [body]
    assert sorted(stack.receivers.ids) == sorted(ids(*range(1, 10)))
