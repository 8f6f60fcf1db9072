"""The OpenAPI document: FastAPI's description of the functions' routes, and the facts that FastAPI cannot know."""

import re
from collections.abc import Iterator, Sequence

from fastapi import APIRouter
from fastapi.openapi.utils import get_openapi

from jobtrack import limits
from jobtrack_local.template.cloudformation import RouteProperties
from scripts.openapi import links, shared, webhooks
from scripts.openapi.operations import OPERATIONS, Operation, example, request_example
from scripts.openapi.schemas import REFERENCE, component_schemas, plain
from scripts.openapi.shared import Json


def document(routers: Sequence[APIRouter], routes: Sequence[RouteProperties], version: str) -> Json:
    """Return the whole document.

    Raises:
        LookupError: a route or a query parameter is not described.
    """
    all_routes = [route for router in routers for route in router.routes]
    generated = get_openapi(title="jobtrack", version=version, routes=all_routes)
    paths = {path: _path(path, methods, routes) for path, methods in sorted(generated["paths"].items())}
    links.add_links(paths)
    responses = [operation.response for operation in OPERATIONS.values() if operation.response]
    return {
        "openapi": generated["openapi"],
        "info": {**shared.INFO, "version": version},
        "servers": [{"url": "/"}],
        "tags": webhooks.add_description(shared.TAGS),
        "paths": paths,
        "webhooks": webhooks.webhooks(),
        "components": {
            "schemas": component_schemas(generated["components"]["schemas"], [*webhooks.MESSAGES, *responses]),
            "headers": shared.header_components(),
            "responses": shared.problem_components(),
            "securitySchemes": {**shared.SECURITY, **webhooks.SECURITY},
        },
    }


def _path(path: str, methods: Json, routes: Sequence[RouteProperties]) -> Json:
    return {
        method: _operation(generated, _route(routes, method.upper(), path)) for method, generated in methods.items()
    }


def _route(routes: Sequence[RouteProperties], method: str, path: str) -> RouteProperties:
    return next(route for route in routes if (route.method, route.path) == (method, path))


def _operation(generated: Json, route: RouteProperties) -> Json:
    operation = OPERATIONS.get(f"{route.method} {route.path}")
    if operation is None:
        raise LookupError(f"describe {route.method} {route.path} in scripts/openapi/operations.py")
    summary, _, more = generated.get("description", "").partition("\n")
    scopes = list(route.auth.authorization_scopes)
    members: Json = {
        "operationId": generated["operationId"].removesuffix(
            re.sub(r"\W", "_", route.path) + f"_{route.method.lower()}"
        ),
        "tags": [operation.tag],
        "summary": summary.strip().removesuffix("."),
        "description": "\n".join(filter(None, [more.strip(), f"Needs the scope `{scopes[0]}`." if scopes else ""])),
        "security": [{"bearer": scopes}] if scopes else [],
        "parameters": [
            *_path_parameters(route),
            *_query_parameters(generated),
            *_header_parameters(route, operation),
        ],
        "responses": {**_success(operation), **dict(_errors(route, operation))},
    }
    if "requestBody" in generated:
        members["requestBody"] = _request_body(generated["requestBody"], operation)
    return {name: value for name, value in members.items() if value or name in ("security", "responses")}


def _path_parameters(route: RouteProperties) -> Iterator[Json]:
    """Yield each parameter in full: Swagger UI shows references to parameters late, or not at all."""
    return (shared.PARAMETERS[part[1:-1]] for part in route.path.split("/") if part.startswith("{"))


def _query_parameters(generated: Json) -> Iterator[Json]:
    for parameter in generated.get("parameters", []):
        if parameter["in"] == "query":
            description = shared.QUERY.get(parameter["name"])
            if description is None:
                raise LookupError(f"describe the parameter {parameter['name']} in scripts/openapi/shared.py")
            schema = _without_null(plain(parameter["schema"]))
            comma_list = {"explode": False} if schema.get("type") == "array" else {}
            yield {**parameter, **comma_list, "description": description, "schema": schema}


def _header_parameters(route: RouteProperties, operation: Operation) -> Iterator[Json]:
    read = {
        "Idempotency-Key": route.method == "POST",
        "If-None-Match": operation.etag,
        "Accept-Language": operation.localised,
    }
    return (shared.PARAMETERS[name] for name, is_read in read.items() if is_read)


def _success(operation: Operation) -> Json:
    replayed = ("Idempotency-Replayed",) if operation.conflicts else ()
    parts = {
        "description": (operation.response.__doc__ or "").splitlines()[0] if operation.response else "As requested",
        "headers": shared.headers(*operation.headers, *(("ETag",) if operation.etag else ()), *replayed),
        "content": _success_content(operation),
    }
    responses = {str(operation.status): {name: value for name, value in parts.items() if value}}
    if operation.etag:
        description = "Nothing was reported since the response with this ETag"
        responses["304"] = {"description": description, "headers": shared.headers("ETag")}
    return responses


def _success_content(operation: Operation) -> Json:
    other: Json = {media_type: {"schema": {"type": "string"}} for media_type in operation.other_media_types}
    if operation.response:
        body: Json = {"schema": {"$ref": REFERENCE.format(model=operation.response.__name__)}}
        if operation.example:
            body["example"] = example(operation.example)
        return {"application/json": body, **other}
    return {"application/json": {"schema": {"type": "object"}}} if "application/json" in other else other


def _errors(route: RouteProperties, operation: Operation) -> Iterator[tuple[str, Json]]:
    """Yield the error statuses that the route may return."""
    has_scope, writes = bool(route.auth.authorization_scopes), route.method in ("POST", "PUT")
    possible = {
        400: writes,
        401: has_scope,
        403: has_scope,
        404: any(name in route.path for name in ("{jobId}", "{subscriptionId}", "{file}")),
        409: operation.conflicts,
        413: writes,
        415: writes,
        422: has_scope,
        429: route.method in ("POST", "DELETE"),
        503: has_scope,
    }
    for status, is_possible in possible.items():
        if is_possible:
            yield str(status), {"$ref": f"#/components/responses/Problem{status}"}


def _request_body(generated: Json, operation: Operation) -> Json:
    content = generated["content"]["application/json"]
    if operation.request:
        content = {**content, "example": request_example(operation.request)}
    description = f"At most {limits.REQUEST_BYTES} bytes"
    return {**generated, "description": description, "content": {"application/json": content}}


def _without_null(schema: Json) -> Json:
    """Return the schema of a query parameter, which is never `null`: a request leaves it out instead."""
    kinds = [kind for kind in schema.get("anyOf", []) if kind.get("type") != "null"]
    if len(kinds) != 1:
        return schema
    return {**{name: value for name, value in schema.items() if name != "anyOf"}, **kinds[0]}
