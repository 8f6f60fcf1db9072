"""Records the AWS calls of functions in the file that `JOBTRACK_CALLS` names; a script compares them with the policies.

The user agent of an AWS client contains the folder of the function that created it. So the function that makes a call
is known on every thread.
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

FILE_VARIABLE = "JOBTRACK_CALLS"
"""The environment variable with the file's path. Each distinct call is a line: `[folder, action, resource]`."""

_USER_AGENT = "AWS_SDK_UA_APP_ID"
_CONNECTIONS = {"PostToConnection": "POST", "DeleteConnection": "DELETE", "GetConnection": "GET"}
"""Operations on WebSocket connections → the HTTP methods by which policies grant them."""

LogicalId = Callable[[str], str]
"""Returns the logical id of a table, queue or key by its name in a call."""


def required_grants(
    service: str, operation: str, parameters: Mapping[str, Any], logical_id: LogicalId = lambda name: name
) -> Iterator[tuple[str, str]]:
    """Yield the actions and resources that a policy must grant for a call; `service` is IAM's name."""
    if service == "execute-api":
        yield "execute-api:ManageConnections", f"WebSocketApi/{_CONNECTIONS[operation]}"
        return
    for action, target in _parts(operation, parameters):
        yield f"{service}:{action}", _resource(target, logical_id)


def _parts(operation: str, parameters: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the actions of a call: a transaction or a batch needs a grant for each of its parts."""
    if operation in ("TransactWriteItems", "TransactGetItems"):
        for item in parameters["TransactItems"]:
            for action, target in item.items():
                yield f"{action}Item", target
    elif operation in ("BatchGetItem", "BatchWriteItem"):
        for table in parameters["RequestItems"]:
            yield operation, {"TableName": table}
    else:
        yield operation.removesuffix("Batch"), parameters


def _resource(target: Mapping[str, Any], logical_id: LogicalId) -> str:
    name = next(target[key] for key in ("TableName", "QueueUrl", "KeyId") if key in target)
    index = f"/index/{target['IndexName']}" if "IndexName" in target else ""
    return logical_id(name) + index


@contextmanager
def clients_of(folder: str) -> Iterator[None]:
    """Attribute the AWS clients that are created in this context to the function in the folder."""
    os.environ[_USER_AGENT] = folder
    try:
        yield
    finally:
        del os.environ[_USER_AGENT]


class Recorder:
    """Appends each distinct call to a file as soon as it is made: the process may be killed at any time."""

    def __init__(self, path: Path, names: Names) -> None:
        self._path = path
        self._names = {text: name for name, text in names.refs.items()}
        self._names |= {text: name for (name, _), text in names.attributes.items()}
        self._seen: set[tuple[str, str, str]] = set()
        self._lock = threading.Lock()

    def record(self, params: Mapping[str, Any], model: OperationModel, context: Mapping[str, Any], **_: object) -> None:
        """Record a call that a function is about to make; botocore calls this."""
        folder = context["client_config"].user_agent_appid
        if folder:
            service = model.service_model.signing_name
            for action, resource in required_grants(service, model.name, params, self._logical_id):
                self._write((folder, action, resource))

    def _logical_id(self, name: str) -> str:
        return self._names.get(name, name)

    def _write(self, call: tuple[str, str, str]) -> None:
        with self._lock:
            if call not in self._seen:
                self._seen.add(call)
                with self._path.open("a") as file:
                    file.write(json.dumps(call) + "\n")


def start_recording(names: Names, env: Mapping[str, str] = os.environ) -> bool:
    """Record the calls of future AWS clients; return whether the environment names a file."""
    path = env.get(FILE_VARIABLE)
    if path:
        record: Any = Recorder(Path(path), names).record  # botocore's types ask for a handler of any arguments
        aws.session().register("provide-client-params", record)
    return bool(path)
