"""A webhook is the service's if a secret that is known signed it just now."""

import json
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

import jobtrack_client as jt
from jobtrack.push import signatures

SECRET, OTHER = "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtMQ==", "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtMg=="
NOW = 1_795_430_733
BODY = json.dumps({"type": "ping", "timestamp": "2026-11-23T10:45:33Z", "data": {}}).encode()


def signed(*secrets: str, body: bytes = BODY, at: int = NOW) -> dict[str, str]:
    """Headers of a message that these secrets sign, by the verifiers' own library."""
    moment = datetime.fromtimestamp(at, UTC)
    given = [Webhook(secret).sign("msg_1", moment, body.decode()) for secret in secrets]
    return {"Webhook-Id": "msg_1", "Webhook-Timestamp": str(at), "Webhook-Signature": " ".join(given)}


def verify(headers: dict[str, str], *secrets: str, body: bytes = BODY, now: float = NOW) -> object:
    return jt.verify_webhook(body, headers, secrets, clock=lambda: now)


def test_a_message_of_the_service_is_read() -> None:
    assert jt.verify_webhook(BODY, signed(SECRET), SECRET, clock=lambda: NOW)["type"] == "ping"


@pytest.mark.parametrize("known", [[SECRET], [OTHER], [OTHER, SECRET]])
def test_either_secret_will_do_while_both_sign(known: list[str]) -> None:
    assert verify(signed(SECRET, OTHER), *known)


@given(st.binary(min_size=1, max_size=40).map(lambda raw: json.dumps({"type": raw.hex()}).encode()))
def test_what_our_own_signer_signs_is_verified(body: bytes) -> None:
    headers = signatures.headers("msg_1", NOW, body, [OTHER, SECRET])
    assert verify(headers, SECRET, body=body) == json.loads(body)


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_message_of_another_time_is_refused(seconds: int) -> None:
    with pytest.raises(jt.WebhookVerificationError, match="now"):
        verify(signed(SECRET), SECRET, now=NOW + seconds)
    assert verify(signed(SECRET), SECRET, now=NOW + seconds - seconds // abs(seconds))


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_a_message_with_a_byte_changed_is_refused(place: int, change: int) -> None:
    body = BODY[:place] + bytes([BODY[place] ^ change]) + BODY[place + 1 :]
    with pytest.raises(jt.WebhookVerificationError, match="no signature"):
        verify(signed(SECRET), SECRET, body=body)


@pytest.mark.parametrize(
    "change",
    [
        {"Webhook-Id": "msg_2"},
        {"Webhook-Id": ""},
        {"Webhook-Timestamp": str(NOW + 1)},
        {"Webhook-Timestamp": "now"},
        {"Webhook-Timestamp": "١"},
        {"Webhook-Signature": ""},
        {"Webhook-Signature": "v2,AAAA"},
        {"Webhook-Signature": "v1,"},
    ],
    ids=str,
)
def test_what_is_not_signed_so_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(jt.WebhookVerificationError):
        verify(signed(SECRET) | change, SECRET)


@pytest.mark.parametrize("secret", ["whsec_%%%", "whsec_é", "whsec_abc"])
def test_a_secret_that_cannot_be_read_is_told_without_being_shown(secret: str) -> None:
    with pytest.raises(jt.WebhookVerificationError) as refused:
        verify(signed(SECRET), secret)
    assert secret not in str(refused.value)


def test_without_a_clock_it_is_now() -> None:
    assert jt.verify_webhook(BODY, signed(SECRET, at=int(time.time())), SECRET)
