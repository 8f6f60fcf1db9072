"""TransactWriteItems: makes all changes or none; if it makes none, each change has a reason."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from jobtrack_local.engine.sqlite import items
from jobtrack_local.engine.sqlite.refusals import Refused, UnfitItem, invalid
from jobtrack_local.engine.sqlite.schema import Table
from jobtrack_local.engine.sqlite.writes import CHANGES, Change, Outcome

MOST_ACTIONS = 100
LARGEST = 4 * 1024 * 1024
"""Bytes of items, keys, expressions, and their names and values."""

Action = tuple[Table, str, Mapping[str, Any]]
Prepared = tuple[Table, Change | UnfitItem]


def prepare(actions: Sequence[Action]) -> list[Prepared]:
    """Return the changes that a transaction asks for; raises Refused for a request that is invalid for every item."""
    if len(actions) > MOST_ACTIONS:
        raise invalid(f"Member must have length less than or equal to {MOST_ACTIONS}")
    changes = [(table, _change(*action)) for action in actions for table in action[:1]]
    _check_size(changes)
    return changes


def _change(table: Table, kind: str, params: Mapping[str, Any]) -> Change | UnfitItem:
    try:
        return CHANGES[kind](table, params)
    except UnfitItem as refused:
        return refused


def transact(connection: sqlite3.Connection, changes: Sequence[Prepared]) -> list[tuple[Table, Outcome]]:
    """Return the outcome of each change, without storing it.

    Raises:
        Refused: a change cannot be made; nothing may be stored.
    """
    _refuse_same_item(changes)
    outcomes: list[tuple[Table, Outcome]] = []
    reasons: list[dict[str, Any]] = []
    for table, change in changes:
        try:
            if isinstance(change, UnfitItem):
                raise change
            outcome = change.apply(items.read_item(connection, table, change.key))
            if outcome.new is not None:
                items.check_size(outcome.new)
            outcomes.append((table, outcome))
            reasons.append({"Code": "None"})
        except Refused as refused:
            reasons.append(_reason(refused))
    _refuse(reasons)
    return outcomes


def _reason(refused: Refused) -> dict[str, Any]:
    codes = {"ConditionalCheckFailedException": "ConditionalCheckFailed", "ValidationException": "ValidationError"}
    return {"Code": codes[refused.code], "Message": refused.message, **refused.members}


def _refuse(reasons: Sequence[Mapping[str, Any]]) -> None:
    codes = [reason["Code"] for reason in reasons]
    if any(code != "None" for code in codes):
        raise Refused(
            "TransactionCanceledException",
            f"Transaction cancelled, please refer cancellation reasons for specific reasons [{', '.join(codes)}]",
            CancellationReasons=list(reasons),
        )


def _refuse_same_item(changes: Sequence[Prepared]) -> None:
    keys = [
        (table.name, table.key.columns(change.key)) for table, change in changes if not isinstance(change, UnfitItem)
    ]
    if len(set(keys)) != len(keys):
        raise invalid("Transaction request cannot include multiple operations on one item")


def _check_size(changes: Sequence[Prepared]) -> None:
    if sum(change.size for _, change in changes if not isinstance(change, UnfitItem)) > LARGEST:
        raise invalid("Transaction payload size cannot exceed 4MB")
