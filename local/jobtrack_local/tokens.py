"""Development tokens, signed with a key of this machine's user."""

import base64
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from jobtrack.errors import Unauthorized
from jobtrack_client import profiles
from jobtrack_local import folders
from jobtrack_local.errors import LocalError

ISSUER = "https://jobtrack.localhost/"
AUDIENCE = "jobtrack"
ALGORITHM = "RS256"
SCOPES = "jobs:read jobs:write subscriptions:write"
DAY_SECONDS = 24 * 3600
MOST_VERIFIED = 1_000
"""Verified tokens that are kept."""


def load_signing_key(home: Path) -> RSAPrivateKey:
    """Return the user's RSA key. The first call creates it; concurrent first calls return the same key."""
    path = home / "signing-key.pem"
    if not path.exists():
        _create_key(path)
    with folders.describe_errors(f"read {path}"):
        text = path.read_bytes()
    return _parse_key(text, path)


def issue(
    tenant: str,
    project: str | None = None,
    scope: str = SCOPES,
    ttl: float = DAY_SECONDS,
    *,
    subject: str = "local-developer",
    issuer: str = ISSUER,
    home: Path | None = None,
    clock: Callable[[], float] = time.time,
) -> str:
    """Return a token that each local service of this user accepts for `ttl` seconds.

    Raises:
        LocalError: the tenant or the project is not a GUID.
    """
    now = int(clock())
    claims: dict[str, object] = {
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": subject,
        "tenant_id": _parse_guid(tenant, "tenant"),
        "scope": scope,
        "iat": now,
        "exp": now + int(ttl),
    }
    if project is not None:
        claims["project_ids"] = [_parse_guid(project, "project")]
    key = load_signing_key(home or profiles.home())
    return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": key_id(key.public_key())})


def key_id(key: RSAPublicKey) -> str:
    """Return the id of a key in the header `kid` of tokens: its thumbprint (RFC 7638)."""
    public = jwt.algorithms.RSAAlgorithm.to_jwk(key, as_dict=True)
    text = json.dumps({name: public[name] for name in ("e", "kty", "n")}, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


class Verifier:
    """Verifies tokens as API Gateway's JWT authorizer does: signature, issuer, audience and times.

    A client sends the same token with each request, so verified tokens are kept until they expire.
    """

    def __init__(self, key: RSAPrivateKey, clock: Callable[[], float] = time.time) -> None:
        self._key = key.public_key()
        self._clock = clock
        self._verified: dict[str, Mapping[str, Any]] = {}

    def verify(self, token: str) -> Mapping[str, object]:
        """Return the claims of a token.

        Raises:
            Unauthorized: the token is not valid now, or another key has signed it.
        """
        try:
            claims = self._verified.get(token) or self._verify_new(token)
            if int(claims["exp"]) <= self._clock():
                self._verified.pop(token, None)
                raise jwt.ExpiredSignatureError("Signature has expired")
        except jwt.InvalidTokenError as error:
            raise Unauthorized(f"The token is not valid: {error}.") from error
        return claims

    def _verify_new(self, token: str) -> Mapping[str, Any]:
        claims: Mapping[str, Any] = jwt.decode(
            token,
            self._key,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={"require": ["exp", "iss", "aud"]},
        )
        if len(self._verified) == MOST_VERIFIED:
            del self._verified[next(iter(self._verified))]
        self._verified[token] = claims
        return claims


def _parse_guid(text: str, name: str) -> str:
    try:
        return str(UUID(text))
    except ValueError as error:
        raise LocalError(f"--{name} must be a GUID, not {text!r}") from error


def _create_key(path: Path) -> None:
    """Write a new key to a temporary file and link it to its name.

    Of several processes, only the first one succeeds.
    """
    folders.create_folder(path.parent)
    key = generate_private_key(public_exponent=65537, key_size=2048)
    handle, draft = tempfile.mkstemp(dir=path.parent)  # mkstemp: mode 0600
    try:
        with folders.describe_errors(f"write {path}"), os.fdopen(handle, "wb") as file:
            file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        with folders.describe_errors(f"write {path}"), suppress(FileExistsError):
            os.link(draft, path)
    finally:
        os.unlink(draft)


def _parse_key(text: bytes, path: Path) -> RSAPrivateKey:
    try:
        key = load_pem_private_key(text, password=None, unsafe_skip_rsa_key_validation=True)  # it is the user's own
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise LocalError(f"{path} is not a private key; delete it, and the next start creates a new one") from error
    if not isinstance(key, RSAPrivateKey):
        raise LocalError(f"{path} is not an RSA key; delete it, and the next start creates a new one")
    return key
