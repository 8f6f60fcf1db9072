"""Connects botocore's clients to the engine: each call is handled in this process instead of over HTTP.

botocore validates a call as always, and emits `before-call`; the first handler that returns a response replaces the
HTTP request, which is then never built (`lazy_requests`). Our handler comes last, after the handlers of tests and
measurements. botocore calls the handlers of the most specific event name first, so ours is registered without the name
of a service.
https://botocore.amazonaws.com/v1/documentation/api/latest/topics/events.html
"""

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from botocore import xform_name
from botocore.model import OperationModel
from botocore.session import Session

from jobtrack_local.engine.sqlite.lazy_requests import build_requests_lazily
from jobtrack_local.engine.sqlite.refusals import Refused, failed

_PARAMS = "jobtrack_engine_params"

Operation = Callable[[Mapping[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class _Http:
    """The parts of an HTTP response that botocore reads."""

    status_code: int
    headers: Mapping[str, str] = field(default_factory=dict)


Response = tuple[_Http, dict[str, Any]]


def attach(session: Session, services: Mapping[str, object]) -> None:
    """Make a session's future clients call the engine.

    Args:
        session: The session of the clients.
        services: For each service, by botocore's event name (`dynamodb`, `dynamodb-streams`), an object with a method
            for each operation.
    """
    events = session.get_component("event_emitter")
    for name in services:
        events.register(f"creating-client-class.{name}", build_requests_lazily)
        events.register_last(f"before-parameter-build.{name}", _remember)
    events.register_last("before-call", responder(services))


def _remember(params: Mapping[str, Any], context: dict[str, Any], **_: Any) -> None:
    """Keep the parameters as the caller gave them, because botocore serialises them later.

    botocore also adds a ClientRequestToken for its own retries. Here it never retries, so the token would be stored for
    nothing.
    """
    context[_PARAMS] = {**params}


def responder(services: Mapping[str, object]) -> Callable[..., Response | None]:
    """Return a handler of `before-call`, which returns the engine's response to a call of these services."""

    def respond(model: OperationModel, context: Mapping[str, Any], **_: Any) -> Response | None:
        service = services.get(model.service_model.service_id.hyphenize())
        return None if service is None else _call(service, model.name, context[_PARAMS])

    return respond


def _call(service: object, name: str, params: Mapping[str, Any]) -> Response:
    operation: Operation | None = getattr(service, xform_name(name), None)
    try:
        if operation is None:
            raise Refused("UnknownOperationException", f"The engine has no operation {name}")
        return _response(HTTPStatus.OK, operation(params))
    except Refused as refused:
        return _refusal(refused)
    except (sqlite3.Error, OSError) as error:
        return _refusal(failed(str(error)))


def _refusal(refused: Refused) -> Response:
    error = {"Code": refused.code, "Message": refused.message}
    return _response(refused.status, {"Error": error, **refused.members})


def _response(status: int, parsed: dict[str, Any]) -> Response:
    metadata = {"HTTPStatusCode": int(status), "HTTPHeaders": {}, "RetryAttempts": 0}
    return _Http(int(status)), {**parsed, "ResponseMetadata": metadata}
