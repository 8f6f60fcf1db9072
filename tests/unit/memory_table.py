"""An in-memory table that supports the store's requests: conditions, ranges of sort keys, batches."""

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

Item = dict[str, Any]
Place = tuple[str, str]

_NOTHING: Callable[[], None] = lambda: None  # noqa: E731


class Table:
    """The DynamoDB client of one table; `between` is called before each request, so that others may interfere."""

    def __init__(self, between: Callable[[], None] = _NOTHING) -> None:
        self.held: dict[Place, Item] = {}
        self.between = between

    def get_item(self, Key: Item, **_: object) -> Item:
        self.between()
        found = self.held.get(_place(Key))
        return {"Item": deepcopy(found)} if found else {}

    def batch_get_item(self, RequestItems: Item) -> Item:
        self.between()
        ((table, asked),) = RequestItems.items()
        found = [deepcopy(self.held[_place(key)]) for key in asked["Keys"] if _place(key) in self.held]
        return {"Responses": {table: found}}

    def batch_write_item(self, RequestItems: Item) -> Item:
        self.between()
        ((_, writes),) = RequestItems.items()
        for write in writes:
            if put := write.get("PutRequest"):
                self._put(put["Item"])
            else:
                self.held.pop(_place(write["DeleteRequest"]["Key"]), None)
        return {}

    def query(self, ExpressionAttributeValues: Item, KeyConditionExpression: str, **_: object) -> Item:
        self.between()
        values = {name: value["S"] for name, value in ExpressionAttributeValues.items()}
        condition = KeyConditionExpression.removeprefix("pk = :pk").removeprefix(" AND ")
        wanted = [key for key in sorted(self.held) if key[0] == values[":pk"] and _within(condition, key[1], values)]
        return {"Items": [deepcopy(self.held[key]) for key in wanted]}

    def get_paginator(self, operation: str) -> SimpleNamespace:
        def paginate(PaginationConfig: Item, **asked: Any) -> Iterator[Item]:
            items = getattr(self, operation)(**asked)["Items"]
            size = PaginationConfig["PageSize"]
            for start in range(0, len(items) or 1, size):
                yield {"Items": items[start : start + size]}

        return SimpleNamespace(paginate=paginate)

    def put_item(self, **put: Any) -> None:
        self._write([{"Put": put}], "ConditionalCheckFailedException")

    def update_item(self, **update: Any) -> None:
        self._write([{"Update": update}], "ConditionalCheckFailedException")

    def transact_write_items(self, TransactItems: list[Item]) -> None:
        self._write(TransactItems, "TransactionCanceledException")

    def _write(self, actions: list[Item], refusal: str) -> None:
        """Write everything or nothing."""
        self.between()
        reasons = [self._reason(action) for action in actions]
        if any(reason["Code"] != "None" for reason in reasons):
            answer = {"Error": {"Code": refusal}, "CancellationReasons": reasons, "Item": reasons[0].get("Item")}
            raise ClientError(answer, "Write")  # type: ignore[arg-type]
        for action in actions:
            self._apply(action)

    def _reason(self, action: Item) -> Item:
        ((_, write),) = action.items()
        held = self.held.get(_place(write.get("Key") or write["Item"]))
        condition = write.get("ConditionExpression")
        if condition is None or _holds(condition, held, write.get("ExpressionAttributeValues", {})):
            return {"Code": "None"}
        return {"Code": "ConditionalCheckFailed", "Item": deepcopy(held)}

    def _apply(self, action: Item) -> None:
        if put := action.get("Put"):
            self._put(put["Item"])
        elif delete := action.get("Delete"):
            self.held.pop(_place(delete["Key"]), None)
        else:
            self._update(action["Update"])

    def _put(self, item: Item) -> None:
        self.held[_place(item)] = deepcopy(item)

    def _update(self, update: Item) -> None:
        """Apply SET and ADD of whole attributes, with names `#n` and values `:n`."""
        item = self.held.setdefault(_place(update["Key"]), dict(update["Key"]))
        clauses = re.findall(r"(SET|ADD) (.*?)(?= SET | ADD |$)", update["UpdateExpression"])
        for verb, assignment in ((verb, each) for verb, assignments in clauses for each in assignments.split(", ")):
            name, value = assignment.replace(" = ", " ").split(" ")
            attribute, given = update["ExpressionAttributeNames"][name], update["ExpressionAttributeValues"][value]
            if verb == "ADD":
                given = {"N": str(Decimal(given["N"]) + Decimal(item.get(attribute, {"N": "0"})["N"]))}
            item[attribute] = deepcopy(given)


def _place(key: Item) -> Place:
    return key["pk"]["S"], key["sk"]["S"]


def _within(condition: str, sk: str, values: dict[str, str]) -> bool:
    if condition == "sk < :end":
        return sk < values[":end"]
    if condition == "sk BETWEEN :first AND :last":
        return values[":first"] <= sk <= values[":last"]
    if condition == "begins_with(sk, :prefix)":
        return sk.startswith(values[":prefix"])
    assert condition == "", f"a condition of which this table knows nothing: {condition}"
    return True


def _holds(condition: str, held: Item | None, values: Item) -> bool:
    if condition == "#v = :stored":
        return held is not None and bool(held["v"] == values[":stored"])
    if condition == "#exp < :due":
        return held is not None and int(held["exp"]["N"]) < int(values[":due"]["N"])
    if condition == "attribute_not_exists(pk)":
        return held is None
    if condition == "attribute_not_exists(pk) OR #e <= :now":
        return held is None or int(held["exp"]["N"]) <= int(values[":now"]["N"])
    raise AssertionError(f"a condition of which this table knows nothing: {condition}")
