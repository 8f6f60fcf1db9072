"""Key conditions of queries: which sort keys of a partition are read."""

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef


class KeyCondition(TypedDict):
    """The members of a query that say which items it reads."""

    KeyConditionExpression: str
    ExpressionAttributeValues: "dict[str, AttributeValueTypeDef]"


def between(partition: str, first: str, last: str) -> KeyCondition:
    """The condition for the sort keys from `first` to `last`, both included."""
    return {
        "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
        "ExpressionAttributeValues": {":pk": {"S": partition}, ":first": {"S": first}, ":last": {"S": last}},
    }


def with_prefix(partition: str, prefix: str) -> KeyCondition:
    """The condition for the sort keys that begin with a prefix."""
    return {
        "KeyConditionExpression": "pk = :pk AND begins_with(sk, :prefix)",
        "ExpressionAttributeValues": {":pk": {"S": partition}, ":prefix": {"S": prefix}},
    }
