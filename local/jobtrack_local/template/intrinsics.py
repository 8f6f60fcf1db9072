"""Reads CloudFormation's YAML and resolves its intrinsic functions."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from jobtrack_local.errors import LocalError


class _Loader(yaml.CSafeLoader):
    """A YAML loader that reads the short tags of intrinsic functions as their long forms.

    It parses with libyaml. The parser in Python would take a fifth of the time until the service is ready.
    """


def _ref(loader: _Loader, node: yaml.ScalarNode) -> dict[str, object]:
    return {"Ref": loader.construct_scalar(node)}


def _get_att(loader: _Loader, node: yaml.ScalarNode) -> dict[str, object]:
    return {"Fn::GetAtt": str(loader.construct_scalar(node)).split(".", 1)}


def _function(loader: _Loader, node: yaml.Node) -> dict[str, object]:
    """Read any other function. It causes an error only if its value is needed."""
    name = f"Fn::{node.tag.removeprefix('!')}"
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: str(node.value)}


_Loader.add_constructor("!Ref", _ref)
_Loader.add_constructor("!GetAtt", _get_att)
for _name in ("Sub", "If", "Not", "Equals", "Join", "Split"):
    _Loader.add_constructor(f"!{_name}", _function)


def read(path: Path) -> dict[str, object]:
    """Return the document at `path`.

    Raises:
        LocalError: it cannot be read, or is not a mapping.
    """
    try:
        document = _Loader(path.read_bytes()).get_single_data()
    except (OSError, yaml.YAMLError) as error:
        raise LocalError(f"cannot read {path}: {error}") from error
    if not isinstance(document, dict):
        raise LocalError(f"{path} is not a CloudFormation template")
    return document


@dataclass(frozen=True)
class Names:
    """The values of a template's references: `refs[id]`, `attributes[id, name]`."""

    refs: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def resolve(self, value: object) -> str:
        """Return the value of a scalar or intrinsic function as a string.

        Raises:
            LocalError: the value is not known locally.
        """
        match value:
            case {"Ref": str(name)}:
                return self._ref(name)
            case {"Fn::GetAtt": [str(name), str(attribute)]}:
                return self._attribute(name, attribute)
            case {"Fn::Sub": str(text)}:
                return re.sub(r"\$\{([^}]+)\}", lambda found: self._named(found[1]), text)
            case bool():
                return "true" if value else "false"
            case str() | int() | float():
                return str(value)
        raise LocalError(f"template.yaml uses a function that the local service cannot resolve: {value}")

    def _named(self, name: str) -> str:
        resource, dot, attribute = name.partition(".")
        return self._attribute(resource, attribute) if dot else self._ref(name)

    def _ref(self, name: str) -> str:
        if name not in self.refs:
            raise LocalError(f"template.yaml refers to {name}, which has no value on one machine")
        return self.refs[name]

    def _attribute(self, name: str, attribute: str) -> str:
        if (name, attribute) not in self.attributes:
            raise LocalError(f"template.yaml refers to {name}.{attribute}, which has no value on one machine")
        return self.attributes[name, attribute]


def target(value: object) -> str:
    """Return the logical id that a `Ref` or `GetAtt` refers to."""
    match value:
        case {"Ref": str(name)}:
            return name
        case {"Fn::GetAtt": [str(name), *_]}:
            return name
    raise LocalError(f"template.yaml must refer to a resource here: {value}")


def mentioned(value: object) -> set[str]:
    """Return the logical ids that an expression refers to."""
    match value:
        case {"Fn::Sub": str(text)}:
            return {name.partition(".")[0] for name in re.findall(r"\$\{([^}]+)\}", text)}
        case {"Ref": _} | {"Fn::GetAtt": _}:
            return {target(value).partition(".")[0]}
    return set()
