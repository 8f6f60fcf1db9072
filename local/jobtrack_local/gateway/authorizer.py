"""API Gateway's JWT authorizer on one machine: verifies the token and the scopes of a request."""

from collections.abc import Collection, Mapping
from typing import TypedDict

from jobtrack.errors import Forbidden, Unauthorized
from jobtrack_local.tokens import Verifier


class Jwt(TypedDict):
    """A verified token as API Gateway passes it on: all claims as strings, and the scopes."""

    claims: dict[str, str]
    scopes: list[str]


class Authorizer(TypedDict):
    """The member `requestContext.authorizer` of an HTTP API's event."""

    jwt: Jwt


def authorize(verifier: Verifier, header: str | None, scopes: Collection[str]) -> Authorizer:
    """Return the authorizer's part of the event.

    Raises:
        Unauthorized: there is no valid token.
        Forbidden: the token has none of the scopes.
    """
    claims = verifier.verify(_bearer(header))
    granted = _scopes(claims)
    if scopes and not set(scopes) & set(granted):
        raise Forbidden(f"The token lacks the scope {' or '.join(scopes)}.")
    return {"jwt": {"claims": {name: render(value) for name, value in claims.items()}, "scopes": granted}}


def render(value: object) -> str:
    """Return a claim as in API Gateway's payload format 2.0: `[a b]` for an array, `true`, `1795405947`."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case list():
            return f"[{' '.join(map(render, value))}]"
        case dict():
            return f"map[{' '.join(f'{key}:{render(value[key])}' for key in sorted(value))}]"
        case _:
            return str(value)


def _bearer(header: str | None) -> str:
    if header is None:
        raise Unauthorized("The header Authorization is missing.")
    kind, _, token = header.strip().partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise Unauthorized("The header Authorization must be: Bearer <token>.")
    return token.strip()


def _scopes(claims: Mapping[str, object]) -> list[str]:
    """Return the scopes of the claim `scope` or `scp`, which is a string or a list."""
    granted = claims.get("scope") or claims.get("scp") or ""
    if isinstance(granted, list):
        return [str(scope) for scope in granted]
    return str(granted).split()
