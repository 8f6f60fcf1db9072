"""OpenAPI links: which operations accept the ids that a response contains."""

import re
from collections.abc import Iterator, Mapping

from scripts.openapi.operations import BASE
from scripts.openapi.shared import Json

_NEW_IDS = {
    f"POST {BASE}/jobs": {"jobId": "$response.body#/jobId"},
    f"GET {BASE}/jobs": {"jobId": "$response.body#/jobs/0/jobId"},
    f"GET {BASE}/queue": {"jobId": "$response.body#/queuedJobs/0/jobId"},
    f"POST {BASE}/job/{{jobId}}/subscribe": {"subscriptionId": "$response.body#/subscriptionId"},
    f"GET {BASE}/job/{{jobId}}/subscriptions": {"subscriptionId": "$response.body#/subscriptions/0/subscriptionId"},
    f"POST {BASE}/subscription/{{subscriptionId}}/test": {"messageId": "$response.body#/messageId"},
    f"GET {BASE}/subscription/{{subscriptionId}}/deliveries": {"messageId": "$response.body#/deliveries/0/messageId"},
}
"""The ids that the response to an operation contains, and where; without those of its own path."""


def add_links(paths: Json) -> None:
    """Add links to the responses that contain new ids.

    Raises:
        LookupError: an operation does not exist.
    """
    for name, new_ids in _NEW_IDS.items():
        method, path = name.split(" ")
        response = _success_response(paths[path][method.lower()]["responses"])
        response["links"] = dict(_links(_parameters(path), new_ids, paths))


def _success_response(responses: Json) -> Json:
    success: Json = next(response for status, response in responses.items() if status.startswith("2"))
    return success


def _links(own_ids: set[str], new_ids: Mapping[str, str], paths: Json) -> Iterator[tuple[str, Json]]:
    """Yield a link to every operation that takes all of the new ids, and otherwise only ids that are already known."""
    for path, methods in paths.items():
        names = _parameters(path)
        if new_ids.keys() <= names <= own_ids | new_ids.keys():
            values = {name: new_ids.get(name, f"$request.path.{name}") for name in sorted(names)}
            for operation in methods.values():
                yield operation["operationId"], {"operationId": operation["operationId"], "parameters": values}


def _parameters(path: str) -> set[str]:
    return set(re.findall(r"{(\w+)}", path))
