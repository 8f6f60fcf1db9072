"""The caller, from the claims of API Gateway, which are strings."""

from typing import Any

import pytest

from jobtrack import auth
from jobtrack.auth import ClaimNames
from jobtrack.errors import Forbidden, Unauthorized

TENANT, PROJECT, OTHER = (f"{digit * 8}-aaaa-4aaa-8aaa-aaaaaaaaaaaa" for digit in "abc")


def event(**claims: str) -> dict[str, Any]:
    told = {"sub": "worker-1", "tenant_id": TENANT, "scope": "jobs:read", **claims}
    return {"requestContext": {"authorizer": {"jwt": {"claims": told, "scopes": None}}}}


@pytest.mark.parametrize("scope", ["jobs:read jobs:write", "[jobs:read jobs:write]", "jobs:read,jobs:write"])
def test_a_list_comes_as_the_issuer_or_the_gateway_writes_it(scope: str) -> None:
    assert auth.caller(event(scope=scope)).scopes == {"jobs:read", "jobs:write"}


@pytest.mark.parametrize("claim", ["", "[]"])
def test_no_scope_and_no_project_is_none(claim: str) -> None:
    found = auth.caller(event(scope=claim, project_ids=claim))
    assert (found.scopes, found.projects) == (frozenset(), frozenset())
    with pytest.raises(Forbidden, match="jobs:read"):
        found.require_scope("jobs:read")
    with pytest.raises(Forbidden):
        found.require_project(TENANT, PROJECT)


def test_a_token_without_projects_opens_all_of_its_tenant() -> None:
    found = auth.caller(event())
    found.require_project(TENANT.upper(), PROJECT)
    found.require_project(TENANT, OTHER)
    with pytest.raises(Forbidden):
        found.require_project(OTHER, PROJECT)


@pytest.mark.parametrize("projects", [PROJECT, PROJECT.upper(), f"[{PROJECT}]", f"[{OTHER[:-1]}f {PROJECT}]"])
def test_a_token_of_projects_opens_those_alone(projects: str) -> None:
    found = auth.caller(event(project_ids=projects, tenant_id=TENANT.upper()))
    found.require_project(TENANT, PROJECT.upper())
    with pytest.raises(Forbidden):
        found.require_project(TENANT, OTHER)


def test_a_refusal_does_not_tell_what_was_wrong_with_the_path() -> None:
    told = set()
    for tenant, project in ((OTHER, PROJECT), (TENANT, OTHER), ("x", "y")):
        with pytest.raises(Forbidden) as refused:
            auth.caller(event(project_ids=PROJECT)).require_project(tenant, project)
        told.add(refused.value.detail)
    assert len(told) == 1


def test_a_scope_is_whole_words() -> None:
    found = auth.caller(event(scope="jobs:reader xjobs:write"))
    for scope in ("jobs:read", "jobs:write"):
        with pytest.raises(Forbidden):
            found.require_scope(scope)


@pytest.mark.parametrize(
    "unknown", [{}, {"requestContext": {}}, {"requestContext": {"authorizer": {}}}, event(sub=""), event(tenant_id="")]
)
def test_who_is_not_named_is_not_let_in(unknown: dict[str, Any]) -> None:
    with pytest.raises(Unauthorized):
        auth.caller(unknown)


def test_claims_go_by_the_names_that_the_issuer_gives_them() -> None:
    names = ClaimNames("client_id", "https://acme.example/tenant", "custom:projects", "jobtrack/")
    told = {"client_id": "me", "https://acme.example/tenant": TENANT, "custom:projects": f"[{PROJECT}]"}
    found = auth.caller(event(**told, scope="jobtrack/jobs:read openid"), names)
    assert found == auth.Caller("me", TENANT, frozenset({PROJECT}), frozenset({"jobs:read"}))
    with pytest.raises(Unauthorized):
        auth.caller(event(), names)


def test_a_scope_without_the_prefix_is_another_ones() -> None:
    names = ClaimNames(scope_prefix="jobtrack/")
    for scope in ("jobs:read", "other/jobs:read", "jobtrack/jobtrack/jobs:read"):
        with pytest.raises(Forbidden):
            auth.caller(event(scope=scope), names).require_scope("jobs:read")


def test_scopes_stand_in_the_claim_that_api_gateway_looks_at() -> None:
    assert auth.caller(event(scope="", scp="[jobs:read]")).scopes == {"jobs:read"}
    assert auth.caller(event(scope="jobs:write", scp="jobs:read")).scopes == {"jobs:write"}
