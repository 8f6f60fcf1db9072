"""Links: with the ids that an answer tells, which operations may be asked next."""

import re
from collections.abc import Iterator, Mapping

from scripts.openapi.operations import BASE
from scripts.openapi.shared import Json

_TOLD = {
    f"POST {BASE}/jobs": {"jobId": "$response.body#/jobId"},
    f"GET {BASE}/jobs": {"jobId": "$response.body#/jobs/0/jobId"},
    f"GET {BASE}/queue": {"jobId": "$response.body#/queuedJobs/0/jobId"},
    f"POST {BASE}/job/{{jobId}}/subscribe": {"subscriptionId": "$response.body#/subscriptionId"},
    f"GET {BASE}/job/{{jobId}}/subscriptions": {"subscriptionId": "$response.body#/subscriptions/0/subscriptionId"},
    f"POST {BASE}/subscription/{{subscriptionId}}/test": {"messageId": "$response.body#/messageId"},
    f"GET {BASE}/subscription/{{subscriptionId}}/deliveries": {"messageId": "$response.body#/deliveries/0/messageId"},
}
"""Of each answer what it tells that is new, and where."""


def add(paths: Json) -> None:
    """Put the links into the answers; LookupError when an answer is no longer there."""
    for name, told in _TOLD.items():
        method, path = name.split(" ")
        answer = _success(paths[path][method.lower()]["responses"])
        answer["links"] = dict(_links(_parts(path), told, paths))


def _success(responses: Json) -> Json:
    found: Json = next(answer for status, answer in responses.items() if status.startswith("2"))
    return found


def _links(asked: set[str], told: Mapping[str, str], paths: Json) -> Iterator[tuple[str, Json]]:
    """To every operation that takes what was told, and nothing that is not known by then."""
    for path, methods in paths.items():
        taken = _parts(path)
        if told.keys() <= taken <= asked | told.keys():
            known = {name: told.get(name, f"$request.path.{name}") for name in sorted(taken)}
            for operation in methods.values():
                yield operation["operationId"], {"operationId": operation["operationId"], "parameters": known}


def _parts(path: str) -> set[str]:
    return set(re.findall(r"{(\w+)}", path))
