"""The caller of a request, from the claims of its token, and what the caller may access."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from jobtrack.errors import Forbidden, Unauthorized


class ClaimNames(Struct, frozen=True):
    """The issuer's names for the claims, and its prefix for our scopes."""

    subject: str = "sub"
    tenant: str = "tenant_id"
    projects: str = "project_ids"
    scope_prefix: str = ""


DEFAULT_CLAIM_NAMES = ClaimNames()


class Caller(Struct, frozen=True):
    """The subject of a token, its tenant, its projects (`None`: all projects of the tenant), and its scopes."""

    subject: str
    tenant: str
    projects: frozenset[str] | None
    scopes: frozenset[str]

    def require_project(self, tenant: str, project: str) -> None:
        """Refuse the path of another tenant or project. The message does not reveal whether they exist.

        Raises:
            Forbidden: the token is for another tenant or project.
        """
        if self.tenant != tenant.lower() or (self.projects is not None and project.lower() not in self.projects):
            raise Forbidden("The token does not give access to this tenant and project.")

    def require_scope(self, scope: str) -> None:
        """Refuse a request whose token lacks the scope of the route.

        Raises:
            Forbidden: the token lacks the scope.
        """
        if scope not in self.scopes:
            raise Forbidden(f"The token lacks the scope {scope}.")


def caller(event: Mapping[str, Any], names: ClaimNames = DEFAULT_CLAIM_NAMES) -> Caller:
    """Return the caller of an API Gateway event (payload 2.0). API Gateway passes every claim as a string.

    Raises:
        Unauthorized: the event has no claims, or they have no subject or tenant.
    """
    claims = event.get("requestContext", {}).get("authorizer", {}).get("jwt", {}).get("claims", {})
    subject, tenant = claims.get(names.subject), claims.get(names.tenant)
    if not subject or not tenant:
        raise Unauthorized("The token has no subject or no tenant.")
    projects = claims.get(names.projects)
    return Caller(
        subject,
        tenant.lower(),
        None if projects is None else frozenset(project.lower() for project in _list(projects)),
        _scopes(claims, names.scope_prefix),
    )


def _scopes(claims: Mapping[str, str], prefix: str) -> frozenset[str]:
    """Return our scopes without the prefix, from the claim that API Gateway reads too: `scope`, else `scp`."""
    granted = _list(claims.get("scope") or claims.get("scp") or "")
    return frozenset(scope.removeprefix(prefix) for scope in granted if scope.startswith(prefix))


def _list(claim: str) -> list[str]:
    """Return the values of a list: API Gateway writes it as `[a b]`, issuers as `a b` or `a,b`."""
    return claim.strip("[]").replace(",", " ").split()
