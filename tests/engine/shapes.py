"""The shapes of calls to DynamoDB: what an operation asks for, without its names and values.

A shape is a line, for example
`UpdateItem ConditionExpression=[a = :N] ReturnValues=[ALL_NEW] UpdateExpression=[SET a = :, p = :]`.
In its expressions `a`, `b` … are attributes of the condition, `p` is any other attribute (one clause means
several), `pk`, `sk`, `gpk` and `gsk` are keys, `:N` is a value of type N, and `:` a value of any type.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

LAYER_SHAPES = Path(__file__).with_name("layer_shapes.txt")
"""The shapes that the layer sends, each of which is compared with DynamoDB Local."""

KEYS = ("pk", "sk", "gpk", "gsk")
_LETTERS = "abcdefghijklmno"
_OF_ONE_TYPE = frozenset({"ADD", "DELETE"})
_WORDS = frozenset({"AND", "OR", "NOT", "IN", "BETWEEN", "SET", "REMOVE", "ADD", "DELETE"})
_TOKENS = re.compile(r"[#:]?[A-Za-z_0-9]+|<>|<=|>=|\S")
_OF_ANY_VALUE = frozenset({"IndexName", "Limit", "ExclusiveStartKey", "Segment", "TotalSegments", "ClientRequestToken"})
_NOT_SHOWN = frozenset({"TableName", "Item", "Key", "Keys", "ExpressionAttributeNames", "ExpressionAttributeValues"})

Params = Mapping[str, Any]


def layer_shapes() -> list[str]:
    """Return the shapes that the layer sends."""
    return LAYER_SHAPES.read_text().splitlines()


def shapes_of(operation: str, params: Params) -> Iterator[str]:
    """Yield the shapes of a call: of a transaction or a batch, those of its parts."""
    match operation:
        case "TransactWriteItems":
            for action in params["TransactItems"]:
                for kind, arguments in action.items():
                    yield _shape(f"TransactWriteItems.{kind}", arguments)
        case "BatchGetItem":
            for arguments in params["RequestItems"].values():
                yield _shape(operation, arguments)
        case "BatchWriteItem":
            for requests in params["RequestItems"].values():
                yield from (f"BatchWriteItem.{kind}" for request in requests for kind in request)
        case _:
            yield _shape(operation, params)


def _shape(name: str, arguments: Params) -> str:
    members = sorted(arguments.keys() - _NOT_SHOWN)
    letters: dict[str, str] = {}
    return " ".join([name, *(f"{member}{_shown(member, arguments, letters)}" for member in members)])


def _shown(member: str, arguments: Params, letters: dict[str, str]) -> str:
    if member in _OF_ANY_VALUE:
        return ""
    if not member.endswith("Expression"):
        return f"=[{arguments[member]}]"
    tokens = _TOKENS.findall(arguments[member])
    if member == "UpdateExpression":
        return f"=[{_update(tokens, arguments, letters)}]"
    if member == "ProjectionExpression":
        return f"=[{_clauses(tokens, arguments, letters)}]"
    return f"=[{_joined(_condition(tokens, arguments, letters))}]"


def _condition(tokens: Sequence[str], arguments: Params, letters: dict[str, str]) -> Iterator[str]:
    for place, token in enumerate(tokens):
        if token[0] == ":":
            yield _typed(token, arguments)
        elif not _is_attribute(token) or tokens[place + 1 : place + 2] == ["("]:
            yield token
        else:
            name = _named(token, arguments)
            yield name if name in KEYS else letters.setdefault(name, _LETTERS[len(letters)])


def _typed(placeholder: str, arguments: Params) -> str:
    kind: str = next(iter(arguments["ExpressionAttributeValues"][placeholder]))
    return f":{kind}"


def _is_attribute(token: str) -> bool:
    return token[0] == "#" or ((token[0].isalpha() or token[0] == "_") and token.upper() not in _WORDS)


def _named(token: str, arguments: Params) -> str:
    return str(arguments["ExpressionAttributeNames"][token]) if token[0] == "#" else token


def _update(tokens: Sequence[str], arguments: Params, letters: Mapping[str, str]) -> str:
    sections: list[tuple[str, list[str]]] = []
    for token in tokens:
        if token.upper() in ("SET", "REMOVE", "ADD", "DELETE"):
            sections.append((token.upper(), []))
        else:
            sections[-1][1].append(token)
    return " ".join(
        f"{name} {_clauses(section, arguments, letters, typed=name in _OF_ONE_TYPE)}" for name, section in sections
    )


def _clauses(tokens: Sequence[str], arguments: Params, letters: Mapping[str, str], *, typed: bool = False) -> str:
    """Return the different clauses between commas outside of parentheses."""
    clauses: list[list[str]] = [[]]
    depth = 0
    for place, token in enumerate(tokens):
        depth += {"(": 1, ")": -1}.get(token, 0)
        if token == "," and not depth:
            clauses.append([])
        elif token[0] == ":":
            clauses[-1].append(_typed(token, arguments) if typed else ":")
        else:
            clauses[-1].append(_clause_token(token, tokens[place + 1 : place + 2], arguments, letters))
    return ", ".join(sorted({_joined(clause) for clause in clauses}))


def _clause_token(token: str, after: Sequence[str], arguments: Params, letters: Mapping[str, str]) -> str:
    if not _is_attribute(token) or after == ["("]:
        return token
    name = _named(token, arguments)
    return name if name in KEYS else letters.get(name, "p")


def _joined(tokens: Iterator[str] | Sequence[str]) -> str:
    """Return the tokens with spaces as people write them."""
    text = re.sub(r" ([,)])", r"\1", " ".join(tokens))
    text = re.sub(r" ?\. ?", ".", text).replace("( ", "(")
    return re.sub(r"\b([a-z_]+) \(", r"\1(", text)
