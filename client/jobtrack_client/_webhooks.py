"""Telling a webhook of the service from anybody else's, and signing like it: Standard Webhooks 1.0."""

import base64
import binascii
import hmac
import json
import time
from collections.abc import Callable, Mapping, Sequence
from secrets import token_bytes
from typing import cast

from jobtrack_client import models
from jobtrack_client._exceptions import WebhookVerificationError

TOLERANCE_SECONDS = 300
_PREFIX = "whsec_"


def verify_webhook(
    body: bytes,
    headers: Mapping[str, str],
    secrets: str | Sequence[str],
    *,
    tolerance: float = TOLERANCE_SECONDS,
    clock: Callable[[], float] = time.time,
) -> models.Pushed:
    """The message of a request, if one of the secrets (`whsec_…`) signed it within `tolerance` seconds of now.

    `body` is what came, byte for byte; `headers` are found in any letter case. A message may come again, under the same
    `webhook-id`. After a rotation the service signs with both secrets, so either will do.

    Raises:
        WebhookVerificationError: nobody who knows a secret signed it, or not now; or no secret can be read.
    """
    found = {name.lower(): value for name, value in headers.items()}
    name, told, signatures = (_header(found, f"webhook-{part}") for part in ("id", "timestamp", "signature"))
    if not told.isascii() or not told.isdigit() or abs(int(told) - clock()) > tolerance:
        raise WebhookVerificationError("the message was not signed now")
    signed = f"{name}.{told}.".encode() + body
    given = [each.removeprefix("v1,").encode() for each in signatures.split() if each.startswith("v1,")]
    expected = [_signature(secret, signed) for secret in ([secrets] if isinstance(secrets, str) else secrets)]
    if not any(hmac.compare_digest(one, other) for one in given for other in expected):
        raise WebhookVerificationError("no signature is by a secret that is known here")
    return cast(models.Pushed, json.loads(body))


def new_secret() -> str:
    """A secret of one's own to `sign` with."""
    return _PREFIX + base64.b64encode(token_bytes(32)).decode()


def sign(message_id: str, body: bytes, secret: str, now: int) -> dict[str, str]:
    """The headers with which the service would send the body at `now` (epoch seconds).

    Raises:
        WebhookVerificationError: the secret cannot be read.
    """
    signature = _signature(secret, f"{message_id}.{now}.".encode() + body).decode()
    return {"webhook-id": message_id, "webhook-timestamp": str(now), "webhook-signature": f"v1,{signature}"}


def _header(headers: Mapping[str, str], name: str) -> str:
    if value := headers.get(name, ""):
        return value
    raise WebhookVerificationError(f"the header {name} is missing")


def _signature(secret: str, signed: bytes) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise WebhookVerificationError("a secret cannot be read: it is not what the service answered") from error
    return base64.b64encode(hmac.digest(key, signed, "sha256"))
