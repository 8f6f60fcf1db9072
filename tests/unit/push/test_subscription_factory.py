"""Valid subscriptions, and how they are built from a request."""

import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from pydantic import TypeAdapter, ValidationError

from jobtrack import times
from jobtrack.api.schemas.subscriptions import JobSubscriptions, SubscribeRequest
from jobtrack.errors import Unprocessable
from jobtrack.keys import JobKey
from jobtrack.push.subscriptions.secrets import Vault
from jobtrack.push.subscriptions.subscription import DEFAULT_EVENTS, Filters
from jobtrack.push.subscriptions.subscription_factory import SubscriptionFactory

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient

JOB = JobKey("t", "p", "j")
SAMPLE = Path(__file__).parents[3] / "events" / "subscribe.json"
EXAMPLE: dict[str, Any] = json.loads(json.loads(SAMPLE.read_text())["body"])
WEBSOCKET = {"subscriptionType": "websocket", "events": EXAMPLE["events"]}
NOW = times.parse("2026-11-23T10:45:33.9Z")
LEFT_OUT = object()


class FakeKms:
    """Encrypts by wrapping, so that tests can read the contents."""

    def encrypt(self, KeyId: str, Plaintext: bytes, EncryptionContext: dict[str, str]) -> dict[str, Any]:
        return {"CiphertextBlob": b"sealed" + Plaintext}


def subscriber(**settings: Any) -> SubscriptionFactory:
    vault = Vault(cast("KMSClient", FakeKms()), "key")
    return SubscriptionFactory(vault, {443}, clock=lambda: NOW, new_id=lambda: uuid.UUID(int=7), **settings)


def refusals(body: dict[str, Any]) -> list[str]:
    """Return the pointers to the invalid members of a request, whichever check found them."""
    try:
        wanted = SubscribeRequest.model_validate(
            {name: each for name, each in body.items() if each is not LEFT_OUT}
        ).spec()
        subscriber().create(JOB, wanted)
    except ValidationError as invalid:
        return ["/" + "/".join(map(str, each["loc"])) for each in invalid.errors()]
    except Unprocessable as refused:
        return [fault.pointer for fault in refused.faults]
    return []


def test_the_example_is_in_contract() -> None:
    assert refusals(EXAMPLE) == []


@pytest.mark.parametrize(
    ("pointer", "changes"),
    [
        ("/webhookUrl", {"webhookUrl": "http://hooks.example.com/"}),
        ("/webhookUrl", {"webhookUrl": "https://hooks.example.com:8443/"}),
        ("/webhookUrl", {"webhookUrl": "https://user@hooks.example.com/"}),
        ("/webhookUrl", {"webhookUrl": "https://169.254.169.254/"}),
        ("/webhookUrl", {"webhookUrl": "https://0x7f.1/"}),
        ("/webhookUrl", {"webhookUrl": "https://localhost/"}),
        ("/webhookUrl", {"webhookUrl": None}),
        ("/webhookUrl", {"webhookUrl": LEFT_OUT}),
        ("/subscriptionType", {"subscriptionType": "pigeon"}),
        ("/subscriptionType", {"subscriptionType": LEFT_OUT}),
        ("/events/1", {"events": ["log", "everything"]}),
        ("/events", {"events": "log"}),
        ("/filters/minProgressIncrement", {"filters": {"minProgressIncrement": 101}}),
        ("/filters/minProgressIncrement", {"filters": {"minProgressIncrement": -1}}),
        ("/filters/minProgressIncrement", {"filters": {"minProgressIncrement": "5"}}),
        ("/filters/notifyOnErrors", {"filters": {"notifyOnErrors": "yes"}}),
        ("/authentication/type", {"authentication": {"type": "basic", "token": "t"}}),
        ("/authentication/token", {"authentication": {"type": "bearer", "token": ""}}),
        ("/authentication/token", {"authentication": {"type": "bearer", "token": "a\r\nb: c"}}),
        ("/authentication/token", {"authentication": {"type": "bearer", "token": "秘密"}}),
        ("/authentication/token", {"authentication": {"type": "bearer", "token": "line\n"}}),
        ("/language", {"language": "fr"}),
        ("/expiresInSeconds", {"expiresInSeconds": 0}),
        ("/expiresInSeconds", {"expiresInSeconds": 604_801}),
        ("/sinceSequence", {"sinceSequence": -1}),
    ],
)
def test_what_is_out_of_contract_is_refused_with_a_pointer_to_it(pointer: str, changes: dict[str, Any]) -> None:
    assert refusals({**EXAMPLE, **changes}) == [pointer]


def test_a_refusal_tells_no_token() -> None:
    with pytest.raises(ValidationError) as refused:
        SubscribeRequest.model_validate({**EXAMPLE, "authentication": {"type": "bearer", "token": "秘密 hunter2"}})
    assert not [each["msg"] for each in refused.value.errors() if "hunter2" in each["msg"]]


def test_what_is_made_of_the_example() -> None:
    one = subscriber().create(JOB, SubscribeRequest.model_validate(EXAMPLE).spec()).subscription
    assert (one.subscription_id, one.job, one.type) == ("sub-00000000-0000-0000-0000-000000000007", JOB, "webhook")
    whole = times.whole(NOW)
    assert (one.created_at, one.expires_at, one.language) == (whole, times.add_seconds(whole, 8 * 3600), "ja")
    assert (one.events, one.filters) == (DEFAULT_EVENTS, Filters(5, False, True))
    assert one.status == "Active"


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000/hook", "https://localhost:9000/"])
def test_loopback_is_for_the_local_service(url: str) -> None:
    wanted = SubscribeRequest.model_validate({**EXAMPLE, "webhookUrl": url}).spec()
    assert subscriber(allow_loopback=True).create(JOB, wanted).subscription.url == url
    with pytest.raises(Unprocessable, match="/subscriptions/1/webhookUrl must not be a loopback address"):
        subscriber().create(JOB, wanted, "/subscriptions/1")


def test_what_is_kept_of_the_answer_holds_the_secrets_sealed_and_reveals_them() -> None:
    maker = subscriber(new_secret=lambda: "whsec_aHVudGVyMg==")
    one = maker.create(JOB, SubscribeRequest.model_validate(EXAMPLE).spec())
    kept = maker.sealed_response(one)
    assert "aHVudGVyMg==" not in json.dumps(kept)
    assert EXAMPLE["authentication"]["token"] not in json.dumps(kept)
    assert maker.reveal_subscription(JOB, kept) == {
        **one.subscription.response(NOW),
        "signingSecret": "whsec_aHVudGVyMg==",
    }


@pytest.mark.parametrize(
    ("pointer", "changes"),
    [
        ("/webhookUrl", {"webhookUrl": "https://hooks.example.com/jobs"}),
        ("/authentication", {"authentication": EXAMPLE["authentication"]}),
    ],
)
def test_what_is_for_webhooks_alone_is_refused_of_a_websocket(pointer: str, changes: dict[str, Any]) -> None:
    assert refusals({**WEBSOCKET, **changes}) == [pointer]


@pytest.mark.parametrize("absent", [{}, {"webhookUrl": None, "authentication": None}])
def test_a_websocket_gets_an_url_with_a_ticket_that_is_kept_sealed(absent: dict[str, Any]) -> None:
    maker = subscriber(new_ticket=lambda: "the-ticket", websocket_url="wss://ws.example/live")
    made = maker.create(JOB, SubscribeRequest.model_validate({**WEBSOCKET, **absent}).spec())
    kept = maker.sealed_response(made)
    revealed = maker.reveal_subscription(JOB, kept)
    assert revealed["websocketUrl"] == "wss://ws.example/live?ticket=the-ticket"
    assert (revealed["subscriptionType"], revealed["webhookUrl"]) == ("websocket", None)
    assert "signingSecret" not in revealed
    assert "the-ticket" not in json.dumps(kept) + str(made.to_items(5))


@pytest.mark.parametrize(("since", "position"), [(None, 5), (0, 0), (4, 4), (5, 5), (9, 5)])
def test_a_websockets_cursor_begins_where_it_is_asked_to(since: int | None, position: int) -> None:
    made = subscriber().create(JOB, SubscribeRequest.model_validate({**WEBSOCKET, "sinceSequence": since}).spec())
    stored = made.to_items(5)[0]
    assert (stored["since"], stored["position"]) == ({"N": "5"}, {"N": str(position)})
    assert made.replay_since is None


def test_a_hundred_may_be_made_with_a_job() -> None:
    several: TypeAdapter[list[SubscribeRequest]] = TypeAdapter(JobSubscriptions)
    assert len(several.validate_python([EXAMPLE] * 100)) == 100
    with pytest.raises(ValidationError, match="at most 100"):
        several.validate_python([EXAMPLE] * 101)
