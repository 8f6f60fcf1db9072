"""A webhook is genuine if a known secret signed it just now."""

import base64
import hmac
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

import jobtrack_client as jt
from jobtrack import times
from jobtrack.push.delivery import signatures
from jobtrack_client._api.webhooks import sign

SECRET, OTHER = "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtMQ==", "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtMg=="
NOW = 1_795_430_733
BODY = json.dumps({"type": "ping", "timestamp": "2026-11-23T10:45:33Z", "data": {}}).encode()


def signed(*secrets: str, body: bytes = BODY, at: int = NOW) -> dict[str, str]:
    """Return the headers of a message signed with these secrets, by the verifiers' own library."""
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
    for several in (iter(known), {*known}, dict.fromkeys(known).keys()):
        assert jt.verify_webhook(BODY, signed(SECRET, OTHER), cast(Any, several), clock=lambda: NOW)


@given(st.binary(min_size=1, max_size=40).map(lambda raw: json.dumps({"type": raw.hex()}).encode()))
def test_what_our_own_signer_signs_is_verified(body: bytes) -> None:
    headers = signatures.headers("msg_1", times.Micros(NOW * times.SECOND), body, [OTHER, SECRET])
    assert verify(headers, SECRET, body=body) == json.loads(body)


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_message_of_another_time_is_refused(seconds: int) -> None:
    with pytest.raises(jt.WebhookVerificationError, match="too long ago"):
        verify(signed(SECRET), SECRET, now=NOW + seconds)
    assert verify(signed(SECRET), SECRET, now=NOW + seconds - seconds // abs(seconds))


def test_a_tolerance_that_is_no_number_lets_no_old_message_in() -> None:
    signed_long_ago = sign("one", b"{}", SECRET, 1)
    with pytest.raises(jt.WebhookVerificationError, match="too long ago"):
        jt.verify_webhook(b"{}", signed_long_ago, SECRET, tolerance=float("nan"))


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


EMPTY: list[object] = [None, "", " ", "whsec_", b"", b"whsec_", 0, {}]


@pytest.mark.parametrize("known", [*EMPTY, [], (), *([each] for each in EMPTY), [SECRET, ""], [None, SECRET]], ids=repr)
def test_an_empty_or_missing_secret_verifies_nothing(known: Any) -> None:
    """Not even what was signed with it."""
    key = hmac.digest(b"", f"msg_1.{NOW}.".encode() + BODY, "sha256")
    forged = {"webhook-id": "msg_1", "webhook-timestamp": str(NOW)}
    forged["webhook-signature"] = f"v1,{base64.b64encode(key).decode()} {signed(SECRET)['Webhook-Signature']}"
    with pytest.raises(jt.WebhookVerificationError, match="secret"):
        jt.verify_webhook(BODY, forged, known, clock=lambda: NOW)


@pytest.mark.parametrize("secret", ["", " ", "whsec_"])
def test_nothing_is_signed_with_an_empty_secret(secret: str) -> None:
    with pytest.raises(jt.WebhookVerificationError, match="secret"):
        sign("msg_1", BODY, secret, NOW)


class Items:
    """Headers as in `http.server` and some frameworks: with `items`, but not a Mapping."""

    def __init__(self, headers: dict[str, str]) -> None:
        self._headers = headers

    def items(self) -> Any:
        return self._headers.items()


@pytest.mark.parametrize(
    "shape",
    [
        dict,
        httpx.Headers,
        Items,
        lambda headers: [*headers.items()],
        lambda headers: [(name.encode(), value.encode()) for name, value in headers.items()],
        lambda headers: {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
        lambda headers: headers | {"X-Name": "名前", "wsgi.errors": object(), b"odd": None},
    ],
    ids=["dict", "httpx", "items", "pairs", "asgi", "wsgi", "others beside"],
)
@pytest.mark.parametrize(
    "body", [BODY, BODY.decode(), bytearray(BODY), memoryview(BODY)], ids=["bytes", "str", "bytearray", "memoryview"]
)
def test_headers_and_body_as_frameworks_have_them(shape: Callable[[dict[str, str]], Any], body: Any) -> None:
    assert jt.verify_webhook(body, shape(signed(SECRET)), SECRET, clock=lambda: NOW)["type"] == "ping"


values = st.one_of(
    st.none() | st.integers() | st.floats() | st.binary() | st.text() | st.lists(st.text()),
    st.sampled_from(["9" * 5000, "9" * 400, "-1", "1.5", "NaN", "1e3", "inf", f"{NOW} ", f"+{NOW}", "v1,", "v1a,AAAA"]),
    st.sampled_from(["v1,AAAA v1,é", "v1," + "A" * 10_000, "v2,AAAA", ",", "v1", "\ud800", "v1,\x00"]),
)
names = st.sampled_from(["Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"])
bodies = st.binary() | st.text() | st.none() | st.integers() | st.just("\ud800") | st.just([1])


@given(
    st.dictionaries(names, values) | st.lists(values) | st.lists(st.tuples(values, values)) | values,
    bodies,
    st.sets(names),
)
def test_whatever_a_request_holds_it_is_refused_in_one_way(headers: Any, body: Any, good: set[str]) -> None:
    if isinstance(headers, dict):
        headers |= {name: value for name, value in signed(SECRET).items() if name in good}
    with pytest.raises(jt.WebhookVerificationError):
        jt.verify_webhook(body, headers, SECRET, clock=lambda: NOW)


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xfe", b'{"a": "\xe9"}', b"[]", b"1", b"null", b"[" * 100_000, b"{"],
    ids=["empty", "no UTF-8", "half UTF-8", "list", "number", "null", "deep", "cut"],
)
def test_what_is_signed_and_no_message_is_refused(body: bytes) -> None:
    with pytest.raises(jt.WebhookVerificationError, match="signed, but"):
        jt.verify_webhook(body, sign("msg_1", body, SECRET, NOW), SECRET, clock=lambda: NOW)


@pytest.mark.parametrize("secret", ["whsec_%%%", "whsec_é", "whsec_abc"])
def test_a_secret_that_cannot_be_read_is_told_without_being_shown(secret: str) -> None:
    with pytest.raises(jt.WebhookVerificationError) as refused:
        verify(signed(SECRET), secret)
    assert secret not in str(refused.value)


def test_without_a_clock_it_is_now() -> None:
    assert jt.verify_webhook(BODY, signed(SECRET, at=int(time.time())), SECRET)
