"""Idempotent writes: a repeated request gets the first response, and changes nothing.

The first response is stored under the client's Idempotency-Key, in the same transaction as the request's writes.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from msgspec import Struct

from jobtrack import limits, times
from jobtrack.domain.journal.packing import pack, unpack
from jobtrack.errors import IdempotencyMismatch
from jobtrack.keys import JobKey, ProjectKey
from jobtrack.store.item_kinds import FIRST_RESPONSE
from jobtrack.store.transactions import Cancelled, Item
from jobtrack.store.ttl import decode_expiry, encode_expiry
from jobtrack.times import Micros

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

Response = TypeVar("Response", bound=Mapping[str, Any])
"""A response is stored as JSON and read back unchanged, so its type is not checked again."""


def fingerprint(body: object) -> str:
    """Return a hash of a JSON value that does not depend on the order of its members."""
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


class Idempotency(Struct, frozen=True):
    """The Idempotency-Key of a request.

    Args:
        owner: the project or job in whose partition the first response is stored.
        route: what is requested; the same key on another route is another request.
        key: the client's key.
        fingerprint: the hash of the request body.
        seconds: how long the first response is kept.
    """

    owner: ProjectKey
    route: str
    key: str
    fingerprint: str
    seconds: int = limits.IDEMPOTENCY_SECONDS

    @property
    def item_key(self) -> dict[str, Any]:
        """The primary key of the first response; hashed, so that a client cannot choose a sort key."""
        digest = hashlib.sha256(f"{self.route}\n{self.key}".encode()).hexdigest()[:32]
        return {"pk": {"S": self.owner.partition}, "sk": {"S": f"I#{digest}"}}

    def put_action(self, table: str, response: Mapping[str, Any], now: Micros) -> "TransactWriteItemTypeDef":
        """The action that stores the response, unless the key is in use."""
        return {
            "Put": {
                "TableName": table,
                "Item": {
                    **self.item_key,
                    **FIRST_RESPONSE.stamp,
                    "h": {"S": self.fingerprint},
                    "a": {"B": pack(response)},
                    "exp": encode_expiry(times.add_seconds(now, self.seconds)),
                },
                "ConditionExpression": "attribute_not_exists(pk) OR #e <= :now",
                "ExpressionAttributeNames": {"#e": "exp"},
                "ExpressionAttributeValues": {":now": encode_expiry(now)},
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }

    def read_response(self, dynamodb: "DynamoDBClient", table: str, now: Micros) -> Any:
        """Return the first response, or None if there was none.

        Raises:
            IdempotencyMismatch: the key was used with another body.
        """
        item = dynamodb.get_item(TableName=table, Key=self.item_key, ConsistentRead=True).get("Item")
        return None if item is None or decode_expiry(item) <= now else self.decode_response(item)

    def response_in(self, cancelled: Cancelled) -> Any:
        """Return the first response if it is the reason why a transaction was cancelled.

        Raises:
            IdempotencyMismatch: the key was used with another body.
        """
        item = cancelled.current_item(self.item_key)
        return None if item is None else self.decode_response(item)

    def decode_response(self, item: Item) -> Any:
        """Return the response in an item.

        Raises:
            IdempotencyMismatch: it is the response to another body.
            UnreadableFormat: another release stored it.
        """
        if FIRST_RESPONSE.check(item)["h"]["S"] != self.fingerprint:
            raise IdempotencyMismatch("This Idempotency-Key was sent before with another body; use a new one.")
        return unpack(item["a"]["B"])


def write_once(
    table: str,
    idempotency: Idempotency | None,
    response: Response,
    now: Micros,
    write: "Callable[[Sequence[TransactWriteItemTypeDef]], None]",
) -> tuple[Response, bool]:
    """Write, and store the response too. Return the response, and whether it is that of an earlier request.

    Args:
        table: the jobs table.
        idempotency: the key of the request, if it has one.
        response: the response if this is the first request with the key.
        now: the time of the request.
        write: commits a transaction that includes the actions it is given.

    Raises:
        IdempotencyMismatch: the key was used with another body.
        Cancelled: the transaction was cancelled for another reason.
    """
    if idempotency is None:
        write(())
        return response, False
    try:
        write([idempotency.put_action(table, response, now)])
    except Cancelled as cancelled:
        if (first := idempotency.response_in(cancelled)) is not None:
            return first, True
        raise
    return response, False


def creation_key(key: JobKey) -> dict[str, Any]:
    """The primary key of the response to a job's creation."""
    return creation(key, "", 0).item_key


def creation(key: JobKey, fingerprint: str, seconds: int) -> Idempotency:
    """The job's id as an Idempotency-Key: the same job id with the same body is the same request."""
    return Idempotency(key, "create", key.job, fingerprint, seconds)
