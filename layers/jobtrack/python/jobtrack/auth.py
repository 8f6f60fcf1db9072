"""Who calls, by what the JWT authorizer found in the token, and what they may touch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobtrack.errors import Forbidden, Unauthorized


@dataclass(frozen=True, slots=True)
class Caller:
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


def caller(event: Mapping[str, Any]) -> Caller:
    """The caller of an API Gateway event (payload 2.0), whose claims are all strings.

    Raises:
        Unauthorized: no authorizer let it through, or the token names no subject or tenant.
    """
    claims = event.get("requestContext", {}).get("authorizer", {}).get("jwt", {}).get("claims", {})
    subject, tenant = claims.get("sub"), claims.get("tenant_id")
    if not subject or not tenant:
        raise Unauthorized("The token names no subject or no tenant.")
    projects = claims.get("project_ids")
    return Caller(
        subject,
        tenant.lower(),
        None if projects is None else frozenset(project.lower() for project in _list(projects)),
        frozenset(_list(claims.get("scope", ""))),
    )


def _list(claim: str) -> list[str]:
    """A claim that is a list: API Gateway writes one as `[a b]`, issuers as `a b` or `a,b`."""
    return claim.strip("[]").replace(",", " ").split()
