"""Check calls of functions against the policies of template.yaml, because engines enforce none."""

from collections.abc import Mapping
from typing import Any

from jobtrack_local.runtime.call_recorder import LogicalId, required_grants


def denied(
    grants: Mapping[str, set[str]], service: str, operation: str, parameters: Mapping[str, Any], named: LogicalId
) -> list[str]:
    """Return the permissions that a call needs and lacks; `named` maps a table, queue or key to its logical id."""
    return [
        f"{action} on {resource}"
        for action, resource in set(required_grants(service, operation, parameters, named))
        if action not in grants.get(resource, set())
    ]
