"""Generate the client's `models.py` from the OpenAPI document: responses and messages as TypedDicts."""

import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from graphlib import TopologicalSorter
from typing import Any

Schema = Mapping[str, Any]

HEAD = '''"""What the service returns and pushes, as plain JSON with types.

Generated from the OpenAPI document by `make client`; do not edit. The service may add members at any time.
"""

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict
'''
_SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_REFERENCE = "#/components/schemas/"


def source(document: Mapping[str, Any]) -> str:
    """Return the text of the module."""
    schemas: Mapping[str, Schema] = document["components"]["schemas"]
    enumerations = sorted(name for name, schema in schemas.items() if "enum" in schema)
    structures = [name for name in _in_order_of_use(document, schemas) if schemas[name].get("type") == "object"]
    aliases = "\n".join(f"{name}: TypeAlias = {_literal(schemas[name])}" for name in enumerations)
    types = [_typed_dict(name, schemas[name]) for name in structures]
    return "\n\n".join([HEAD, aliases, *types]) + "\n"


def _in_order_of_use(document: Mapping[str, Any], schemas: Mapping[str, Schema]) -> Iterable[str]:
    """Return the names of the schemas that responses and webhooks contain, each after those that it refers to."""
    pending, uses = list(_references(_outputs(document))), dict[str, list[str]]()
    while pending:
        name = pending.pop()
        if name not in uses:
            uses[name] = list(_references(schemas[name]))
            pending += uses[name]
    return TopologicalSorter(dict(sorted(uses.items()))).static_order()


def _outputs(document: Mapping[str, Any]) -> list[Any]:
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    messages = [webhook["post"]["requestBody"] for webhook in document["webhooks"].values()]
    return [
        *(operation["responses"] for operation in operations),
        *messages,
        *document["components"]["responses"].values(),
    ]


def _references(part: Any) -> Iterator[str]:
    """Yield the names of the schemas that a part of the document refers to."""
    for name, value in part.items() if isinstance(part, Mapping) else enumerate(part) if isinstance(part, list) else ():
        if name == "$ref" and value.startswith(_REFERENCE):
            yield value.removeprefix(_REFERENCE)
        else:
            yield from _references(value)


def _typed_dict(name: str, schema: Schema) -> str:
    members, required = schema["properties"], schema.get("required", ())
    docstring = _docstring(schema["description"])
    if all(key.isidentifier() and key != "from" for key in members):
        lines = [line for key, member in members.items() for line in _member(key, member, key in required)]
        body = textwrap.indent("\n".join([docstring, "", *lines]), "    ")
        return f"class {name}(TypedDict):\n{body}"
    inner = "".join(f'        "{key}": {_type(member)},\n' for key, member in members.items())
    return f'{name} = TypedDict(\n    "{name}",\n    {{\n{inner}    }},\n)\n{docstring}'


def _member(name: str, schema: Schema, required: bool) -> Iterator[str]:
    kind = _type(schema)
    yield f"{name}: {kind if required else f'NotRequired[{kind}]'}"
    if "description" in schema:
        yield _docstring(schema["description"])


def _docstring(text: str) -> str:
    first, *others = textwrap.wrap(" ".join(text.split()), 110)
    return "\n".join([f'"""{first}', *others, '"""']) if others else f'"""{first}"""'


def _type(schema: Schema) -> str:
    """Return the Python type of a value of the schema."""
    if "$ref" in schema:
        return str(schema["$ref"].removeprefix(_REFERENCE))
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_type(variant) for variant in schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        return _literal(schema)
    match schema.get("type"):
        case "array":
            return f"list[{_type(schema['items'])}]"
        case "object" | None:
            return "dict[str, Any]"
        case list() as kinds:
            return " | ".join(_SCALARS[kind] for kind in kinds)
        case kind:
            return _SCALARS[kind]


def _literal(schema: Schema) -> str:
    values = schema.get("enum", [schema.get("const")])
    return f"Literal[{', '.join(json.dumps(value) for value in values)}]"
