"""The description of the API: FastAPI's own account of the functions' routes, and what it cannot know."""

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
    """The whole document; LookupError for a route or a parameter that nothing is told of."""
    made = get_openapi(title="jobtrack", version=version, routes=[each for router in routers for each in router.routes])
    paths = {path: _path(path, methods, routes) for path, methods in sorted(made["paths"].items())}
    links.add(paths)
    responses = [operation.response for operation in OPERATIONS.values() if operation.response]
    return {
        "openapi": made["openapi"],
        "info": {**shared.INFO, "version": version},
        "servers": [{"url": "/"}],
        "tags": webhooks.tags(shared.TAGS),
        "paths": paths,
        "webhooks": webhooks.described(),
        "components": {
            "schemas": component_schemas(made["components"]["schemas"], [*webhooks.MESSAGES, *responses]),
            "headers": shared.header_components(),
            "responses": shared.problem_components(),
            "securitySchemes": {**shared.SECURITY, **webhooks.SECURITY},
        },
    }


def _path(path: str, methods: Json, routes: Sequence[RouteProperties]) -> Json:
    return {
        method: _operation(operation, _route(routes, method.upper(), path)) for method, operation in methods.items()
    }


def _route(routes: Sequence[RouteProperties], method: str, path: str) -> RouteProperties:
    return next(route for route in routes if (route.method, route.path) == (method, path))


def _operation(made: Json, route: RouteProperties) -> Json:
    known = OPERATIONS.get(f"{route.method} {route.path}")
    if known is None:
        raise LookupError(f"say in scripts/openapi/operations.py what {route.method} {route.path} answers")
    summary, _, more = made.get("description", "").partition("\n")
    scopes = list(route.auth.authorization_scopes)
    described: Json = {
        "operationId": made["operationId"].removesuffix(re.sub(r"\W", "_", route.path) + f"_{route.method.lower()}"),
        "tags": [known.tag],
        "summary": summary.strip().removesuffix("."),
        "description": "\n".join(filter(None, [more.strip(), f"Needs the scope `{scopes[0]}`." if scopes else ""])),
        "security": [{"bearer": scopes}] if scopes else [],
        "parameters": [*_path_parameters(route), *_query(made), *_headers(route, known)],
        "responses": {**_success(known), **dict(_refusals(route, known))},
    }
    if "requestBody" in made:
        described["requestBody"] = _body(made["requestBody"], known)
    return {name: value for name, value in described.items() if value or name in ("security", "responses")}


def _path_parameters(route: RouteProperties) -> Iterator[Json]:
    """Each in full: Swagger UI shows references to parameters late, or not at all."""
    return (shared.PARAMETERS[part[1:-1]] for part in route.path.split("/") if part.startswith("{"))


def _query(made: Json) -> Iterator[Json]:
    for parameter in made.get("parameters", []):
        if parameter["in"] == "query":
            schema = _without_null(plain(parameter["schema"]))
            lists = {"explode": False} if schema.get("type") == "array" else {}
            about = shared.QUERY.get(parameter["name"])
            if about is None:
                raise LookupError(f"say in scripts/openapi/shared.py what the parameter {parameter['name']} is")
            yield {**parameter, **lists, "description": about, "schema": schema}


def _headers(route: RouteProperties, known: Operation) -> Iterator[Json]:
    asked = {"Idempotency-Key": route.method == "POST", "If-None-Match": known.etag, "Accept-Language": known.localised}
    for name, there in asked.items():
        if there:
            yield shared.PARAMETERS[name]


def _success(known: Operation) -> Json:
    content: Json = {kind: {"schema": {"type": "string"}} for kind in known.also}
    if known.response:
        shown: Json = {"schema": {"$ref": REFERENCE.format(model=known.response.__name__)}}
        if known.example:
            shown["example"] = example(known.example)
        content = {"application/json": shown, **content}
    elif "application/json" in content:
        content = {"application/json": {"schema": {"type": "object"}}}
    replayed = ("Idempotency-Replayed",) if known.conflicts else ()
    sent = shared.headers(*known.headers, *(("ETag",) if known.etag else ()), *replayed)
    about = (known.response.__doc__ or "").splitlines()[0] if known.response else "As asked"
    parts = {"description": about, "headers": sent, "content": content}
    found = {str(known.status): {name: value for name, value in parts.items() if value}}
    if known.etag:
        found["304"] = {"description": "Nothing new was reported", "headers": shared.headers("ETag")}
    return found


def _refusals(route: RouteProperties, known: Operation) -> Iterator[tuple[str, Json]]:
    """The statuses that the route may refuse with."""
    guarded, writes = bool(route.auth.authorization_scopes), route.method in ("POST", "PUT")
    possible = {
        400: writes,
        401: guarded,
        403: guarded,
        404: any(name in route.path for name in ("{jobId}", "{subscriptionId}", "{file}")),
        409: known.conflicts,
        413: writes,
        415: writes,
        422: guarded,
        429: route.method in ("POST", "DELETE"),
        503: guarded,
    }
    for status, there in possible.items():
        if there:
            yield str(status), {"$ref": f"#/components/responses/Problem{status}"}


def _body(made: Json, known: Operation) -> Json:
    content = made["content"]["application/json"]
    if known.request:
        content = {**content, "example": request_example(known.request)}
    about = f"At most {limits.REQUEST_BYTES} bytes"
    return {**made, "description": about, "content": {"application/json": content}}


def _without_null(schema: Json) -> Json:
    """A query string has no `null`: the parameter is left out."""
    kinds = [kind for kind in schema.get("anyOf", []) if kind.get("type") != "null"]
    if len(kinds) != 1:
        return schema
    return {**{name: value for name, value in schema.items() if name != "anyOf"}, **kinds[0]}
