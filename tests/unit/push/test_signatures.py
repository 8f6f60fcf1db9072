"""Our signatures against the public verifier of Standard Webhooks."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from jobtrack import times
from jobtrack.push.delivery import signatures
from jobtrack.push.subscriptions.secrets import new_signing_secret

BODIES = st.text(st.characters(exclude_categories=["Cs"]), max_size=200).map(str.encode)


def test_a_secret_holds_at_least_24_random_bytes() -> None:
    secret = new_signing_secret()
    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) >= 24
    assert secret != new_signing_secret()


@given(BODIES, st.binary(min_size=24, max_size=64))
def test_the_public_verifier_accepts_what_we_sign(body: bytes, key: bytes) -> None:
    secret = "whsec_" + base64.b64encode(key).decode()
    headers = signatures.headers("msg_1", times.now(), body, [secret])
    Webhook(secret).verify(body, headers, json_parse=False)


@given(BODIES)
def test_while_secrets_rotate_each_of_them_verifies(body: bytes) -> None:
    old, new = new_signing_secret(), new_signing_secret()
    headers = signatures.headers("msg_1", times.now(), body, [new, old])
    for secret in (old, new):
        Webhook(secret).verify(body, headers, json_parse=False)


@pytest.mark.parametrize("change", ["id", "timestamp", "body", "secret"])
def test_nothing_that_is_signed_can_be_changed(change: str) -> None:
    secret, now = new_signing_secret(), times.now()
    headers = signatures.headers("msg_1", now, b"body", [secret])
    headers |= {
        "id": {"webhook-id": "msg_2"},
        "timestamp": {"webhook-timestamp": str(times.epoch_seconds(now) - 1)},
    }.get(change, {})
    verifier = Webhook(new_signing_secret() if change == "secret" else secret)
    with pytest.raises(WebhookVerificationError):
        verifier.verify(b"other" if change == "body" else b"body", headers, json_parse=False)


def test_the_example_of_the_specification() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    headers = signatures.headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", times.parse("2021-02-25T15:02:10Z"), b'{"test": 2432232314}', [secret]
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
