"""The answers of the API as TypedDicts, made from its description: `jobtrack_client/models.py`."""

import json
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

HEAD = '''"""What the service answers and pushes, as plain JSON with types.

Made from the API's description by `make client`: change that instead. The service may add members at any time.
"""

from typing import Any, Literal, NotRequired, TypedDict
'''
_SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_REFERENCE = "#/components/schemas/"


def source(document: Mapping[str, Any]) -> str:
    """The module's text, for an OpenAPI document."""
    schemas = document["components"]["schemas"]
    names = sorted(_reached(document, schemas))
    listed = "".join(f'    "{name}",\n' for name in names)
    return "\n\n".join([HEAD + f"\n__all__ = [\n{listed}]", *(_typed(name, schemas[name]) for name in names)]) + "\n"


def _reached(document: Mapping[str, Any], schemas: Mapping[str, Schema]) -> set[str]:
    """What answers and webhooks are made of; requests are the caller's own."""
    waiting, found = list(_named(_told(document))), set[str]()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _named(schemas[name])
    return {name for name in found if schemas[name].get("type") == "object"}


def _told(document: Mapping[str, Any]) -> list[Any]:
    answers = [
        each["responses"] for path in document["paths"].values() for each in path.values() if "responses" in each
    ]
    bodies = [each["post"]["requestBody"] for each in document["webhooks"].values()]
    return [*answers, *bodies, *document["components"].get("responses", {}).values()]


def _named(part: Any) -> Iterator[str]:
    """The schemas that a part of the document names."""
    for name, value in part.items() if isinstance(part, Mapping) else enumerate(part) if isinstance(part, list) else ():
        if name == "$ref" and value.startswith(_REFERENCE):
            yield value.removeprefix(_REFERENCE)
        else:
            yield from _named(value)


def _typed(name: str, schema: Schema) -> str:
    members = [_member(key, each, key in schema.get("required", ())) for key, each in schema["properties"].items()]
    about = textwrap.wrap(" ".join(schema["description"].split()), 112)
    lines = [f'"""{about[0]}"""'] if len(about) == 1 else ['"""' + about[0], *about[1:], '"""']
    if all(key.isidentifier() and key not in ("from",) for key in schema["properties"]):
        return "\n    ".join([f"class {name}(TypedDict):", *lines, "", *members]).replace("    \n", "\n")
    inner = "".join(f'        "{key}": {_kind(each)},\n' for key, each in schema["properties"].items())
    return f'{name} = TypedDict(\n    "{name}",\n    {{\n{inner}    }},\n)\n' + "\n".join(lines)


def _member(name: str, schema: Schema, required: bool) -> str:
    kind = _kind(schema)
    return f"{name}: {kind if required else f'NotRequired[{kind}]'}"


def _kind(schema: Schema) -> str:
    """The type of a value of the schema."""
    if "$ref" in schema:
        return f'"{schema["$ref"].removeprefix(_REFERENCE)}"'
    if "anyOf" in schema:
        return _union([_kind(each) for each in schema["anyOf"]])
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        return f"Literal[{', '.join(json.dumps(value) for value in values)}]"
    match schema.get("type"):
        case "array":
            return f"list[{_kind(schema['items'])}]"
        case "object" | None:
            return "dict[str, Any]"
        case list() as kinds:
            return _union([_SCALARS[kind] for kind in kinds])
        case kind:
            return _SCALARS[kind]


def _union(kinds: list[str]) -> str:
    """The union, in quotes as a whole where a part of it is."""
    text = " | ".join(dict.fromkeys(kinds))
    return '"' + text.replace('"', "") + '"' if '"' in text and "Literal" not in text else text
