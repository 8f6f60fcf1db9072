"""Signatures of webhooks, by Standard Webhooks 1.0 (https://www.standardwebhooks.com)."""

import base64
import hashlib
import hmac
from collections.abc import Iterable

from jobtrack import times
from jobtrack.push.subscriptions.secrets import PREFIX
from jobtrack.times import Micros


def headers(message_id: str, sent_at: Micros, body: bytes, signing_secrets: Iterable[str]) -> dict[str, str]:
    """Return the three headers of a message that is sent at a time, signed with each secret.

    There are several secrets during a rotation.
    """
    timestamp = times.epoch_seconds(sent_at)
    content = f"{message_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_signature(secret, content) for secret in signing_secrets),
    }


def _signature(secret: str, content: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    return "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
