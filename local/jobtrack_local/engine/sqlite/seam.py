"""Where botocore's clients meet the engine: each call is answered in this process instead of over HTTP.

botocore validates and serialises a call as always, and emits `before-call`; the first handler that returns a response
replaces the HTTP request. Ours is the last one, so the handlers of tests and measurements come first.
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

from jobtrack_local.engine.sqlite.refusals import Refused, failed

_PARAMS = "jobtrack_engine_params"

Operation = Callable[[Mapping[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class _Http:
    """What botocore looks at in an HTTP response."""

    status_code: int
    headers: Mapping[str, str] = field(default_factory=dict)


def attach(session: Session, services: Mapping[str, object]) -> None:
    """Let a session's clients, made from now on, call the engine.

    Args:
        session: The session of the clients.
        services: For each service, by botocore's event name (`dynamodb`, `dynamodb-streams`), an object with a method
            for each operation.
    """
    events = session.get_component("event_emitter")
    for name, service in services.items():
        events.register_last(f"before-parameter-build.{name}", _remember)
        events.register_last(f"before-call.{name}", _responder(service))


def _remember(params: Mapping[str, Any], context: dict[str, Any], **_: Any) -> None:
    """Keep the parameters as the caller gave them: afterwards they are serialised.

    botocore also adds a ClientRequestToken for its own retries. Here it has none, so the token would only be stored.
    """
    context[_PARAMS] = {**params}


def _responder(service: object) -> Callable[..., tuple[_Http, dict[str, Any]]]:
    def respond(model: OperationModel, context: Mapping[str, Any], **_: Any) -> tuple[_Http, dict[str, Any]]:
        operation: Operation | None = getattr(service, xform_name(model.name), None)
        try:
            if operation is None:
                raise Refused("UnknownOperationException", f"The engine has no operation {model.name}")
            return _response(HTTPStatus.OK, operation(context[_PARAMS]))
        except Refused as refused:
            return _refusal(refused)
        except (sqlite3.Error, OSError) as error:
            return _refusal(failed(str(error)))

    return respond


def _refusal(refused: Refused) -> tuple[_Http, dict[str, Any]]:
    error = {"Code": refused.code, "Message": refused.message}
    return _response(refused.status, {"Error": error, **refused.members})


def _response(status: int, parsed: dict[str, Any]) -> tuple[_Http, dict[str, Any]]:
    metadata = {"HTTPStatusCode": int(status), "HTTPHeaders": {}, "RetryAttempts": 0}
    return _Http(int(status)), {**parsed, "ResponseMetadata": metadata}
