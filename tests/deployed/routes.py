"""The HTTP API that SAM describes in an OpenAPI `Body`, as resources of its own, because ministack ignores `Body`."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

Resources = dict[str, Any]
OPEN = "NONE"


def from_body(api: str, body: Mapping[str, Any]) -> tuple[dict[str, Any], Resources]:
    """Return the API's properties, authorizers, integrations and routes by logical id."""
    properties = {"Name": body["info"]["title"], "ProtocolType": "HTTP"}
    if "x-amazon-apigateway-cors" in body:
        properties["CorsConfiguration"] = body["x-amazon-apigateway-cors"]  # ministack reads the spelling of OpenAPI
    authorizers = {
        f"{api}Authorizer{name}": _authorizer(api, name, scheme["x-amazon-apigateway-authorizer"])
        for name, scheme in body["components"]["securitySchemes"].items()
    }
    return properties, authorizers | dict(_routes(api, body["paths"]))


def _authorizer(api: str, name: str, described: Mapping[str, Any]) -> dict[str, Any]:
    wanted = {
        "ApiId": {"Ref": api},
        "Name": name,
        "AuthorizerType": described["type"].upper(),
        "IdentitySource": [described["identitySource"]],
        "JwtConfiguration": _capitalised(described["jwtConfiguration"]),
    }
    return {"Type": "AWS::ApiGatewayV2::Authorizer", "Properties": wanted}


def _routes(api: str, paths: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in paths.items():
        for method, operation in methods.items():
            name = re.sub(r"\W", "", f"{api}{method.title()}{path.title()}")
            yield f"{name}Integration", _integration(api, operation["x-amazon-apigateway-integration"])
            yield f"{name}Route", _route(api, f"{method.upper()} {path}", f"{name}Integration", operation["security"])


def _integration(api: str, described: Mapping[str, Any]) -> dict[str, Any]:
    wanted = {
        "ApiId": {"Ref": api},
        "IntegrationType": described["type"].upper(),
        "IntegrationMethod": described["httpMethod"],
        "IntegrationUri": described["uri"],
        "PayloadFormatVersion": described["payloadFormatVersion"],
    }
    return {"Type": "AWS::ApiGatewayV2::Integration", "Properties": wanted}


def _route(api: str, key: str, integration: str, security: list[dict[str, Any]]) -> dict[str, Any]:
    ((authorizer, scopes),) = (each for needed in security for each in needed.items())
    wanted = {"ApiId": {"Ref": api}, "RouteKey": key, "Target": {"Fn::Sub": f"integrations/${{{integration}}}"}}
    if authorizer != OPEN:
        wanted |= {
            "AuthorizationType": "JWT",
            "AuthorizerId": {"Ref": f"{api}Authorizer{authorizer}"},
            "AuthorizationScopes": scopes,
        }
    return {"Type": "AWS::ApiGatewayV2::Route", "Properties": wanted}


def _capitalised(value: Any) -> Any:
    """Return the members with CloudFormation's names; intrinsic functions are unchanged."""
    if isinstance(value, list):
        return [_capitalised(each) for each in value]
    if isinstance(value, dict):
        return {name[0].upper() + name[1:]: _capitalised(each) for name, each in value.items()}
    return value
