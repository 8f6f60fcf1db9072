"""Routes, tokens and the event for a function."""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobtrack import auth as function_side
from jobtrack import times
from jobtrack.errors import Forbidden, Unauthorized
from jobtrack_local import tokens
from jobtrack_local.gateway.authorizer import authorize, render
from jobtrack_local.gateway.http_api import Gateway
from jobtrack_local.template.cloudformation import RouteProperties
from jobtrack_local.tokens import Verifier, issue, load_signing_key

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

TENANT = "7d1c3b5e-2f4a-4c8e-9b6d-0a1f2e3d4c5b"
PROJECTS = ["1f0e8400-e29b-41d4-a716-446655440000"]


def route(method: str, path: str, *scopes: str, authorizer: str | None = None) -> RouteProperties:
    auth = {"AuthorizationScopes": list(scopes), "Authorizer": authorizer}
    return RouteProperties.model_validate({"Method": method, "Path": path, "Auth": auth})


ROUTES = [
    route("GET", "/api/{tenantId}/job/{jobId}", "jobs:read"),
    route("GET", "/api/{tenantId}/job/newest", "jobs:admin"),
    route("POST", "/api/{tenantId}/jobs", "jobs:write", "jobs:admin"),
    route("GET", "/files/{rest+}"),
    route("GET", "/health", authorizer="NONE"),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def verifier(home: Path) -> Verifier:
    return Verifier(load_signing_key(home))


async def echo(scope: "Scope", receive: "Receive", send: "Send") -> None:
    """Returns the event that it received."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(scope["aws.event"]).encode()})


NOW = times.parse("2026-11-23T10:45:33.004Z")


def ask(verifier: Verifier, method: str, path: str, token: str | None = None) -> httpx.Response:
    async def exchange() -> httpx.Response:
        transport = httpx.ASGITransport(Gateway(echo, ROUTES, verifier, lambda: NOW))
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://local") as client:
            return await client.request(method, path, headers=headers)

    return asyncio.run(exchange())


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("POST", "/health"), ("GET", "/health/"), ("GET", "/api/t/job/a/b"), ("GET", "/files/")],
)
def test_what_is_no_route_is_404_before_any_token(verifier: Verifier, method: str, path: str) -> None:
    answer = ask(verifier, method, path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_an_open_route_needs_no_token(verifier: Verifier) -> None:
    event = ask(verifier, "GET", "/health").json()
    assert "authorizer" not in event["requestContext"]


def test_without_a_token_it_is_401_as_problem_json(verifier: Verifier) -> None:
    answer = ask(verifier, "GET", f"/api/{TENANT}/job/1")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["instance"] == f"/api/{TENANT}/job/1"


@pytest.mark.parametrize(
    ("scope", "status"), [("jobs:read", 403), ("jobs:write x", 200), ("jobs:admin", 200), ("", 403)]
)
def test_one_of_the_routes_scopes_is_needed(home: Path, verifier: Verifier, scope: str, status: int) -> None:
    token = issue(TENANT, scope=scope, home=home)
    assert ask(verifier, "POST", f"/api/{TENANT}/jobs", token).status_code == status


def test_the_route_with_the_fewest_parameters_wins(home: Path, verifier: Verifier) -> None:
    token = issue(TENANT, scope="jobs:read", home=home)
    assert ask(verifier, "GET", f"/api/{TENANT}/job/newest", token).status_code == 403
    assert ask(verifier, "GET", f"/api/{TENANT}/job/oldest", token).status_code == 200


def test_an_encoded_slash_reaches_the_route_that_the_application_will_see(home: Path, verifier: Verifier) -> None:
    token = issue(TENANT, scope="jobs:read", home=home)
    assert ask(verifier, "GET", f"/api/{TENANT}%2Fjob/newest", token).status_code == 403


def test_a_greedy_parameter_takes_the_rest(home: Path, verifier: Verifier) -> None:
    event = ask(verifier, "GET", "/files/a/b", issue(TENANT, scope="", home=home)).json()
    assert event["pathParameters"] == {"rest": "a/b"}


def test_the_event_is_that_of_payload_2(home: Path, verifier: Verifier) -> None:
    token = issue(TENANT, PROJECTS[0], "jobs:read other", home=home)
    event = ask(verifier, "GET", f"/api/{TENANT}/job/j1", token).json()
    sample = json.loads((Path(__file__).parents[3] / "events" / "get-logs.json").read_text())
    context = event["requestContext"]
    assert event["version"] == sample["version"]
    assert set(sample["requestContext"]) - set(context) == {"domainPrefix"}
    assert set(sample["requestContext"]["http"]) == set(context["http"])
    assert event["routeKey"] == context["routeKey"] == "GET /api/{tenantId}/job/{jobId}"
    assert event["pathParameters"] == {"tenantId": TENANT, "jobId": "j1"}
    assert context["timeEpoch"] == sample["requestContext"]["timeEpoch"]
    assert context["time"] == "23/Nov/2026:10:45:33 +0000"
    assert context["authorizer"]["jwt"]["scopes"] == ["jobs:read", "other"]


def test_functions_read_the_caller_from_it(home: Path, verifier: Verifier) -> None:
    token = issue(TENANT, PROJECTS[0], "jobs:read other", subject="me", home=home)
    caller = function_side.caller(ask(verifier, "GET", f"/api/{TENANT}/job/1", token).json())
    assert (caller.subject, caller.tenant) == ("me", TENANT)
    assert caller.projects == frozenset(PROJECTS)
    assert caller.scopes == {"jobs:read", "other"}


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic x", "x.y.z"])
def test_a_header_that_bears_no_token_is_unauthorized(verifier: Verifier, header: str | None) -> None:
    with pytest.raises(Unauthorized):
        authorize(verifier, header, ())


@pytest.mark.parametrize("scope", [{"scope": "a b"}, {"scp": "a b"}, {"scp": ["a", "b"]}, {"scope": ["a", "b"]}])
def test_scopes_come_as_a_text_or_a_list_under_either_name(scope: dict[str, Any]) -> None:
    class Lenient(Verifier):
        def __init__(self) -> None:
            pass

        def verify(self, token: str) -> dict[str, object]:
            return {"sub": "me", **scope}

    assert authorize(Lenient(), "bearer t", ["b"])["jwt"]["scopes"] == ["a", "b"]
    with pytest.raises(Forbidden):
        authorize(Lenient(), "Bearer t", ["c"])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x", "x"),
        (["a", "b"], "[a b]"),
        ([], "[]"),
        (True, "true"),
        (False, "false"),
        (1_795_430_733, "1795430733"),
        ({"b": 1, "a": [True]}, "map[a:[true] b:1]"),
    ],
)
def test_claims_are_written_as_api_gateway_writes_them(value: object, text: str) -> None:
    assert render(value) == text


SCALARS = st.none() | st.booleans() | st.integers() | st.text()


@given(st.dictionaries(st.text(), st.recursive(SCALARS, st.lists, max_leaves=5), max_size=3))
def test_every_claim_is_a_string(claims: dict[str, object]) -> None:
    assert all(isinstance(render(value), str) for value in claims.values())


def test_the_default_token_may_use_every_route_of_the_contract() -> None:
    assert tokens.SCOPES.split() == ["jobs:read", "jobs:write", "subscriptions:write"]
