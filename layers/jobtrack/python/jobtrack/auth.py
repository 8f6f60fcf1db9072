"""Who calls, by what the JWT authorizer found in the token, and what they may touch."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from jobtrack.errors import Forbidden, Unauthorized


class ClaimNames(Struct, frozen=True):
    """What the issuer calls the claims, and what it writes before our scopes."""

    subject: str = "sub"
    tenant: str = "tenant_id"
    projects: str = "project_ids"
    scope_prefix: str = ""


USUAL_NAMES = ClaimNames()


class Caller(Struct, frozen=True):
    """The subject of a token, its tenant, and the projects it is confined to (None: all of the tenant's)."""

    subject: str
    tenant: str
    projects: frozenset[str] | None
    scopes: frozenset[str]

    def require_project(self, tenant: str, project: str) -> None:
        """Refuse another tenant's or project's path, in the same words whatever exists there.

        Raises:
            Forbidden: the token is not of this tenant and project.
        """
        if self.tenant != tenant.lower() or (self.projects is not None and project.lower() not in self.projects):
            raise Forbidden("The token does not give access to this tenant and project.")

    def require_scope(self, scope: str) -> None:
        """Refuse what the route's own scope does not cover.

        Raises:
            Forbidden: the token lacks the scope.
        """
        if scope not in self.scopes:
            raise Forbidden(f"The token lacks the scope {scope}.")


def caller(event: Mapping[str, Any], names: ClaimNames = USUAL_NAMES) -> Caller:
    """The caller of an API Gateway event (payload 2.0), whose claims are all strings.

    Raises:
        Unauthorized: no authorizer let it through, or the token names no subject or tenant.
    """
    claims = event.get("requestContext", {}).get("authorizer", {}).get("jwt", {}).get("claims", {})
    subject, tenant = claims.get(names.subject), claims.get(names.tenant)
    if not subject or not tenant:
        raise Unauthorized("The token names no subject or no tenant.")
    projects = claims.get(names.projects)
    return Caller(
        subject,
        tenant.lower(),
        None if projects is None else frozenset(project.lower() for project in _list(projects)),
        _scopes(claims, names.scope_prefix),
    )


def _scopes(claims: Mapping[str, str], prefix: str) -> frozenset[str]:
    """Our scopes, without the prefix, of the claim that API Gateway looks at too: `scope`, else `scp`."""
    granted = _list(claims.get("scope") or claims.get("scp") or "")
    return frozenset(scope.removeprefix(prefix) for scope in granted if scope.startswith(prefix))


def _list(claim: str) -> list[str]:
    """A claim that is a list: API Gateway writes one as `[a b]`, issuers as `a b` or `a,b`."""
    return claim.strip("[]").replace(",", " ").split()
