"""Limits in bytes: both engines take what fits exactly, and refuse a byte more."""

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from jobtrack.store.item_sizes import item_size
from jobtrack_local.engine.sqlite.items import LARGEST_ITEM
from tests.engine import operations
from tests.engine.comparing import RANDOM, Pair
from tests.engine.operations import TABLE
from tests.prove.scale import repeats

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

NAMES = "ExpressionAttributeNames"
LARGEST_TRANSACTION = 4 * 1024 * 1024


@pytest.fixture(scope="module")
def pair(candidate: "DynamoDBClient", reference: "DynamoDBClient") -> Pair:
    for client in (candidate, reference):
        client.create_table(**operations.DEFINITION)
    return Pair(candidate, reference)


def filled(item: dict[str, Any], size: int) -> dict[str, Any]:
    """Return the item with an attribute that makes it as large as that."""
    empty = {**item, "pad": {"S": ""}}
    return {**item, "pad": {"S": "x" * (size - item_size(empty))}}


def key(name: str) -> dict[str, Any]:
    return {"pk": {"S": "p"}, "sk": {"S": name}}


@pytest.mark.parametrize(
    "value",
    [
        *({"N": text} for text in ("0", "1", "12", "100", "101", "12345", "-1", "-12", "-123", "1.5", "0.15", "0.015")),
        *({"N": text} for text in ("12.345", "-0.5", "1" + 20 * "0", "1" * 38, "-" + "1" * 37, "0." + "1" * 37)),
        {"SS": ["aaaa", "é"]},
        {"NS": ["12345", "1", "-0.5"]},
        {"BS": [b"aa", b"b"]},
        {"M": {}},
        {"M": {"a": {"M": {"é": {"SS": ["q"]}}}}},
        {"L": []},
        {"L": [{"NULL": True}, {"BOOL": True}, {"L": [{"N": "7"}]}]},
        {"B": b"abc"},
        {"S": "é\U0001f600"},
    ],
    ids=str,
)
def test_an_item_of_400_kilobytes_fits_and_a_byte_more_does_not(pair: Pair, value: dict[str, Any]) -> None:
    largest = filled({**key("a"), "v": value}, LARGEST_ITEM)
    assert pair.compare(("put_item", {"TableName": TABLE, "Item": largest})) == {}
    larger = filled({**key("a"), "v": value}, LARGEST_ITEM + 1)
    assert pair.compare(("put_item", {"TableName": TABLE, "Item": larger}))["error"] == "ValidationException"


def test_an_update_to_more_than_400_kilobytes_is_refused(pair: Pair) -> None:
    pair.compare(("put_item", {"TableName": TABLE, "Item": filled({**key("a"), "n": {"N": "10"}}, LARGEST_ITEM)}))
    for added in ("1", "-1", "90"):
        values = {":n": {"N": added}}
        change = {"Key": key("a"), "UpdateExpression": "ADD n :n", "ExpressionAttributeValues": values}
        pair.compare(("update_item", {"TableName": TABLE, **change}))


@pytest.mark.parametrize("over", [0, 1])
@pytest.mark.parametrize(
    "last",
    [
        {"Put": {"Item": key("last"), "ConditionExpression": "attribute_not_exists(pk)"}},
        {
            "Update": {
                "Key": key("last"),
                "UpdateExpression": "SET #name = :v",
                "ConditionExpression": "attribute_not_exists(#name)",
                "ExpressionAttributeNames": {"#name": "an attribute"},
                "ExpressionAttributeValues": {":v": {"N": "12345"}},
            }
        },
        {"Delete": {"Key": key("last")}},
    ],
    ids=["Put", "Update", "Delete"],
)
def test_a_transaction_of_4_megabytes_fits_and_a_byte_more_does_not(pair: Pair, last: Any, over: int) -> None:
    (action,) = last.values()
    texts = [action.get("ConditionExpression", ""), action.get("UpdateExpression", "")]
    named = sum(text.count(name) * len(own) for text in texts for name, own in action.get(NAMES, {}).items())
    values = sum(item_size({"": value}) for value in action.get("ExpressionAttributeValues", {}).values())
    size = item_size(key("last")) + sum(map(len, texts)) + named + values
    items = [filled(key(f"{number:02}"), (LARGEST_TRANSACTION - size) // 11) for number in range(10)]
    rest = LARGEST_TRANSACTION - size - sum(map(item_size, items)) + over
    puts = [{"Put": {"TableName": TABLE, "Item": item}} for item in [*items, filled(key("rest"), rest)]]
    (kind,) = last
    response = pair.compare(
        ("transact_write_items", {"TransactItems": [*puts, {kind: {"TableName": TABLE, **action}}]})
    )
    assert ("error" in response) == bool(over)
    pair.compare(("delete_item", {"TableName": TABLE, "Key": key("last")}))


sizes = st.lists(st.sampled_from([1_000, 90_000, 262_144, 349_525, 349_526, 409_600]), min_size=3, max_size=8)


def all_pages(pair: Pair, params: dict[str, Any]) -> int:
    """Compare every page of a query; returns how many there were."""
    pages, start = 0, None
    while start is not None or not pages:
        pages += 1
        page = {**params, "ExclusiveStartKey": start} if start else params
        pair.compare(("query", {"TableName": TABLE, **page}))
        start = pair.candidate.query(TableName=TABLE, **page).get("LastEvaluatedKey")
    return pages


@settings(RANDOM, max_examples=repeats(100))
@given(sizes=sizes, forward=st.booleans(), limit=st.sampled_from([None, None, 2]), count=st.booleans())
def test_pages_of_a_megabyte_end_at_the_same_item(
    pair: Pair, sizes: list[int], forward: bool, limit: int | None, count: bool
) -> None:
    pair.compare_all(
        [
            (
                "put_item",
                {"TableName": TABLE, "Item": filled({**key(f"{n:02}"), "gpk": {"S": "g"}, "gsk": {"N": str(n)}}, size)},
            )
            for n, size in enumerate(sizes)
        ]
    )
    table = {"KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": {":p": {"S": "p"}}}
    page: dict[str, Any] = {"ScanIndexForward": forward, **({"Limit": limit} if limit else {})}
    page |= {"Select": "COUNT"} if count else {}
    assert all_pages(pair, {**table, **page, "ConsistentRead": True}) >= sum(sizes) // 1_500_000


def test_reads_of_more_than_100_keys_are_refused(pair: Pair) -> None:
    keys = [key(f"{number:03}") for number in range(101)]
    response = pair.compare(("batch_get_item", {"RequestItems": {TABLE: {"Keys": keys}}}))
    assert response["error"] == "ValidationException"


def test_an_item_beyond_the_limit_is_no_success(candidate: "DynamoDBClient") -> None:
    with pytest.raises(ClientError, match="Item size has exceeded"):
        candidate.put_item(TableName=TABLE, Item=filled(key("large"), LARGEST_ITEM + 1))
