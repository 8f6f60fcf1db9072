"""The deployed stack: its gateway, its functions, its schedules and its permissions."""

from typing import Any

import httpx
import pytest

from jobtrack_local.gateway.http_api import OPEN
from jobtrack_local.template import template
from jobtrack_local.template.cloudformation import Route
from tests.deployed.__main__ import ORIGIN
from tests.deployed.stack import Stack
from tests.e2e.running import Service
from tests.stack import FUNCTIONS

PLAN = template.load()


@pytest.fixture
def stack(service: Service) -> Stack:
    if service.stack is None:
        pytest.skip("asks a deployed stack: make test-deployed")
    return service.stack


def test_its_health_is_told(service: Service, stack: Stack) -> None:
    answer = httpx.get(f"{service.url}/_aws/execute-api/{stack.names()['Api']}/$default/health", trust_env=False)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_each_route_of_the_template_wants_its_scopes_of_its_own_function(stack: Stack) -> None:
    api, names = stack.client("apigatewayv2"), stack.names()
    targets = {each["IntegrationId"]: each for each in api.get_integrations(ApiId=names["Api"])["Items"]}
    found = {}
    for route in api.get_routes(ApiId=names["Api"])["Items"]:
        target = targets[route["Target"].removeprefix("integrations/")]
        assert target["PayloadFormatVersion"] == "2.0"
        function = target["IntegrationUri"].split(":function:")[1].removesuffix("/invocations")
        scopes = route["AuthorizationScopes"] if route["AuthorizationType"] == "JWT" else OPEN
        found[route["RouteKey"]] = (function, scopes)
    assert found == {
        f"{route.method} {route.path}": (
            f"{names[name]}:live",
            OPEN if route.auth.authorizer == OPEN else [*route.auth.authorization_scopes],
        )
        for name, function in PLAN.functions.items()
        for route in (each.properties for each in function.events.values() if isinstance(each, Route))
    }


@pytest.mark.usefixtures("stack")
def test_a_page_of_the_origin_may_call_and_no_other(api: httpx.Client) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    allowed = api.options("/jobs", headers={"Origin": ORIGIN, **asked}).headers
    assert allowed["access-control-allow-origin"] == ORIGIN
    assert set(allowed["access-control-allow-methods"].split(",")) == {"GET", "POST", "PUT", "DELETE"}
    assert "idempotency-key" in allowed["access-control-allow-headers"]
    assert "next-cursor" in api.get("/jobs", headers={"Origin": ORIGIN}).headers["access-control-expose-headers"]
    other = api.options("/jobs", headers={"Origin": "https://elsewhere.example", **asked}).headers
    assert "access-control-allow-origin" not in other


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_function_is_as_the_template_says(stack: Stack, name: str) -> None:
    names, wanted = stack.names(), PLAN.functions[name]
    found: dict[str, Any] = stack.client("lambda").get_function_configuration(FunctionName=names[name])
    assert (found["Runtime"], found["Architectures"], found["Handler"]) == ("python3.13", ["arm64"], "app.handler")
    assert (found["MemorySize"], found["Timeout"]) == (wanted.memory_size, wanted.timeout)
    assert [each["Arn"].split(":layer:")[1].split(":")[0] for each in found["Layers"]] == [
        "DependenciesLayer",
        "JobtrackLayer",
    ]
    variables = found["Environment"]["Variables"]
    assert variables.keys() - {"AWS_ENDPOINT_URL", "ALLOW_LOOPBACK_WEBHOOKS"} == wanted.environment.variables.keys()


def test_the_scheduler_calls_what_the_template_schedules(stack: Stack) -> None:
    scheduler, names = stack.client("scheduler"), stack.names()
    schedules = [scheduler.get_schedule(Name=each["Name"]) for each in scheduler.list_schedules()["Schedules"]]
    found = {each["Target"]["Arn"].split(":function:")[1]: each["ScheduleExpression"] for each in schedules}
    assert found == {names[name]: trigger.schedule_expression for name, trigger in PLAN.schedules}
