"""The WebSocket API of template.yaml: an Api, its Routes and their Integrations."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from jobtrack_local.errors import LocalError
from jobtrack_local.template import intrinsics
from jobtrack_local.template.cloudformation import Model, Resource

SELECTION = "$request.body."
"""The start of a route selection expression. The path to a member of the message's body follows."""


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
    """A function's logical id, and whether its response is sent to the client."""

    function: str
    has_response: bool


@dataclass(frozen=True)
class WebSocketApi:
    """Routes by their keys, and the path to the route key in a message's body. Without routes there is no API."""

    selection: tuple[str, ...] = ()
    routes: Mapping[str, Route] = field(default_factory=dict)


def read_websocket_api(resources: Mapping[str, Resource]) -> WebSocketApi:
    """Return the WebSocket API among the resources.

    Raises:
        LocalError: there are several, or a route has no function.
    """
    apis = {
        name: api
        for name, resource in resources.items()
        if resource.type == "AWS::ApiGatewayV2::Api"
        and (api := _Api.model_validate(resource.properties)).protocol_type == "WEBSOCKET"
    }
    if not apis:
        return WebSocketApi()
    if len(apis) > 1:
        raise LocalError(f"only one WebSocket API can be served, but template.yaml has {', '.join(apis)}")
    ((name, api),) = apis.items()
    routes = [_Route.model_validate(each.properties) for each in _of(resources, "AWS::ApiGatewayV2::Route")]
    return WebSocketApi(
        _selection(api.route_selection_expression),
        {route.route_key: _route(route, resources) for route in routes if intrinsics.target(route.api_id) == name},
    )


def _selection(expression: str) -> tuple[str, ...]:
    if not expression.startswith(SELECTION):
        raise LocalError(
            f"template.yaml selects WebSocket routes by {expression}; the local service supports only {SELECTION}…"
        )
    return tuple(expression.removeprefix(SELECTION).split("."))


def _route(route: _Route, resources: Mapping[str, Resource]) -> Route:
    integration = _mentioned(route.target, resources, "AWS::ApiGatewayV2::Integration")
    uri = _Integration.model_validate(resources[integration].properties).integration_uri
    function = _mentioned(uri, resources, "AWS::Serverless::Function")
    return Route(function, route.route_response_selection_expression is not None)


def _mentioned(value: object, resources: Mapping[str, Resource], kind: str) -> str:
    """Return the resource of this kind that an expression refers to."""
    for name in sorted(intrinsics.mentioned(value)):
        if name in resources and resources[name].type == kind:
            return name
    raise LocalError(f"template.yaml has a WebSocket route without {kind}: {value}")


def _of(resources: Mapping[str, Resource], kind: str) -> list[Resource]:
    return [resource for resource in resources.values() if resource.type == kind]
