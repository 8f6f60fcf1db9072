"""Verifies and signs webhooks by Standard Webhooks 1.0."""

import base64
import binascii
import hmac
import json
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from secrets import token_bytes
from typing import TypeAlias, cast

from jobtrack_client import models
from jobtrack_client._exceptions import WebhookVerificationError

TOLERANCE_SECONDS = 300
_PREFIX = "whsec_"
_SECONDS = re.compile(r"[0-9]{1,15}", re.ASCII)

Headers: TypeAlias = Mapping[str, str] | Iterable[tuple[str | bytes, str | bytes]]
"""The mapping of a framework, a WSGI environment (`HTTP_WEBHOOK_ID`), or pairs (in ASGI, of bytes)."""


def verify_webhook(
    body: bytes | str,
    headers: Headers,
    secrets: str | Sequence[str],
    *,
    tolerance: float = TOLERANCE_SECONDS,
    clock: Callable[[], float] = time.time,
) -> models.Message:
    """Return the message of a webhook, if it was signed with one of the secrets (`whsec_…`).

    Pass the `body` exactly as it was received. The case of the `headers` does not matter. The signature's time must be
    within `tolerance` seconds of now. The service may send a message again, with the same `webhook-id`. After a
    rotation, it signs with the old and the new secret.

    Raises:
        WebhookVerificationError: the signature is invalid or too old, or a secret is invalid. A request never causes
            any other exception.
    """
    keys = [_key(secret) for secret in _listed(secrets)]
    name, timestamp, signatures = _signing_headers(headers)
    # Written so that a tolerance of NaN accepts nothing.
    if not _SECONDS.fullmatch(timestamp) or not abs(int(timestamp) - clock()) <= tolerance:
        raise WebhookVerificationError("the message was signed too long ago, or in the future")
    content = _content(body)
    signed = f"{name}.{timestamp}.".encode() + content
    received = [text.removeprefix("v1,").encode() for text in signatures.split() if text.startswith("v1,")]
    expected = [_signature(key, signed) for key in keys]
    if not any(hmac.compare_digest(one, other) for one in received for other in expected):
        raise WebhookVerificationError("no signature matches one of the secrets")
    return _message(content)


def new_secret() -> str:
    """Return a new secret for `sign`."""
    return _PREFIX + base64.b64encode(token_bytes(32)).decode()


def check_secret(secret: str) -> None:
    """Check that a secret can be used to sign.

    Raises:
        WebhookVerificationError: the secret is empty, or is not Base64.
    """
    _key(secret)


def sign(message_id: str, body: bytes, secret: str, now: int) -> dict[str, str]:
    """Return the headers that the service would send with the body at `now` (in seconds since 1970).

    Raises:
        WebhookVerificationError: the secret is empty, or is not Base64.
    """
    signature = _signature(_key(secret), f"{message_id}.{now}.".encode() + body).decode()
    return {"webhook-id": message_id, "webhook-timestamp": str(now), "webhook-signature": f"v1,{signature}"}


def _listed(secrets: object) -> Sequence[object]:
    """Return the secrets as a list with at least one item."""
    if isinstance(secrets, (str, bytes)) or not isinstance(secrets, Iterable):
        return [secrets]
    listed = list(secrets)
    if not listed:
        raise WebhookVerificationError("no secret was given to verify with")
    return listed


def _key(secret: object) -> bytes:
    """Return the bytes of a secret. An empty secret is refused: anybody could sign with it."""
    if not isinstance(secret, str):
        raise WebhookVerificationError(f"a secret must be text such as whsec_…, not {type(secret).__name__}")
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise WebhookVerificationError("a secret is invalid: it is not one that the service returned") from error
    if not key:
        raise WebhookVerificationError("a secret is empty: was the variable that holds it set?")
    return key


def _signing_headers(headers: object) -> tuple[str, str, str]:
    """Return the id, the time and the signatures of a message."""
    items = getattr(headers, "items", None)  # headers of frameworks have `items`, but may be no Mapping
    try:
        pairs = cast(Iterable[tuple[object, object]], items() if callable(items) else headers)
        by_name = {_name(name): _text(value) for name, value in pairs}
    except (TypeError, ValueError) as error:
        raise WebhookVerificationError("the headers are neither a mapping nor pairs") from error
    name, timestamp, signatures = (_header(by_name, f"webhook-{part}") for part in ("id", "timestamp", "signature"))
    return name, timestamp, signatures


def _name(name: object) -> str:
    """Return the name of a header in lower case. WSGI spells it HTTP_WEBHOOK_ID (PEP 3333)."""
    return (_text(name) or "").lower().replace("_", "-").removeprefix("http-")


def _text(value: object) -> str | None:
    """Return a value as text; None if it is not ASCII. All values of the service are ASCII."""
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    return text if isinstance(text, str) and text.isascii() else None


def _header(headers: Mapping[str, str | None], name: str) -> str:
    if value := headers.get(name):
        return value
    raise WebhookVerificationError(f"the header {name} is missing or is not ASCII")


def _content(body: object) -> bytes:
    try:
        return body.encode() if isinstance(body, str) else bytes(memoryview(cast(bytes, body)))
    except (TypeError, ValueError) as error:
        raise WebhookVerificationError("the body must be the bytes that were received") from error


def _signature(key: bytes, signed: bytes) -> bytes:
    return base64.b64encode(hmac.digest(key, signed, "sha256"))


def _message(content: bytes) -> models.Message:
    try:
        message = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise WebhookVerificationError("the body is signed, but it is not JSON") from error
    if not isinstance(message, dict):
        raise WebhookVerificationError("the body is signed, but it is not a JSON object")
    return cast(models.Message, message)
