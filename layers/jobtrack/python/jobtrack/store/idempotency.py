"""The first answer to a request with an Idempotency-Key, kept with what the request wrote."""

import hashlib
from typing import TYPE_CHECKING, Any

import orjson
from msgspec import Struct

from jobtrack import limits
from jobtrack.domain.job import Json
from jobtrack.domain.journal.packing import pack, unpack
from jobtrack.errors import IdempotencyMismatch
from jobtrack.keys import JobKey, ProjectKey
from jobtrack.store.transactions import Item

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef


def fingerprint(body: object) -> str:
    """What makes two bodies the same: their JSON, whatever the order of its members."""
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


class Idempotency(Struct, frozen=True):
    """A client's key for one request: kept in `owner`'s partition, for the route, for so many seconds."""

    owner: ProjectKey
    route: str
    key: str
    body: str
    seconds: int = limits.IDEMPOTENCY_SECONDS

    @property
    def item_key(self) -> dict[str, Any]:
        """Where the record lies; hashed, so that a client's text never makes a key."""
        place = hashlib.sha256(f"{self.route}\n{self.key}".encode()).hexdigest()[:32]
        return {"pk": {"S": self.owner.partition}, "sk": {"S": f"I#{place}"}}

    def record(self, table: str, answer: Json, now: int) -> "TransactWriteItemTypeDef":
        """The action that keeps the answer, unless the key is in use; `now` in epoch seconds."""
        return {
            "Put": {
                "TableName": table,
                "Item": {
                    **self.item_key,
                    "h": {"S": self.body},
                    "a": {"B": pack(answer)},
                    "exp": {"N": str(now + self.seconds)},
                },
                "ConditionExpression": "attribute_not_exists(pk) OR #e <= :now",
                "ExpressionAttributeNames": {"#e": "exp"},
                "ExpressionAttributeValues": {":now": {"N": str(now)}},
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }

    def find(self, dynamodb: "DynamoDBClient", table: str, now: int) -> Json | None:
        """The answer kept under the key, if the request was answered within 24 hours.

        Raises:
            IdempotencyMismatch: it was another request's.
        """
        item = dynamodb.get_item(TableName=table, Key=self.item_key, ConsistentRead=True).get("Item")
        return None if item is None or int(item["exp"]["N"]) <= now else self.replay(item)

    def replay(self, item: Item) -> Json:
        """The answer in a stored record.

        Raises:
            IdempotencyMismatch: the record is of another body.
        """
        if item["h"]["S"] != self.body:
            raise IdempotencyMismatch("This Idempotency-Key was sent before with another body; use a new one.")
        answer: Json = unpack(item["a"]["B"])
        return answer


def creation(key: JobKey, body: str, seconds: int) -> Idempotency:
    """The record of a job's creation, by which the same request is known again; kept for so many seconds."""
    return Idempotency(key, "create", key.job, body, seconds)


def creation_key(key: JobKey) -> dict[str, Any]:
    """Where that record lies."""
    return creation(key, "", 0).item_key
