"""Tokens and headers that must not give access to a tenant's project, each made for that project and a scope."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from jobtrack_local import tokens

Claims = Mapping[str, object]
STRANGER = generate_private_key(public_exponent=65537, key_size=2048)
"""A key that no issuer has."""


@dataclass(frozen=True)
class Target:
    """A tenant's project, another tenant and another project, the issuer's key, and the scope of a route."""

    key: RSAPrivateKey
    tenant: str
    project: str
    other_tenant: str = ""
    other_project: str = ""
    issuer: str = tokens.ISSUER
    scope: str = ""

    def bearing(self, changes: Claims | None = None, key: RSAPrivateKey | None = None, **headers: Any) -> str:
        """Return a valid token for the project, with changed claims (None removes one) or another signature."""
        signing, header = key or self.key, self.named(headers)
        return f"Bearer {jwt.encode(self.claims(changes), signing, algorithm=tokens.ALGORITHM, headers=header)}"

    def named(self, header: Claims) -> dict[str, Any]:
        """Return a token header that names the issuer's key, with changes."""
        return {"kid": tokens.key_id(self.key.public_key()), **header}

    def claims(self, changes: Claims | None = None) -> dict[str, object]:
        """Return the claims of a valid token for the project, with changes."""
        now = int(time.time())
        usual: dict[str, object] = {
            "iss": self.issuer,
            "aud": tokens.AUDIENCE,
            "sub": "intruder",
            "tenant_id": self.tenant,
            "project_ids": [self.project],
            "scope": tokens.SCOPES,
            "iat": now - 60,
            "exp": now + 3600,
        }
        return {name: value for name, value in {**usual, **(changes or {})}.items() if value is not None}

    def public(self, encoding: Encoding) -> bytes:
        """Return the issuer's public key."""
        return self.key.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)


Forgery = Callable[[Target], str | None]
"""Returns the header Authorization, or None without one."""


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _parts(target: Target, header: Claims, claims: Claims | None = None) -> str:
    return ".".join(_encoded(json.dumps(part).encode()) for part in (target.named(header), claims or target.claims()))


def _unsigned(target: Target, algorithm: str = "none") -> str:
    return f"Bearer {_parts(target, {'alg': algorithm, 'typ': 'JWT'})}."


def _unsigned_with_a_signature(target: Target) -> str:
    return _unsigned(target) + target.bearing().rpartition(".")[2]


def _by_public_key(target: Target, encoding: Encoding) -> str:
    signed = _parts(target, {"alg": "HS256", "typ": "JWT"})
    return f"Bearer {signed}.{_encoded(hmac.digest(target.public(encoding), signed.encode(), hashlib.sha256))}"


def _by_embedded_key(target: Target) -> str:
    return target.bearing(key=STRANGER, jwk=jwt.algorithms.RSAAlgorithm.to_jwk(STRANGER.public_key(), as_dict=True))


def _tampered(target: Target) -> str:
    header, _, signature = target.bearing({"tenant_id": target.other_tenant}).split(".")
    return f"{header}.{_encoded(json.dumps(target.claims()).encode())}.{signature}"


def _changed(**changes: object) -> Forgery:
    return lambda target: target.bearing(changes)


def _at(**changes: int) -> Forgery:
    """Return claims with times relative to now, in seconds."""
    return lambda target: target.bearing({name: int(time.time()) + after for name, after in changes.items()})


UNKNOWN: dict[str, Forgery] = {
    "no token": lambda _: None,
    "another kind": lambda _: "Basic YTpi",
    "nothing borne": lambda _: "Bearer",
    "not said to be borne": lambda target: target.bearing().removeprefix("Bearer "),
    "junk": lambda _: "Bearer junk",
    "junk in three parts": lambda _: "Bearer a.b.c",
    "alg none": _unsigned,
    "alg None": partial(_unsigned, algorithm="None"),
    "alg none, signature of another": _unsigned_with_a_signature,
    "HS256 by the public key (PEM)": partial(_by_public_key, encoding=Encoding.PEM),
    "HS256 by the public key (DER)": partial(_by_public_key, encoding=Encoding.DER),
    "wrong key": lambda target: target.bearing(key=STRANGER),
    "wrong key, brought along": _by_embedded_key,
    "wrong key, somewhere else": lambda target: target.bearing(key=STRANGER, jku="https://elsewhere.example/keys"),
    "claims of another token": _tampered,
    "signature left out": lambda target: target.bearing().rpartition(".")[0] + ".",
    "expired": _at(exp=-1),
    "not yet valid": _at(nbf=600),
    "issued in time to come": _at(iat=600),
    "wrong issuer": _changed(iss="https://elsewhere.example/"),
    "issuer but for its end": lambda target: target.bearing({"iss": target.issuer.rstrip("/")}),
    "wrong audience": _changed(aud="another"),
    "wrong audiences": _changed(aud=["another", tokens.AUDIENCE.upper()]),
    "no expiry": _changed(exp=None),
    "no issuer": _changed(iss=None),
    "no audience": _changed(aud=None),
    "no tenant": _changed(tenant_id=None),
    "empty tenant": _changed(tenant_id=""),
    "no subject": _changed(sub=None),
}
"""Tokens without a valid caller: 401."""

FOREIGN: dict[str, Forgery] = {
    "other tenant": lambda target: target.bearing({"tenant_id": target.other_tenant}),
    "other tenant, all projects": lambda target: target.bearing(
        {"tenant_id": target.other_tenant, "project_ids": None}
    ),
    "two tenants": lambda target: target.bearing({"tenant_id": [target.other_tenant, target.tenant]}),
    "tenants as a text": lambda target: target.bearing({"tenant_id": f"{target.other_tenant} {target.tenant}"}),
    "any tenant": _changed(tenant_id="*"),
    "tenant and more": lambda target: target.bearing({"tenant_id": f"{target.tenant}#{target.project}"}),
    "part of the tenant": lambda target: target.bearing({"tenant_id": target.tenant[:-1]}),
    "other project": lambda target: target.bearing({"project_ids": [target.other_project]}),
    "other project as a text": lambda target: target.bearing({"project_ids": target.other_project}),
    "tenant's id as a project": lambda target: target.bearing({"project_ids": [target.tenant]}),
    "no project": _changed(project_ids=[]),
    "any project": _changed(project_ids=["*"]),
    "part of the project": lambda target: target.bearing({"project_ids": [target.project[:-1]]}),
}
"""Tokens of a known caller without access to the project: 403."""


def _scoped(scope: Callable[[str], object], claim: str = "scope") -> Forgery:
    return lambda target: target.bearing({"scope": None, claim: scope(target.scope)})


UNSCOPED: dict[str, Forgery] = {
    "missing scope": _scoped(lambda scope: " ".join(each for each in tokens.SCOPES.split() if each != scope)),
    "no scope": _scoped(lambda _: None),
    "empty scope": _scoped(lambda _: ""),
    "empty list of scopes": _scoped(lambda _: []),
    "longer scope": _scoped(lambda scope: f"{scope}x"),
    "scope with something before": _scoped(lambda scope: f"x{scope}"),
    "scope under another's prefix": _scoped(lambda scope: f"elsewhere/{scope}"),
    "scope under an empty prefix": _scoped(lambda scope: f"/{scope}"),
    "scope shouted": _scoped(str.upper),
    "scope's first half": _scoped(lambda scope: scope.partition(":")[0]),
    "any of its kind": _scoped(lambda scope: scope.partition(":")[0] + ":*"),
    "any scope": _scoped(lambda _: "*"),
    "scopes joined by a comma": _scoped(lambda scope: f"{scope},x"),
    "scopes as one of a list": _scoped(lambda scope: [f"{scope} x"]),
    "scope in the claim of permissions": _scoped(lambda scope: [scope], "permissions"),
}
"""Tokens with access to the project but not to this route: 403."""
