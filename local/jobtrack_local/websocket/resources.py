"""The WebSocket API that template.yaml describes: an Api, its Routes, and the Integrations that they lead to."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from jobtrack_local.errors import LocalError
from jobtrack_local.template import intrinsics
from jobtrack_local.template.cloudformation import Model, Resource

SELECTION = "$request.body."
"""How a route selection expression begins; the names of members follow, each within the one before."""


class _Api(Model):
    protocol_type: str = "HTTP"
    route_selection_expression: str = ""


class _Route(Model):
    api_id: object
    route_key: str
    target: object
    route_response_selection_expression: str | None = None


class _Integration(Model):
    integration_uri: object


@dataclass(frozen=True)
class Route:
    """Where a message goes: the function's logical id, and whether what it answers goes back to the client."""

    function: str
    answers: bool


@dataclass(frozen=True)
class WebSocketApi:
    """Routes by their keys, and the path in a message's body at which its key stands; no routes: no API."""

    selection: tuple[str, ...] = ()
    routes: Mapping[str, Route] = field(default_factory=dict)


def read(resources: Mapping[str, Resource]) -> WebSocketApi:
    """The one WebSocket API among the resources; LocalError when there are several or its routes lead nowhere."""
    apis = {
        name: api
        for name, resource in resources.items()
        if resource.type == "AWS::ApiGatewayV2::Api"
        and (api := _Api.model_validate(resource.properties)).protocol_type == "WEBSOCKET"
    }
    if not apis:
        return WebSocketApi()
    if len(apis) > 1:
        raise LocalError(f"one WebSocket API can be served, and template.yaml has {', '.join(apis)}")
    ((name, api),) = apis.items()
    routes = [_Route.model_validate(each.properties) for each in _of(resources, "AWS::ApiGatewayV2::Route")]
    return WebSocketApi(
        _selection(api.route_selection_expression),
        {route.route_key: _route(route, resources) for route in routes if intrinsics.target(route.api_id) == name},
    )


def _selection(expression: str) -> tuple[str, ...]:
    if not expression.startswith(SELECTION):
        raise LocalError(f"template.yaml selects WebSocket routes by {expression}; only {SELECTION}… is served locally")
    return tuple(expression.removeprefix(SELECTION).split("."))


def _route(route: _Route, resources: Mapping[str, Resource]) -> Route:
    integration = _mentioned(route.target, resources, "AWS::ApiGatewayV2::Integration")
    uri = _Integration.model_validate(resources[integration].properties).integration_uri
    function = _mentioned(uri, resources, "AWS::Serverless::Function")
    return Route(function, route.route_response_selection_expression is not None)


def _mentioned(value: object, resources: Mapping[str, Resource], kind: str) -> str:
    """The resource of the kind that an expression is about."""
    for name in sorted(intrinsics.mentioned(value)):
        if name in resources and resources[name].type == kind:
            return name
    raise LocalError(f"template.yaml names no {kind} where a WebSocket route needs one: {value}")


def _of(resources: Mapping[str, Resource], kind: str) -> list[Resource]:
    return [resource for resource in resources.values() if resource.type == kind]
