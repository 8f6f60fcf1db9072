"""Telling a webhook of the service from anybody else's, and signing like it: Standard Webhooks 1.0."""

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
"""A mapping as frameworks have it, a WSGI environment (`HTTP_WEBHOOK_ID`), or pairs, which ASGI gives as bytes."""


def verify_webhook(
    body: bytes | str,
    headers: Headers,
    secrets: str | Sequence[str],
    *,
    tolerance: float = TOLERANCE_SECONDS,
    clock: Callable[[], float] = time.time,
) -> models.Message:
    """The message of a request, if one of the secrets (`whsec_…`) signed it within `tolerance` seconds of now.

    `body` is what came, byte for byte; `headers` are found in any letter case. A message may come again, under the same
    `webhook-id`. After a rotation the service signs with both secrets, so either will do.

    Raises:
        WebhookVerificationError: nobody who knows a secret signed it, or not now; or a secret is empty or cannot be
            read. Nothing else is raised, whatever the request holds.
    """
    keys = [_key(secret) for secret in _listed(secrets)]
    name, told, signatures = _signing_headers(headers)
    if not _SECONDS.fullmatch(told) or not abs(int(told) - clock()) <= tolerance:  # nothing is within NaN
        raise WebhookVerificationError("the message was not signed now")
    content = _content(body)
    signed = f"{name}.{told}.".encode() + content
    given = [each.removeprefix("v1,").encode() for each in signatures.split() if each.startswith("v1,")]
    expected = [_signature(key, signed) for key in keys]
    if not any(hmac.compare_digest(one, other) for one in given for other in expected):
        raise WebhookVerificationError("no signature is by a secret that is known here")
    return _message(content)


def new_secret() -> str:
    """A secret of one's own to `sign` with."""
    return _PREFIX + base64.b64encode(token_bytes(32)).decode()


def check_secret(secret: str) -> None:
    """Refuse a secret that nobody should sign with.

    Raises:
        WebhookVerificationError: it is empty, or cannot be read.
    """
    _key(secret)


def sign(message_id: str, body: bytes, secret: str, now: int) -> dict[str, str]:
    """The headers with which the service would send the body at `now` (epoch seconds).

    Raises:
        WebhookVerificationError: the secret is empty, or cannot be read.
    """
    signature = _signature(_key(secret), f"{message_id}.{now}.".encode() + body).decode()
    return {"webhook-id": message_id, "webhook-timestamp": str(now), "webhook-signature": f"v1,{signature}"}


def _listed(secrets: object) -> Sequence[object]:
    """The secrets, of which there must be one."""
    if isinstance(secrets, (str, bytes)) or not isinstance(secrets, Iterable):
        return [secrets]
    listed = list(secrets)
    if not listed:
        raise WebhookVerificationError("no secret was given to verify with")
    return listed


def _key(secret: object) -> bytes:
    """The bytes that a secret stands for: with none, anybody could sign."""
    if not isinstance(secret, str):
        raise WebhookVerificationError(f"a secret must be text such as whsec_…, not {type(secret).__name__}")
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise WebhookVerificationError("a secret cannot be read: it is not what the service answered") from error
    if not key:
        raise WebhookVerificationError("a secret is empty: was the variable that holds it set?")
    return key


def _signing_headers(headers: object) -> tuple[str, str, str]:
    """Identity, time and signatures of the message."""
    items = getattr(headers, "items", None)  # frameworks' headers have it, also those that are no Mapping
    try:
        pairs = cast(Iterable[tuple[object, object]], items() if callable(items) else headers)
        found = {_name(name): _text(value) for name, value in pairs}
    except (TypeError, ValueError) as error:
        raise WebhookVerificationError("the headers are neither a mapping nor pairs") from error
    name, told, signatures = (_header(found, f"webhook-{part}") for part in ("id", "timestamp", "signature"))
    return name, told, signatures


def _name(name: object) -> str:
    """A header's name in lower case; WSGI writes it HTTP_WEBHOOK_ID (PEP 3333)."""
    return (_text(name) or "").lower().replace("_", "-").removeprefix("http-")


def _text(value: object) -> str | None:
    """The value as text, if it is ASCII, as the service's are."""
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    return text if isinstance(text, str) and text.isascii() else None


def _header(headers: Mapping[str, str | None], name: str) -> str:
    if value := headers.get(name):
        return value
    raise WebhookVerificationError(f"the header {name} is missing, or is not ASCII text")


def _content(body: object) -> bytes:
    try:
        return body.encode() if isinstance(body, str) else bytes(memoryview(cast(bytes, body)))
    except (TypeError, ValueError) as error:
        raise WebhookVerificationError("the body must be the bytes that came") from error


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
