"""Responses as JSON."""

from collections.abc import Mapping

import orjson
from fastapi import Response


def json_response(
    content: Mapping[str, object],
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    *,
    replayed: bool = False,
) -> Response:
    """Return a JSON response.

    Args:
        content: the body; a TypedDict of `views.responses`.
        status: the HTTP status.
        headers: further headers.
        replayed: whether it is the stored response to an earlier request with the same Idempotency-Key.
    """
    replay_header = {"Idempotency-Replayed": "true"} if replayed else {}
    return Response(orjson.dumps(content), status, {**(headers or {}), **replay_header}, "application/json")
