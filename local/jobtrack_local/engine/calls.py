"""Which function asked AWS for what, noted in a file where `JOBTRACK_CALLS` names one: held against the policies.

A client's user agent names the folder of the function that it was made for, and so tells of every call whose it is, on
whatever thread.
"""

import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore.model import OperationModel

from jobtrack import aws
from jobtrack_local.template.intrinsics import Names

CALLS = "JOBTRACK_CALLS"
"""Names the file, to which each call of another kind is appended as a line: `[folder, action, resource]`."""

_USER_AGENT = "AWS_SDK_UA_APP_ID"
_CONNECTIONS = {"PostToConnection": "POST", "DeleteConnection": "DELETE", "GetConnection": "GET"}
"""The HTTP methods by which policies tell apart what is done with WebSocket connections."""

Named = Callable[[str], str]
"""The logical id of a table, queue or key."""


def needed(
    service: str, operation: str, parameters: Mapping[str, Any], named: Named = lambda name: name
) -> Iterator[tuple[str, str]]:
    """The actions and resources that must be granted for a call; `service` as IAM calls it."""
    if service == "execute-api":
        yield "execute-api:ManageConnections", f"WebSocketApi/{_CONNECTIONS[operation]}"
        return
    for action, target in _parts(operation, parameters):
        yield f"{service}:{action}", _resource(target, named)


def _parts(operation: str, parameters: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
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


@contextmanager
def of(folder: str) -> Iterator[None]:
    """Clients that are made meanwhile are those of the function in the folder."""
    os.environ[_USER_AGENT] = folder
    try:
        yield
    finally:
        del os.environ[_USER_AGENT]


class Recorder:
    """Appends to a file what is called, once for each kind of call; at once, since the process may be killed."""

    def __init__(self, path: Path, names: Names) -> None:
        self._path = path
        self._names = {text: name for name, text in names.refs.items()}
        self._names |= {text: name for (name, _), text in names.attributes.items()}
        self._seen: set[tuple[str, str, str]] = set()
        self._lock = threading.Lock()

    def note(self, params: Mapping[str, Any], model: OperationModel, context: Mapping[str, Any], **_: object) -> None:
        """Take note of a call that a function is about to make."""
        folder = context["client_config"].user_agent_appid
        if folder:
            for action, resource in needed(model.service_model.signing_name, model.name, params, self._named):
                self._write((folder, action, resource))

    def _named(self, name: str) -> str:
        return self._names.get(name, name)

    def _write(self, call: tuple[str, str, str]) -> None:
        with self._lock:
            if call not in self._seen:
                self._seen.add(call)
                with self._path.open("a") as file:
                    file.write(json.dumps(call) + "\n")


def record(names: Names, env: Mapping[str, str] = os.environ) -> None:
    """Have the calls of clients that are made from now on noted, if the environment says where."""
    if path := env.get(CALLS):
        note: Any = Recorder(Path(path), names).note  # botocore's types want a handler that takes anything
        aws.session().register("provide-client-params", note)
