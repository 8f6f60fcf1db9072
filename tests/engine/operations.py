"""Random requests for DynamoDB: shapes that the layer uses, other valid ones, and hostile ones.

Few keys and few values, so that requests meet each other's items.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

TABLE = "things"
INDEX = "by_group"
INDEXES: Sequence[Mapping[str, Any]] = [
    {
        "IndexName": INDEX,
        "KeySchema": [{"AttributeName": "gpk", "KeyType": "HASH"}, {"AttributeName": "gsk", "KeyType": "RANGE"}],
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    },
    {
        "IndexName": "by_name",
        "KeySchema": [{"AttributeName": "hpk", "KeyType": "HASH"}, {"AttributeName": "hsk", "KeyType": "RANGE"}],
        "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["n", "c"]},
    },
]
DEFINITION: Mapping[str, Any] = {
    "TableName": TABLE,
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [
        {"AttributeName": name, "AttributeType": kind}
        for name, kind in (("pk", "S"), ("sk", "S"), ("gpk", "S"), ("gsk", "N"), ("hpk", "S"), ("hsk", "S"))
    ],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    "GlobalSecondaryIndexes": INDEXES,
}

Request = tuple[str, dict[str, Any]]
"""An operation's name in boto3, and its parameters."""

texts = st.sampled_from(["", "a", "b", "aa", "ab", "z", "é", "\U0001f600", "a\uffff"])
small = st.integers(-3, 3).map(str)
numbers = st.one_of(
    small,
    small,
    small,
    st.sampled_from(
        ["1.50", "-0", "1e3", "0.001", "1E+2", "123456789012345678901234567890.12345678", "1e125", "-1e-130"]
    ),
    st.sampled_from([*"01234567", "1e126", "1e-131", "x", "", "NaN", "123456789012345678901234567890123456789"]),
)
any_numbers = st.builds(
    lambda sign, digits, exponent: f"{sign}{digits}E{exponent}",
    st.sampled_from(["", "-", "+"]),
    st.from_regex(r"[0-9]{1,40}(\.[0-9]{1,5})?", fullmatch=True),
    st.integers(-140, 130),
)
numbers = st.one_of(numbers, numbers, numbers, any_numbers)
binaries = st.sampled_from([b"", b"a", b"ab", b"\xff"])
scalars = st.one_of(
    texts.map(lambda text: {"S": text}),
    numbers.map(lambda number: {"N": number}),
    binaries.map(lambda held: {"B": held}),
    st.booleans().map(lambda held: {"BOOL": held}),
    st.just({"NULL": True}),
)
good_sets = st.one_of(
    st.lists(texts, min_size=1, max_size=3, unique=True).map(lambda members: {"SS": members}),
    st.lists(small, min_size=1, max_size=3, unique=True).map(lambda members: {"NS": members}),
    st.lists(binaries, min_size=1, max_size=2, unique=True).map(lambda members: {"BS": members}),
)
sets = st.one_of(
    good_sets, good_sets, good_sets, good_sets, st.sampled_from([{"SS": []}, {"NS": ["1", "1"]}, {"BS": [b"a", b"a"]}])
)
values = st.recursive(
    st.one_of(scalars, scalars, sets),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda members: {"L": members}),
        st.dictionaries(st.sampled_from(["x", "y", "z"]), inner, max_size=3).map(lambda members: {"M": members}),
    ),
    max_leaves=5,
)
attributes = st.sampled_from(["a", "b", "c", "v", "n", "exp"])
pks = st.sampled_from(["p", "q"])
sks = st.sampled_from(["", "a", "ab", "b", "b\x00", "é", "z", "\U0001f600"])
keys = st.one_of(
    st.builds(lambda pk, sk: {"pk": {"S": pk}, "sk": {"S": sk}}, pks, sks.filter(bool)),
    st.builds(lambda pk, sk: {"pk": {"S": pk}, "sk": {"S": sk}}, pks, sks.filter(bool)),
    st.sampled_from(
        [{"pk": {"S": "p"}, "sk": {"S": "a"}}] * 8
        + [{"pk": {"S": "p"}}, {"pk": {"N": "1"}, "sk": {"S": "a"}}, {"pk": {"S": ""}, "sk": {"S": "a"}}]
    ),
)


@st.composite
def items(draw: st.DrawFn) -> dict[str, Any]:
    """Items, mostly valid, often with the index's key."""
    item: dict[str, Any] = draw(st.dictionaries(attributes, values, max_size=4)) | draw(keys)
    if draw(st.booleans()):
        item["gpk"] = {"S": draw(st.sampled_from(["g", "h"]))}
        item["gsk"] = draw(st.sampled_from([*({"N": str(number)} for number in range(-3, 12)), {"S": "no number"}]))
    return item


paths = st.sampled_from(
    ["a", "b", "c", "v", "#n", "a.x", "b.#x", "c[0]", "c[1]", "a.y.z", "c[0].x", "pk", "sk", "gpk", "#e"]
)
operands = st.one_of(paths, st.sampled_from([":one", ":two", ":text", ":any"]), paths.map(lambda path: f"size({path})"))
comparisons = st.builds(
    lambda left, operator, right: f"{left} {operator} {right}",
    operands,
    st.sampled_from(["=", "<>", "<", "<=", ">", ">="]),
    operands,
)
functions = st.one_of(
    paths.map(lambda path: f"attribute_exists({path})"),
    paths.map(lambda path: f"attribute_not_exists({path})"),
    paths.map(lambda path: f"begins_with({path}, :text)"),
    st.builds(lambda path, value: f"contains({path}, {value})", paths, st.sampled_from([":text", ":one", ":any"])),
    paths.map(lambda path: f"attribute_type({path}, :kind)"),
    paths.map(lambda path: f"{path} BETWEEN :one AND :two"),
    paths.map(lambda path: f"{path} IN (:one, :text)"),
)
conditions = st.recursive(
    st.one_of(functions, functions, comparisons),
    lambda inner: st.one_of(
        st.builds(lambda one, other: f"{one} AND {other}", inner, inner),
        st.builds(lambda one, other: f"({one} OR {other})", inner, inner),
        inner.map(lambda one: f"NOT {one}"),
    ),
    max_leaves=3,
)
broken = st.sampled_from(["", "a =", "(a = :one", "a == :one", "a = :one OR", "nothing(a)", "a BETWEEN :one", "1 = a"])
set_values = st.one_of(
    operands,
    st.builds(lambda path, value: f"if_not_exists({path}, {value})", paths, operands),
    st.builds(lambda one, operator, other: f"{one} {operator} {other}", operands, st.sampled_from("+-"), operands),
    st.builds(lambda one, other: f"list_append({one}, {other})", paths, st.sampled_from([":list", "c"])),
)
sections = {
    "SET": st.builds(lambda path, value: f"{path} = {value}", paths, set_values),
    "REMOVE": paths,
    "ADD": st.builds(lambda path, value: f"{path} {value}", paths, st.sampled_from([":one", ":set", ":text"])),
    "DELETE": st.builds(lambda path, value: f"{path} {value}", paths, st.sampled_from([":set", ":one"])),
}


@st.composite
def updates(draw: st.DrawFn) -> str:
    """Update expressions of one to three sections."""
    chosen = draw(st.lists(st.sampled_from(list(sections)), min_size=1, max_size=3))
    return " ".join(f"{name} {', '.join(draw(st.lists(sections[name], min_size=1, max_size=2)))}" for name in chosen)


@st.composite
def placeholders(draw: st.DrawFn, *expressions: str | None) -> dict[str, Any]:
    """Names and values for expressions; sometimes one is missing or not used."""
    text = " ".join(filter(None, expressions))
    given = {
        ":one": draw(st.one_of(numbers.map(lambda number: {"N": number}), scalars)),
        ":two": draw(st.one_of(st.integers(0, 5).map(lambda number: {"N": str(number)}), scalars)),
        ":text": {"S": draw(texts)},
        ":any": draw(values),
        ":kind": {"S": draw(st.sampled_from(["S", "N", "M", "L", "SS", "wrong"]))},
        ":list": {"L": [draw(scalars)]},
        ":set": draw(sets),
    }
    names = {"#n": "v", "#x": "x", "#e": "exp", "#pk": "pk"}
    spare = draw(st.sampled_from([0] * 12 + [1]))
    shown = {name: value for name, value in given.items() if name in text or (spare and name == ":two")}
    called = {name: value for name, value in names.items() if name in text}
    return {
        **({"ExpressionAttributeValues": shown} if shown else {}),
        **({"ExpressionAttributeNames": called} if called else {}),
    }


def _with(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


optional_conditions = st.one_of(st.none(), st.none(), st.none(), conditions, conditions, conditions, broken)


@st.composite
def puts(draw: st.DrawFn) -> dict[str, Any]:
    """PutItem without its return values."""
    condition = draw(optional_conditions)
    return _with(TableName=TABLE, Item=draw(items()), ConditionExpression=condition) | draw(placeholders(condition))


@st.composite
def changes(draw: st.DrawFn) -> dict[str, Any]:
    """UpdateItem without its return values."""
    condition, update = draw(optional_conditions), draw(st.one_of(*[updates()] * 8, broken))
    parts = _with(TableName=TABLE, Key=draw(keys), UpdateExpression=update, ConditionExpression=condition)
    return parts | draw(placeholders(condition, update))


@st.composite
def deletions(draw: st.DrawFn) -> dict[str, Any]:
    """DeleteItem without its return values."""
    condition = draw(optional_conditions)
    return _with(TableName=TABLE, Key=draw(keys), ConditionExpression=condition) | draw(placeholders(condition))


@st.composite
def checks(draw: st.DrawFn) -> dict[str, Any]:
    """ConditionCheck."""
    condition = draw(conditions)
    return _with(TableName=TABLE, Key=draw(keys), ConditionExpression=condition) | draw(placeholders(condition))


returned = st.sampled_from(["NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"])
on_failure = st.sampled_from(["NONE", "ALL_OLD"])


@st.composite
def single_writes(draw: st.DrawFn) -> Request:
    """One put, update or deletion."""
    name = draw(st.sampled_from(["put_item", "put_item", "update_item", "update_item", "delete_item"]))
    params = draw({"put_item": puts(), "update_item": changes(), "delete_item": deletions()}[name])
    values = returned if name == "update_item" else st.sampled_from(["NONE", "ALL_OLD"])
    return name, params | {"ReturnValues": draw(values), "ReturnValuesOnConditionCheckFailure": draw(on_failure)}


@st.composite
def transactions(draw: st.DrawFn) -> Request:
    """TransactWriteItems of one to four actions."""
    kinds = {"Put": puts(), "Update": changes(), "Delete": deletions(), "ConditionCheck": checks()}
    actions = []
    for name in draw(st.lists(st.sampled_from(list(kinds)), min_size=1, max_size=4)):
        actions.append({name: draw(kinds[name]) | {"ReturnValuesOnConditionCheckFailure": draw(on_failure)}})
    return "transact_write_items", {"TransactItems": actions}


projections = st.one_of(st.none(), st.lists(paths, min_size=1, max_size=3).map(", ".join))


@st.composite
def reads(draw: st.DrawFn) -> Request:
    """GetItem and BatchGetItem."""
    projection = draw(projections)
    parts = _with(ProjectionExpression=projection, ConsistentRead=True) | draw(placeholders(projection))
    if draw(st.booleans()):
        return "get_item", {"TableName": TABLE, "Key": draw(keys), **parts}
    wanted = draw(st.lists(keys, min_size=1, max_size=4))
    return "batch_get_item", {"RequestItems": {TABLE: {"Keys": wanted, **parts}}}


@st.composite
def batch_writes(draw: st.DrawFn) -> Request:
    """BatchWriteItem."""
    requests = st.one_of(
        items().map(lambda item: {"PutRequest": {"Item": item}}),
        keys.map(lambda key: {"DeleteRequest": {"Key": key}}),
    )
    return "batch_write_item", {"RequestItems": {TABLE: draw(st.lists(requests, min_size=1, max_size=4))}}


range_conditions = st.sampled_from(
    [
        "",
        " AND sk = :s",
        " AND sk < :s",
        " AND sk <= :s",
        " AND sk > :s",
        " AND sk >= :s",
        " AND begins_with(sk, :s)",
        " AND sk BETWEEN :s AND :e",
        " AND (sk BETWEEN :s AND :e)",
        " AND sk <> :s",
        " AND v = :s",
        " OR sk = :s",
    ]
)


@st.composite
def queries(draw: st.DrawFn) -> Request:
    """Query of the table, a page at a time."""
    text = draw(st.sampled_from(["pk", "#pk"])) + " = :p" + draw(range_conditions)
    filtered, projection = draw(st.one_of(st.none(), conditions)), draw(projections)
    values = {":p": {"S": draw(pks)}, ":s": {"S": draw(sks)}, ":e": {"S": draw(sks)}}
    given = draw(placeholders(text, filtered, projection))
    used = {name: value for name, value in values.items() if name in text}
    given["ExpressionAttributeValues"] = given.get("ExpressionAttributeValues", {}) | used
    page = _with(
        Limit=draw(st.sampled_from([None, None, 1, 2])),
        ScanIndexForward=draw(st.sampled_from([None, True, False])),
        ExclusiveStartKey=draw(st.one_of(st.none(), st.none(), keys)),
    )
    parts = _with(KeyConditionExpression=text, FilterExpression=filtered, ProjectionExpression=projection)
    return "query", {"TableName": TABLE, "ConsistentRead": True, **parts, **given, **page}


index_starts = st.builds(
    lambda key, group, number: {**key, "gpk": {"S": group}, "gsk": {"N": number}},
    keys,
    st.sampled_from(["g", "h"]),
    st.integers(-3, 12).map(lambda number: f"{number}.5"),  # between the items: equal ones have no order
)


@st.composite
def index_queries(draw: st.DrawFn) -> Request:
    """Query of the index, a page at a time."""
    tail = draw(st.sampled_from(["", " AND gsk = :s", " AND gsk < :s", " AND gsk BETWEEN :s AND :e", " AND gsk >= :s"]))
    filtered, projection = draw(st.one_of(st.none(), conditions)), draw(projections)
    values = {
        ":g": {"S": draw(st.sampled_from(["g", "h"]))},
        ":s": {"N": str(draw(st.integers(-3, 12)))},
        ":e": {"N": "7"},
    }
    text = "gpk = :g" + tail
    given = draw(placeholders(text, filtered, projection))
    used = {name: value for name, value in values.items() if name in text}
    given["ExpressionAttributeValues"] = given.get("ExpressionAttributeValues", {}) | used
    page = _with(
        Limit=draw(st.sampled_from([None, 1, 2])) if filtered is None else None,
        ScanIndexForward=draw(st.sampled_from([None, False])),
        ExclusiveStartKey=draw(st.one_of(st.none(), st.none(), index_starts)),
        Select=draw(st.sampled_from([None, None, "COUNT"])) if projection is None else None,
    )
    parts = _with(KeyConditionExpression=text, FilterExpression=filtered, ProjectionExpression=projection)
    return "query", {"TableName": TABLE, "IndexName": INDEX, **parts, **given, **page}


@st.composite
def scans(draw: st.DrawFn) -> Request:
    """Scan of the whole table; the order of a page is not defined, so there is one page only."""
    filtered, projection = draw(st.one_of(st.none(), conditions)), draw(projections)
    select = draw(st.sampled_from([None, "COUNT"])) if projection is None else None
    parts = _with(FilterExpression=filtered, ProjectionExpression=projection, Select=select)
    return "scan", {"TableName": TABLE, "ConsistentRead": True, **parts} | draw(placeholders(filtered, projection))


requests = st.one_of(
    single_writes(),
    single_writes(),
    transactions(),
    transactions(),
    batch_writes(),
    reads(),
    queries(),
    index_queries(),
    scans(),
)


@st.composite
def sequences(draw: st.DrawFn, requests: st.SearchStrategy[Request]) -> list[Request]:
    """Up to 40 requests; some transactions have a token, and are repeated with it, the same or changed."""
    made: list[Request] = []
    for request in draw(st.lists(requests, min_size=1, max_size=40)):
        made.append(_with_token(draw, request))
        tokens = [each for each in made if "ClientRequestToken" in each[1]]
        if draw(st.booleans()) and tokens:
            name, params = draw(st.sampled_from(tokens))
            made.append(
                (name, {**params, "TransactItems": params["TransactItems"][: draw(st.sampled_from([1, 4, 4]))]})
            )
    return made


def _with_token(draw: st.DrawFn, request: Request) -> Request:
    name, params = request
    if name != "transact_write_items" or not draw(st.booleans()):
        return request
    return name, {**params, "ClientRequestToken": str(draw(st.uuids()))}
