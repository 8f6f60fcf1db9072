"""Tokens of an issuer with other claim names, through the gateway and the functions, as parameters configure them."""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path

import httpx
import jwt
import pytest
from fastapi import FastAPI

from jobtrack.api import create_app
from jobtrack_local import tokens
from jobtrack_local.gateway import app
from jobtrack_local.gateway.http_api import Gateway
from jobtrack_local.template import template
from jobtrack_local.template.intrinsics import Names
from jobtrack_local.tokens import Verifier, load_signing_key
from tests.functions.conftest import NAMES

PARAMETERS = {
    "SubjectClaim": "client_id",
    "TenantClaim": "https://acme.example/tenant",
    "ProjectsClaim": "custom:projects",
    "ScopePrefix": "jobtrack/",
}
PLAN = template.load(parameters=PARAMETERS)
TENANT, PROJECT, OTHER = (f"{digit * 8}-aaaa-4aaa-8aaa-aaaaaaaaaaaa" for digit in "abc")
CLAIMS = {
    "iss": tokens.ISSUER,
    "aud": tokens.AUDIENCE,
    "exp": int(time.time()) + 3600,
    "client_id": "worker-1",
    "https://acme.example/tenant": TENANT,
    "custom:projects": [PROJECT],
    "scope": "openid jobtrack/jobs:write jobtrack/jobs:read",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def service(stack: None, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    """Provide all functions, configured by the parameters."""
    names = Names({**NAMES.refs, **PLAN.defaults}, NAMES.attributes)
    routers = app.routers(PLAN)  # first: handlers that are created with these names would keep them
    for name, value in PLAN.functions["LogsFunction"].environment.variables.items():
        monkeypatch.setenv(name, names.resolve(value))
    return create_app(*routers)


def ask(
    service: FastAPI, home: Path, request: str, changes: Mapping[str, object], body: object = None
) -> httpx.Response:
    """Return the responses of the gateway and the function to a token with these claims changed."""
    key, (method, path) = load_signing_key(home), request.split()
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}

    async def exchange() -> httpx.Response:
        transport = httpx.ASGITransport(Gateway(service, PLAN.routes, Verifier(key)))
        headers = {"Authorization": f"Bearer {jwt.encode(claims, key, algorithm='RS256')}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://local", headers=headers) as client:
            return await client.request(method, f"/api/{TENANT}/{PROJECT}/execution{path}", json=body)

    return asyncio.run(exchange())


def test_the_issuers_own_names_open_what_they_should(service: FastAPI, home: Path) -> None:
    made = ask(service, home, "POST /jobs", {}, {"jobName": "n", "jobType": "t"})
    assert made.status_code == 201, made.text
    shown = ask(service, home, f"GET /job/{made.json()['jobId']}", {"scope": None, "scp": "jobtrack/jobs:read"})
    assert shown.status_code == 200, shown.text
    assert shown.json()["submittedBy"] == "worker-1"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"scope": "jobs:read"}, 403),
        ({"scope": "other/jobs:read"}, 403),
        ({"custom:projects": [OTHER]}, 403),
        ({"https://acme.example/tenant": OTHER}, 403),
        ({"https://acme.example/tenant": None, "tenant_id": TENANT}, 401),
        ({"client_id": None, "sub": "worker-1"}, 401),
    ],
)
def test_the_usual_names_open_nothing_there(
    service: FastAPI, home: Path, changes: dict[str, object], status: int
) -> None:
    answer = ask(service, home, f"GET /job/{OTHER}", changes)
    assert answer.status_code == status, answer.text


def test_a_job_with_subscriptions_needs_their_scope_under_the_prefix_too(service: FastAPI, home: Path) -> None:
    webhook = {"subscriptionType": "webhook", "webhookUrl": "https://hook.example/"}
    body = {"jobName": "n", "jobType": "t", "subscriptions": [webhook]}
    for scope, status in (("jobtrack/subscriptions:write", 201), ("subscriptions:write", 403)):
        answer = ask(service, home, "POST /jobs", {"scope": f"jobtrack/jobs:write {scope}"}, body)
        assert answer.status_code == status, answer.text


def test_without_parameters_names_and_scopes_are_the_contracts() -> None:
    usual = template.load()
    assert [usual.defaults[name] for name in PARAMETERS] == ["sub", "tenant_id", "project_ids", ""]
    scopes = [scope for route in usual.routes for scope in route.auth.authorization_scopes]
    assert set(scopes) == set(tokens.SCOPES.split())
    prefixed = [scope for route in PLAN.routes for scope in route.auth.authorization_scopes]
    assert prefixed == [f"jobtrack/{scope}" for scope in scopes]
