"""The functions of the WebSocket API, as API Gateway calls them: tickets, connecting, resuming, disconnecting."""

import json
from typing import Any

import pytest

from jobtrack import aws, times
from jobtrack.keys import JobKey, ProjectKey
from jobtrack.push.messages.delivery_queue import decode
from jobtrack.push.messages.wake import Wake
from jobtrack.push.subscriptions.message_factory import new_wake
from jobtrack.push.subscriptions.stream_state import StreamState
from jobtrack.push.subscriptions.tickets import TICKET_SECONDS, Ticket, ticket_key
from jobtrack.push.websockets.connection_table import ConnectionTable
from jobtrack.push.websockets.stream_leases import StreamLeaseTable
from tests.functions.conftest import NAMES, SQS, Invoke
from tests.functions.embedded import CONNECTIONS
from tests.functions.subscribing import FUNCTION, Sample, about, job_of, read, report, stored, subscribed, table

pytestmark = pytest.mark.usefixtures("stack")

NO_SEQUENCE = "sinceSequence must be a sequence: a whole number, 0 or greater."
LEFT_OUT: dict[str, Any] = {"webhookUrl": None, "authentication": None}


@pytest.fixture
def made(invoke: Invoke, sample: Sample) -> dict[str, Any]:
    """Create a WebSocket subscription of the sample's job."""
    return subscribed(invoke, sample, subscriptionType="websocket", **LEFT_OUT)


def ticket_of(answer: dict[str, Any]) -> str:
    url, _, ticket = str(answer["websocketUrl"]).partition("?ticket=")
    assert url == "wss://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/live"
    return ticket


def connecting(sample: Sample, ticket: str, connection: str = "connection-1") -> dict[str, Any]:
    event = sample("websocket-connect")
    event["queryStringParameters"] = {"ticket": ticket}
    event["requestContext"]["connectionId"] = connection
    return event


def saying(sample: Sample, message: Any, connection: str = "connection-1") -> dict[str, Any]:
    event = sample("websocket-resume")
    event["requestContext"]["connectionId"] = connection
    event["body"] = message if isinstance(message, str) else json.dumps(message)
    return event


def stream(made: dict[str, Any], key: JobKey) -> StreamState:
    found = stored(made, key).stream
    assert found
    return found


def wakes() -> list[Wake]:
    """Return the messages without a delay."""
    messages = SQS.receive_message(QueueUrl=NAMES.refs["DeliveryQueue"], MaxNumberOfMessages=10).get("Messages", [])
    decoded = [decode(message["Body"]) for message in messages]
    return [wake for wake in decoded if isinstance(wake, Wake) and not wake.not_before]


def queued() -> int:
    """Return the number of messages in the queue, due or not."""
    state = SQS.get_queue_attributes(QueueUrl=NAMES.refs["DeliveryQueue"], AttributeNames=["All"])
    attributes = state["Attributes"]
    return int(attributes["ApproximateNumberOfMessages"]) + int(attributes["ApproximateNumberOfMessagesDelayed"])


def test_a_websocket_is_answered_with_an_url_and_no_secret(made: dict[str, Any], sample: Sample) -> None:
    assert (made["subscriptionType"], made["webhookUrl"], made["status"]) == ("websocket", None, "Active")
    assert len(ticket_of(made)) >= 43
    assert "signingSecret" not in made
    assert stored(made, job_of(sample("subscribe"))).sealed == b""


def test_a_ticket_opens_one_connection(invoke: Invoke, sample: Sample, made: dict[str, Any]) -> None:
    key, ticket = job_of(sample("subscribe")), ticket_of(made)
    assert invoke("ConnectFunction", connecting(sample, ticket)) == {"statusCode": 200}
    assert stream(made, key).connection == "connection-1"
    assert invoke("ConnectFunction", connecting(sample, ticket, "connection-2")) == {"statusCode": 401}
    assert stream(made, key).connection == "connection-1"
    assert queued() == 1
    assert CONNECTIONS.closed == []


@pytest.mark.parametrize("shown", ["", "never-given-out", "x" * 4096, "チケット"])
def test_what_is_no_ticket_opens_nothing(shown: str, invoke: Invoke, sample: Sample, made: dict[str, Any]) -> None:
    assert invoke("ConnectFunction", connecting(sample, shown)) == {"statusCode": 401}


def test_who_shows_nothing_is_refused(invoke: Invoke, sample: Sample) -> None:
    event = sample("websocket-connect")
    del event["queryStringParameters"]
    assert invoke("ConnectFunction", event) == {"statusCode": 401}


def test_a_ticket_is_good_for_a_minute(invoke: Invoke, sample: Sample, made: dict[str, Any]) -> None:
    key = job_of(sample("subscribe"))
    for name, age in (("late", TICKET_SECONDS), ("in-time", TICKET_SECONDS - 5)):
        issued = times.add_seconds(times.now(), -age)
        item = Ticket.issued(name, key, made["subscriptionId"], issued).to_item()
        aws.client("dynamodb").put_item(TableName="SubscriptionsTable", Item=item)
    assert invoke("ConnectFunction", connecting(sample, "late")) == {"statusCode": 401}
    assert invoke("ConnectFunction", connecting(sample, "in-time")) == {"statusCode": 200}


def test_a_ticket_of_a_subscription_that_ended_opens_nothing(
    invoke: Invoke, sample: Sample, made: dict[str, Any]
) -> None:
    ticket = ticket_of(made)
    assert invoke(FUNCTION, about(sample, "delete-subscription", made["subscriptionId"]))["statusCode"] == 204
    assert invoke("ConnectFunction", connecting(sample, ticket)) == {"statusCode": 401}


def test_tickets_are_stored_by_their_hashes_alone(
    invoke: Invoke, sample: Sample, made: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "jobtrack")
    tickets = [ticket_of(made), issued(invoke, sample, made)]
    for ticket in tickets:
        assert aws.client("dynamodb").get_item(TableName="SubscriptionsTable", Key=ticket_key(ticket))["Item"]
        invoke("ConnectFunction", connecting(sample, ticket))
    told = "".join(
        str(aws.client("dynamodb").scan(TableName=name)["Items"]) for name in ("JobsTable", "SubscriptionsTable")
    )
    assert not [ticket for ticket in tickets if ticket in told + caplog.text]


def issued(invoke: Invoke, sample: Sample, made: dict[str, Any]) -> str:
    return ticket_of(read(invoke(FUNCTION, about(sample, "issue-ticket", made["subscriptionId"]))))


def test_a_new_ticket_replaces_the_connection(invoke: Invoke, sample: Sample, made: dict[str, Any]) -> None:
    key = job_of(sample("subscribe"))
    invoke("ConnectFunction", connecting(sample, ticket_of(made)))
    assert invoke("ConnectFunction", connecting(sample, issued(invoke, sample, made), "connection-2")) == {
        "statusCode": 200
    }
    assert stream(made, key).connection == "connection-2"
    assert CONNECTIONS.closed == ["connection-1"]
    invoke("DisconnectFunction", leaving(sample, "connection-1"))
    assert stream(made, key).connection == "connection-2"


def test_the_same_request_for_a_ticket_is_answered_the_same(
    invoke: Invoke, sample: Sample, made: dict[str, Any]
) -> None:
    event = about(sample, "issue-ticket", made["subscriptionId"])
    event["headers"]["idempotency-key"] = "once"
    first, again = invoke(FUNCTION, event), invoke(FUNCTION, event)
    assert first["body"] == again["body"]
    assert again["headers"]["idempotency-replayed"] == "true"
    assert ticket_of(read(first)) != ticket_of(made)


@pytest.mark.parametrize("other", ["tenantId", "projectId"])
def test_no_ticket_for_the_subscription_of_another(
    other: str, invoke: Invoke, sample: Sample, made: dict[str, Any]
) -> None:
    foreign = "00000000-0000-4000-8000-000000000009"
    event = about(sample, "issue-ticket", made["subscriptionId"], **{other: foreign})
    assert invoke(FUNCTION, event)["statusCode"] == 403
    claims = event["requestContext"]["authorizer"]["jwt"]["claims"]
    ids = event["pathParameters"]
    claims |= {"tenant_id": ids["tenantId"], "project_ids": f"[{ids['projectId']}]"}
    assert invoke(FUNCTION, event)["statusCode"] == 404


def test_a_webhook_has_no_tickets_and_a_websocket_no_secret(
    invoke: Invoke, sample: Sample, made: dict[str, Any]
) -> None:
    webhook = subscribed(invoke, sample)
    assert invoke(FUNCTION, about(sample, "issue-ticket", webhook["subscriptionId"]))["statusCode"] == 409
    assert invoke(FUNCTION, about(sample, "rotate-secret", made["subscriptionId"]))["statusCode"] == 409


@pytest.mark.parametrize(
    ("pointer", "changes"),
    [("/webhookUrl", {"authentication": None}), ("/authentication", {"webhookUrl": None})],
)
def test_what_is_for_webhooks_alone_is_refused(
    pointer: str, changes: dict[str, Any], invoke: Invoke, sample: Sample
) -> None:
    event = sample("subscribe")
    subscribed(invoke, sample)  # creates the job
    event["body"] = json.dumps({**json.loads(event["body"]), "subscriptionType": "websocket", **changes})
    event["headers"]["content-length"] = str(len(event["body"]))
    answer = invoke(FUNCTION, event)
    assert [each["pointer"] for each in read(answer, 422)["errors"]] == [pointer]


def test_websockets_made_with_the_job_begin_with_its_first_event(invoke: Invoke, sample: Sample) -> None:
    event = sample("create-job")
    wanted = {"subscriptionType": "websocket", "events": ["jobQueued"]}
    event["body"] = json.dumps({**json.loads(event["body"]), "subscriptions": [wanted]})
    event["headers"]["content-length"] = str(len(event["body"]))
    answer = invoke("JobsFunction", event)
    body = read(answer, 201)
    [one] = body["subscriptions"]
    ids = event["pathParameters"]
    key = JobKey(ids["tenantId"], ids["projectId"], body["jobId"])
    assert stream(one, key) == StreamState(0, 0)
    assert read(invoke("JobsFunction", event), 201)["subscriptions"] == [one]
    assert invoke("ConnectFunction", connecting(sample, ticket_of(one))) == {"statusCode": 200}


def test_resuming_sets_the_position_breaks_the_lease_and_wakes(
    invoke: Invoke, sample: Sample, made: dict[str, Any]
) -> None:
    key = job_of(sample("subscribe"))
    invoke("ConnectFunction", connecting(sample, ticket_of(made)))
    for _ in range(3):
        report(key, "milestone", description="m")
    now = times.add_seconds(times.now(), 5)
    leases = StreamLeaseTable(aws.client("dynamodb"), "SubscriptionsTable", lambda: now)
    lease = leases.acquire(new_wake(stored(made, key)))
    assert lease
    assert leases.is_held(lease)
    assert invoke("ResumeFunction", saying(sample, {"action": "resume", "sinceSequence": 3})) == {"statusCode": 200}
    assert stream(made, key).position == 3
    assert not leases.is_held(lease)
    assert not leases.advance(lease, 4)
    assert new_wake(stored(made, key)) in wakes()
    assert CONNECTIONS.messages == []


@pytest.mark.parametrize(
    ("message", "detail"),
    [
        ("", "A message must be JSON."),
        ("{", "A message must be JSON."),
        ('"resume"', 'The only action is {"action": "resume", "sinceSequence": N}.'),
        ({"action": "subscribe"}, 'The only action is {"action": "resume", "sinceSequence": N}.'),
        *(({"action": "resume", "sinceSequence": bad}, NO_SEQUENCE) for bad in (-1, 1.5, "3", None, True, 2**60)),
        ({"action": "resume"}, NO_SEQUENCE),
        ({"action": "resume", "sinceSequence": 2}, "sinceSequence must be at most 1, the job's last sequence."),
    ],
)
def test_what_cannot_be_served_is_answered_on_the_connection(
    message: Any, detail: str, invoke: Invoke, sample: Sample, made: dict[str, Any]
) -> None:
    key = job_of(sample("subscribe"))
    invoke("ConnectFunction", connecting(sample, ticket_of(made)))
    assert invoke("ResumeFunction", saying(sample, message)) == {"statusCode": 200}
    [(connection, answer)] = CONNECTIONS.messages
    assert connection == "connection-1"
    assert answer["type"] == "refused"
    assert answer["data"] == {"code": "unprocessable", "detail": detail}
    assert stream(made, key).position == 1
    assert wakes() == []


def test_who_was_replaced_cannot_resume_and_is_closed(invoke: Invoke, sample: Sample, made: dict[str, Any]) -> None:
    key = job_of(sample("subscribe"))
    invoke("ConnectFunction", connecting(sample, ticket_of(made)))
    invoke("ConnectFunction", connecting(sample, issued(invoke, sample, made), "connection-2"))
    for name in ("connection-1", "connection-of-nobody"):
        invoke("ResumeFunction", saying(sample, {"action": "resume", "sinceSequence": 0}, name))
    assert CONNECTIONS.closed == ["connection-1", "connection-1", "connection-of-nobody"]
    assert stream(made, key).position == 1


def leaving(sample: Sample, connection: str = "connection-1") -> dict[str, Any]:
    event = sample("websocket-disconnect")
    event["requestContext"]["connectionId"] = connection
    return event


def test_who_leaves_is_forgotten_and_the_position_stays(invoke: Invoke, sample: Sample, made: dict[str, Any]) -> None:
    key = job_of(sample("subscribe"))
    invoke("ConnectFunction", connecting(sample, ticket_of(made)))
    assert invoke("DisconnectFunction", leaving(sample)) == {"statusCode": 200}
    assert invoke("DisconnectFunction", leaving(sample)) == {"statusCode": 200}
    assert (stream(made, key).connection, stream(made, key).position) == (None, 1)
    assert ConnectionTable(aws.client("dynamodb"), "SubscriptionsTable").find_subscription("connection-1") is None
    assert stored(made, key).status == "Active"


def test_a_websocket_subscription_is_listed_renewed_and_ended_like_any(
    invoke: Invoke, sample: Sample, made: dict[str, Any]
) -> None:
    name, key = made["subscriptionId"], job_of(sample("subscribe"))
    invoke("ConnectFunction", connecting(sample, ticket_of(made)))
    shown = read(invoke(FUNCTION, about(sample, "get-subscription", name)))
    assert shown == {member: value for member, value in made.items() if member != "websocketUrl"}
    assert read(invoke(FUNCTION, about(sample, "renew-subscription", name)))["status"] == "Active"
    assert stream(made, key).connection == "connection-1"
    assert invoke(FUNCTION, about(sample, "delete-subscription", name))["statusCode"] == 204
    found = table().find_subscription(ProjectKey(key.tenant, key.project), name)
    assert found
    assert found.status == "Ended"


def test_the_deliverer_streams_to_who_is_connected(
    invoke: Invoke, sample: Sample, made: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from functions.queue.deliverer import app

    key = job_of(sample("subscribe"))
    invoke("ConnectFunction", connecting(sample, ticket_of(made)))
    report(key, "jobStarted")
    report(key, "stageStarted", stageName="Mining")
    monkeypatch.setattr(app._streamer().leases, "clock", lambda: times.add_seconds(times.now(), 5))
    wake = new_wake(stored(made, key), 3)
    assert invoke("DelivererFunction", {"Records": [{"messageId": "m", "body": wake.encode()}]}) == {
        "batchItemFailures": []
    }
    assert [(to, each["type"], each["data"]["sequence"]) for to, each in CONNECTIONS.messages] == [
        ("connection-1", "stageStarted", 3)
    ]
    assert stream(made, key).position == 3
