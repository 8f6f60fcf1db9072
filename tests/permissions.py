"""Holds functions to the policies of template.yaml: engines enforce none."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Grants = Mapping[str, set[str]]
Named = Callable[[str], str]

_CONNECTIONS = {"PostToConnection": "POST", "DeleteConnection": "DELETE", "GetConnection": "GET"}
"""The HTTP methods by which policies tell apart what is done with WebSocket connections."""


def denied(grants: Grants, service: str, operation: str, parameters: Mapping[str, Any], named: Named) -> list[str]:
    """What the call needs and the policy does not grant; `named` gives the logical id of a table, queue or key."""
    if service == "apigatewaymanagementapi":
        needed = {("execute-api:ManageConnections", f"WebSocketApi/{_CONNECTIONS[operation]}")}
    else:
        needed = {
            (f"{service}:{action}", _resource(target, named)) for action, target in _needed(operation, parameters)
        }
    return [f"{action} on {resource}" for action, resource in needed if action not in grants.get(resource, set())]


def _needed(operation: str, parameters: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if operation in ("TransactWriteItems", "TransactGetItems"):
        for item in parameters["TransactItems"]:
            for action, target in item.items():
                yield f"{action}Item", target
    elif operation in ("BatchGetItem", "BatchWriteItem"):
        for table in parameters["RequestItems"]:
            yield operation, {"TableName": table}
    else:
        yield operation.removesuffix("Batch"), parameters


def _resource(target: Mapping[str, Any], named: Named) -> str:
    found = next(target[key] for key in ("TableName", "QueueUrl", "KeyId") if key in target)
    index = f"/index/{target['IndexName']}" if "IndexName" in target else ""
    return named(found) + index
