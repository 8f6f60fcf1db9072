"""The secrets of subscriptions: sealed with KMS before they are stored, and opened only to sign or to respond."""

import base64
import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypedDict

import msgspec
from msgspec import Struct

from jobtrack.keys import JobKey
from jobtrack.times import Micros

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient

CACHED_SECONDS = 300
MAX_CACHED = 1000
PREFIX = "whsec_"
SECRET_BYTES = 32


def new_signing_secret(token_bytes: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """Return a new signing secret: `whsec_` and 32 random bytes in base64."""
    return PREFIX + base64.b64encode(token_bytes(SECRET_BYTES)).decode()


class SealedSecret(TypedDict):
    """A response that contains a secret, as it is stored: the secret is sealed."""

    jobId: str
    subscriptionId: str
    sealed: str
    """The ciphertext in base64"""


class SigningSecret(Struct, frozen=True):
    """A `whsec_` secret. A replaced secret signs until `until`."""

    secret: str
    until: Micros | None = None

    def __repr__(self) -> str:
        """Leave out the secret, since this may be logged."""
        return f"SigningSecret(until={self.until})"


class Secrets(Struct, frozen=True):
    """The signing secrets, newest first, and the bearer token that the receiver asks for."""

    signing: tuple[SigningSecret, ...]
    token: str | None = None

    def __repr__(self) -> str:
        """Leave out the token."""
        return f"Secrets(signing={self.signing})"

    def signing_at(self, now: Micros) -> list[str]:
        """Return the secrets that sign now."""
        return [signing.secret for signing in self.signing if signing.until is None or now < signing.until]


class Vault:
    """Encrypts and decrypts with a KMS key; the encryption context binds the ciphertext to tenant and subscription."""

    def __init__(self, kms: "KMSClient", key_id: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._kms = kms
        self._key_id = key_id
        self._clock = clock
        self._opened: dict[bytes, tuple[float, Secrets]] = {}

    def seal(self, job: JobKey, subscription_id: str, secrets: Secrets) -> bytes:
        """Encrypt (KMS takes 4 KB directly, so no data key is needed)."""
        text = _text(secrets)
        context = _context(job, subscription_id)
        sealed = self._kms.encrypt(KeyId=self._key_id, Plaintext=text, EncryptionContext=context)["CiphertextBlob"]
        self._keep(_cache_key(job, subscription_id, sealed), secrets)
        return sealed

    def open(self, job: JobKey, subscription_id: str, sealed: bytes) -> Secrets:
        """Decrypt, or return what this object sealed or decrypted within the last five minutes.

        Raises:
            botocore.exceptions.ClientError: another tenant, subscription or key sealed it.
        """
        cache_key = _cache_key(job, subscription_id, sealed)
        until, secrets = self._opened.get(cache_key, (0.0, None))
        if secrets is None or self._clock() >= until:
            secrets = self._decrypt(job, subscription_id, sealed)
            self._keep(cache_key, secrets)
        return secrets

    def _keep(self, cache_key: bytes, secrets: Secrets) -> None:
        if len(self._opened) >= MAX_CACHED:
            self._opened.clear()
        self._opened[cache_key] = (self._clock() + CACHED_SECONDS, secrets)

    def _decrypt(self, job: JobKey, subscription_id: str, sealed: bytes) -> Secrets:
        context = _context(job, subscription_id)
        response = self._kms.decrypt(KeyId=self._key_id, CiphertextBlob=sealed, EncryptionContext=context)
        signing, _, token = response["Plaintext"].partition(b"\n")
        secrets = msgspec.json.decode(signing, type=tuple[SigningSecret, ...])
        return Secrets(secrets, token.decode() or None)


def _text(secrets: Secrets) -> bytes:
    """Append the token as it is: JSON escapes quotes, so a token of many quotes would exceed the limit of KMS."""
    return msgspec.json.encode(secrets.signing) + b"\n" + (secrets.token or "").encode()


def _cache_key(job: JobKey, subscription_id: str, sealed: bytes) -> bytes:
    return f"{job.tenant}/{subscription_id}/".encode() + sealed


def _context(job: JobKey, subscription_id: str) -> dict[str, str]:
    return {"tenant": job.tenant, "subscription": subscription_id}
