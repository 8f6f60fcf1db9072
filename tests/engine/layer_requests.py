"""Random requests of the shapes that the layer sends (shapes.py), with the names and values of the test's table."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import strategies as st

from tests.engine import operations
from tests.engine.operations import TABLE, Request
from tests.engine.shapes import layer_shapes

INDEX = "by_name"
"""An index with the layer's types of keys; the layer's `gpk` and `gsk` are its `hpk` and `hsk`."""
INDEX_KEYS = {"gpk": "hpk", "gsk": "hsk"}
ATTRIBUTES = {"S": ("a", "b"), "N": ("n", "v", "exp"), "B": ("d", "e"), "M": ("m", "c")}
"""Attributes by the type that their values mostly have, so that conditions often hold."""

small = st.integers(0, 4).map(str)
values = {
    "S": st.sampled_from(["a", "b", "ab", ""]),
    "N": small,
    "B": st.sampled_from([b"", b"a", b"ab"]),
    "M": st.dictionaries(st.sampled_from("xyz"), small.map(lambda number: {"N": number}), max_size=2),
    "BOOL": st.booleans(),
}
_TOKEN = re.compile(r"[A-Za-z_]+|:[A-Z]*|<>|<=|>=|\S")
_MEMBER = re.compile(r"(\w+)(?:=\[([^\]]*)\])?")
_CONSTANTS = {"True": True, "False": False}
_FREE = {"Limit": st.integers(1, 3), "IndexName": st.just(INDEX), "TotalSegments": st.just(1), "Segment": st.just(0)}


def typed(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    """Return values of a type, and sometimes another value."""
    right = values[kind].map(lambda held: {kind: held})
    return st.one_of(*[right] * 9, operations.values)


@st.composite
def items(draw: st.DrawFn) -> dict[str, Any]:
    """Items whose attributes mostly have the types of `ATTRIBUTES`."""
    item: dict[str, Any] = {**draw(operations.keys)}
    for kind, names in ATTRIBUTES.items():
        item |= {name: draw(typed(kind)) for name in names if draw(st.booleans())}
    if draw(st.booleans()):
        item |= {name: draw(typed("S")) for name in INDEX_KEYS.values()}
    return item


class _Filling:
    """Draws the names and values of one request's expressions."""

    def __init__(self, draw: st.DrawFn, shape: str) -> None:
        self._draw = draw
        self._shape = shape
        self._attributes: dict[str, str] = {}
        self.names: dict[str, str] = {}
        self.values: dict[str, Any] = {}

    def condition(self, text: str) -> str:
        """Return a condition of that shape."""
        return "".join(self._condition(_TOKEN.findall(text)))

    def _condition(self, tokens: Sequence[str]) -> Iterator[str]:
        for place, token in enumerate(tokens):
            if token[0] == ":":
                yield self._condition_value(token[1:], tokens[:place]) + " "
            elif len(token) == 1 and token.isalpha():
                yield self._named(self._attribute(token)) + " "
            else:
                yield self._key(token) + ("" if tokens[place + 1 : place + 2] == ["("] else " ")

    def _condition_value(self, kind: str, before: Sequence[str]) -> str:
        """Return the placeholder of a value; values of keys are those that items have."""
        key = next((token for token in reversed(before) if token in INDEX_KEYS or token in ("pk", "sk")), "")
        strategies = {"pk": operations.pks, "sk": operations.sks}
        if kind == "S" and key in strategies:
            return self._value({"S": self._draw(strategies[key])})
        return self._value(self._draw(typed(kind)))

    def clauses(self, text: str) -> str:
        """Return clauses of that shape; one with `p` becomes one to three."""
        clauses = []
        for clause in text.split(", "):
            times = self._draw(st.integers(1, 3)) if re.search(r"\bp\b", clause) else 1
            clauses += [self._clause(_TOKEN.findall(clause)) for _ in range(times)]
        return ", ".join(clauses)

    def _clause(self, tokens: Sequence[str]) -> str:
        """Return a clause; its value has the type that it names, or that of the attribute."""
        kind = next((token[1:] for token in tokens if len(token) > 1 and token[0] == ":"), "")
        words: list[str] = []
        for token in tokens:
            words.append(self._clause_word(token, words, kind or ("M" if "." in tokens else "")))
        return " ".join(words)

    def _clause_word(self, token: str, before: Sequence[str], kind: str) -> str:
        if token[0] == ":":
            return self._value(self._draw(typed(kind or self._kind_of(before[0]))))
        if token == "p" and before[-1:] == ["."]:
            return self._named(self._draw(st.sampled_from("xyz")))
        if token == "p":
            return self._named(self._fresh(kind))
        if len(token) == 1 and token.isalpha():
            return self._named(self._attribute(token))
        return self._key(token)

    def _kind_of(self, name: str) -> str:
        """Return the type that an attribute's values mostly have."""
        of_index = "S" if name in INDEX_KEYS.values() else "N"
        attribute = self.names.get(name, name)
        return next((kind for kind, names in ATTRIBUTES.items() if attribute in names), of_index)

    def update(self, text: str) -> str:
        """Return an update of that shape."""
        sections = re.split(r"\b(SET|REMOVE|ADD|DELETE)\b ", text)[1:]
        pairs = zip(sections[::2], sections[1::2], strict=True)
        return " ".join(f"{name} {self.clauses(section.strip())}" for name, section in pairs)

    def _attribute(self, letter: str) -> str:
        """Return the attribute that a letter means, with the type of what it is compared with."""
        if letter not in self._attributes:
            compared = re.search(rf"\b{letter} (?:=|<>|<=?|>=?) :([A-Z]+)", self._shape)
            self._attributes[letter] = self._fresh(compared[1] if compared else "")
        return self._attributes[letter]

    def _fresh(self, kind: str) -> str:
        """Return an attribute that the request does not use yet."""
        of_kind = ATTRIBUTES.get(kind) or [name for names in ATTRIBUTES.values() for name in names]
        free = [name for name in of_kind if name not in self._attributes.values()]
        name = self._draw(st.sampled_from(free or ["spare"]))
        self._attributes[f"fresh {name}"] = name
        return name

    def _named(self, name: str) -> str:
        """Return the attribute's name, or a placeholder for it."""
        if self._draw(st.booleans()):
            return name
        self.names[f"#{name}"] = name
        return f"#{name}"

    def _key(self, token: str) -> str:
        return INDEX_KEYS.get(token, token)

    def _value(self, value: Any) -> str:
        placeholder = f":v{len(self.values)}"
        self.values[placeholder] = value
        return placeholder

    def placeholders(self) -> dict[str, Any]:
        """Return the members of a request with the names and values."""
        return {
            **({"ExpressionAttributeNames": self.names} if self.names else {}),
            **({"ExpressionAttributeValues": self.values} if self.values else {}),
        }


@st.composite
def members(draw: st.DrawFn, shape: str) -> dict[str, Any]:
    """The members of a request or of its part, but for its table, key and item."""
    filling = _Filling(draw, shape)
    made: dict[str, Any] = {}
    found = [(name, text) for name, text in _MEMBER.findall(shape.partition(" ")[2])]
    for name, text in sorted(found, key=lambda each: not each[0].endswith("ConditionExpression")):
        if name == "UpdateExpression":
            made[name] = filling.update(text)
        elif name == "ProjectionExpression":
            made[name] = filling.clauses(text)
        elif name.endswith("Expression"):
            made[name] = filling.condition(text)
        elif text:
            made[name] = _CONSTANTS.get(text, text)
        elif name == "ExclusiveStartKey":
            made[name] = draw(operations.keys)
        else:
            made[name] = draw(_FREE[name])
    return made | filling.placeholders()


@st.composite
def actions(draw: st.DrawFn, shape: str) -> dict[str, Any]:
    """An action of a transaction."""
    kind = shape.partition(" ")[0].removeprefix("TransactWriteItems.")
    target = {"Item": draw(items())} if kind == "Put" else {"Key": draw(operations.keys)}
    return {kind: {"TableName": TABLE, **target, **draw(members(shape))}}


def _of(prefix: str) -> list[str]:
    return [shape for shape in layer_shapes() if shape.partition(" ")[0].startswith(prefix)]


any_action = st.sampled_from(_of("TransactWriteItems.")).flatmap(actions)


@st.composite
def requests_of(draw: st.DrawFn, shape: str) -> Request:
    """Requests of a shape; a transaction has other actions of the layer too."""
    name = shape.partition(" ")[0]
    match name:
        case "BatchGetItem":
            keys = draw(st.lists(operations.keys, min_size=1, max_size=3))
            return "batch_get_item", {"RequestItems": {TABLE: {"Keys": keys, **draw(members(shape))}}}
        case "BatchWriteItem.PutRequest":
            puts = draw(st.lists(items().map(lambda item: {"PutRequest": {"Item": item}}), min_size=1, max_size=3))
            return "batch_write_item", {"RequestItems": {TABLE: puts}}
        case "BatchWriteItem.DeleteRequest":
            keys = draw(st.lists(operations.keys, min_size=1, max_size=3))
            return "batch_write_item", {"RequestItems": {TABLE: [{"DeleteRequest": {"Key": key}} for key in keys]}}
        case "GetItem" | "UpdateItem" | "DeleteItem":
            return _snake(name), {"TableName": TABLE, "Key": draw(operations.keys), **draw(members(shape))}
        case "PutItem":
            return "put_item", {"TableName": TABLE, "Item": draw(items()), **draw(members(shape))}
        case "Query" | "Scan":
            return _snake(name), {"TableName": TABLE, **draw(members(shape))}
        case _:
            others = draw(st.lists(any_action, max_size=2))
            together = draw(st.permutations([draw(actions(shape)), *others]))
            return "transact_write_items", {"TransactItems": together}


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


requests = st.sampled_from(layer_shapes()).flatmap(requests_of)
