"""Holds functions to the policies of template.yaml: engines enforce none."""

from collections.abc import Mapping
from typing import Any

from jobtrack_local.runtime.call_recorder import LogicalId, required_grants


def denied(
    grants: Mapping[str, set[str]], service: str, operation: str, parameters: Mapping[str, Any], named: LogicalId
) -> list[str]:
    """What the call needs and the policy does not grant; `named` gives the logical id of a table, queue or key."""
    return [
        f"{action} on {resource}"
        for action, resource in set(required_grants(service, operation, parameters, named))
        if action not in grants.get(resource, set())
    ]
