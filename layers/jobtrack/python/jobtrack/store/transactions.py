"""Conditional writes: transactions, why one was cancelled, and single items."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from jobtrack.classes import frozen

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

Item = Mapping[str, Any]

_CONTENTION = frozenset(
    {
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
        "ThrottlingError",
        "ThrottlingException",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
    }
)


def held(write: Callable[[], object]) -> bool:
    """Make a conditional write of one item, and say whether its condition held."""
    try:
        write()
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return False
    return True


@frozen
class Refusal:
    """An action whose condition did not hold: its place in the transaction, and the item as it stands."""

    index: int
    item: Item | None


class Cancelled(Exception):
    """The transaction was not written; `refusals` is empty where only contention was in the way."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__(f"{len(refusals)} conditions did not hold")
        self.refusals = refusals

    def at(self, index: int) -> Refusal | None:
        """The refusal of the action at that place."""
        return next((refusal for refusal in self.refusals if refusal.index == index), None)

    def held(self, key: Item) -> Item | None:
        """The item of that key as it stands, if it is the reason."""
        items = (refusal.item for refusal in self.refusals if refusal.item)
        return next((item for item in items if all(item[name] == value for name, value in key.items())), None)


def commit(dynamodb: "DynamoDBClient", actions: "Sequence[TransactWriteItemTypeDef]") -> None:
    """Write all actions or none; a single update or put goes alone, at half a transaction's price.

    Raises:
        Cancelled: a condition did not hold, or another writer or a limit was in the way.
    """
    try:
        if len(actions) == 1:
            _commit_one(dynamodb, actions[0])
        else:
            dynamodb.transact_write_items(TransactItems=actions)
    except ClientError as error:
        raise _cancelled(error) from error


def _commit_one(dynamodb: "DynamoDBClient", action: "TransactWriteItemTypeDef") -> None:
    if "Update" in action:
        dynamodb.update_item(**action["Update"])
    elif "Put" in action:
        dynamodb.put_item(**action["Put"])


def _cancelled(error: ClientError) -> Exception:
    """The error as what it means to a writer; what is neither contention nor a condition stays as it is."""
    response: Mapping[str, Any] = error.response
    code = response["Error"]["Code"]
    if code == "ConditionalCheckFailedException":
        return Cancelled([Refusal(0, response.get("Item"))])
    if code in _CONTENTION:
        return Cancelled([])
    if code != "TransactionCanceledException":
        return error
    reasons = response.get("CancellationReasons", [])
    if any(reason.get("Code", "None") not in _CONTENTION | {"None", "ConditionalCheckFailed"} for reason in reasons):
        return error
    return Cancelled(
        [
            Refusal(index, reason.get("Item"))
            for index, reason in enumerate(reasons)
            if reason.get("Code") == "ConditionalCheckFailed"
        ]
    )
