"""Lambda's event filter patterns. Only the kinds that template.yaml uses are supported: exact strings and prefixes."""

import json
from collections.abc import Mapping, Sequence

from jobtrack_local.errors import LocalError


class Pattern:
    """A pattern of a FilterCriteria: every named field must have one of the listed values."""

    def __init__(self, text: str) -> None:
        self._tree = _checked(text)

    def matches(self, record: Mapping[str, object]) -> bool:
        """Return whether the record matches."""
        return _matches(self._tree, record)

    def prefix(self, *path: str) -> str:
        """Return the prefix that the field at `path` must have, or an empty string."""
        node: object = self._tree
        for name in path:
            node = node.get(name, {}) if isinstance(node, dict) else {}
        match node:
            case [{"prefix": str(prefix)}]:
                return prefix
        return ""


def any_match(patterns: Sequence[Pattern], record: Mapping[str, object]) -> bool:
    """Return whether a record matches one of the patterns. Without patterns every record matches."""
    return not patterns or any(pattern.matches(record) for pattern in patterns)


def _checked(text: str) -> dict[str, object]:
    try:
        tree = json.loads(text)
    except json.JSONDecodeError as error:
        raise LocalError(f"a filter of template.yaml is not JSON: {text}") from error
    if not isinstance(tree, dict) or not _known(tree):
        raise LocalError(f"the local service supports only exact strings and prefixes in filters, not {text}")
    return tree


def _known(node: object) -> bool:
    if isinstance(node, dict):
        return all(_known(child) for child in node.values())
    return isinstance(node, list) and bool(node) and all(_known_rule(rule) for rule in node)


def _known_rule(rule: object) -> bool:
    match rule:
        case str() | {"prefix": str()}:
            return not isinstance(rule, dict) or len(rule) == 1
    return False


def _matches(node: object, value: object) -> bool:
    if isinstance(node, dict):
        return isinstance(value, Mapping) and all(_matches(child, value.get(name)) for name, child in node.items())
    return isinstance(node, list) and isinstance(value, str) and any(_satisfies(rule, value) for rule in node)


def _satisfies(rule: object, value: str) -> bool:
    return value.startswith(str(rule["prefix"])) if isinstance(rule, dict) else rule == value
