"""Compares a table with template.yaml. A key, an index or a stream cannot change while the table has data."""

from collections.abc import Mapping
from typing import Any

from jobtrack_local.errors import LocalError
from jobtrack_local.template.cloudformation import TableProperties


def require_same_table(name: str, found: Mapping[str, Any], table: TableProperties) -> None:
    """Check the description of a table.

    Raises:
        LocalError: another version of the template created the table.
    """
    there, wanted = _parts(found), _parts(table.arguments())
    different = [part for part in wanted if there[part] != wanted[part]]
    if different:
        reason = f"the table {name} has another {' and another '.join(different)}"
        raise LocalError(f"the data are of another version of jobtrack: {reason}; use another folder with --data")


def _parts(description: Mapping[str, Any]) -> dict[str, object]:
    types = {each["AttributeName"]: each["AttributeType"] for each in description["AttributeDefinitions"]}
    indexes = description.get("GlobalSecondaryIndexes", [])
    return {
        "key": _key(description, types),
        "set of indexes": {each["IndexName"]: (_key(each, types), _projection(each["Projection"])) for each in indexes},
        "stream": description.get("StreamSpecification", {}).get("StreamViewType"),
    }


def _key(schema: Mapping[str, Any], types: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return the name and the type of the hash key and of the range key."""
    return {each["KeyType"]: (each["AttributeName"], types[each["AttributeName"]]) for each in schema["KeySchema"]}


def _projection(projection: Mapping[str, Any]) -> tuple[str, frozenset[str]]:
    return projection["ProjectionType"], frozenset(projection.get("NonKeyAttributes", ()))
