"""Encrypting, decrypting and caching the secrets of a subscription."""

from typing import TYPE_CHECKING, Any, cast

from jobtrack.keys import JobKey
from jobtrack.push.subscriptions.secrets import CACHED_SECONDS, Secrets, SigningSecret, Vault
from jobtrack.times import Micros

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient

JOB = JobKey("t", "p", "j")
SECRETS = Secrets((SigningSecret("whsec_new"), SigningSecret("whsec_old", until=Micros(100))), token="hunter2")


class FakeKms:
    """Stores what it encrypted, and counts calls of decrypt."""

    def __init__(self) -> None:
        self.sealed: dict[bytes, tuple[bytes, dict[str, str]]] = {}
        self.decrypted = 0

    def encrypt(self, KeyId: str, Plaintext: bytes, EncryptionContext: dict[str, str]) -> dict[str, Any]:
        blob = f"sealed-{len(self.sealed)}".encode()
        self.sealed[blob] = (Plaintext, EncryptionContext)
        return {"CiphertextBlob": blob}

    def decrypt(self, KeyId: str, CiphertextBlob: bytes, EncryptionContext: dict[str, str]) -> dict[str, Any]:
        self.decrypted += 1
        plain, context = self.sealed[CiphertextBlob]
        assert context == EncryptionContext
        return {"Plaintext": plain}


def vault(kms: FakeKms, now: list[float]) -> Vault:
    return Vault(cast("KMSClient", kms), "key", clock=lambda: now[0])


def test_what_is_sealed_opens_again_bound_to_tenant_and_subscription() -> None:
    kms = FakeKms()
    one = vault(kms, [0.0])
    sealed = one.seal(JOB, "sub-1", SECRETS)
    assert vault(kms, [0.0]).open(JOB, "sub-1", sealed) == SECRETS
    assert [context for _, context in kms.sealed.values()] == [{"tenant": "t", "subscription": "sub-1"}]


def test_what_was_sealed_or_opened_is_kept_for_five_minutes() -> None:
    kms, now = FakeKms(), [0.0]
    one = vault(kms, now)
    sealed = one.seal(JOB, "sub-1", SECRETS)
    for moment, decrypted in [(0.0, 0), (CACHED_SECONDS - 1, 0), (CACHED_SECONDS, 1), (CACHED_SECONDS + 1, 1)]:
        now[0] = moment
        one.open(JOB, "sub-1", sealed)
        assert kms.decrypted == decrypted


def test_a_replaced_secret_is_not_served_from_what_was_kept() -> None:
    one = vault(FakeKms(), [0.0])
    one.open(JOB, "sub-1", one.seal(JOB, "sub-1", SECRETS))
    rotated = Secrets((SigningSecret("whsec_newer"),))
    assert one.open(JOB, "sub-1", one.seal(JOB, "sub-1", rotated)) == rotated


def test_a_replaced_secret_signs_until_its_time_is_over() -> None:
    assert SECRETS.signing_at(Micros(99)) == ["whsec_new", "whsec_old"]
    assert SECRETS.signing_at(Micros(100)) == ["whsec_new"]


def test_secrets_are_not_shown() -> None:
    assert "hunter2" not in repr(SECRETS)
    assert "whsec_" not in repr(SECRETS)
