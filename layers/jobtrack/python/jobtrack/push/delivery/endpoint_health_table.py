"""The health of endpoints in DynamoDB: an item for each, in the deliveries table."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct, field

from jobtrack import times
from jobtrack.push.delivery.endpoint_health import EndpointHealth, HealthUpdate, Lease
from jobtrack.store.item_kinds import ENDPOINT_HEALTH
from jobtrack.store.transactions import write_conditionally
from jobtrack.store.ttl import encode_expiry
from jobtrack.times import Micros

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

KEPT_SECONDS = 24 * 3600
"""How long the health of an endpoint is kept after the last write."""
_LEASE = "lease"
"""A lease's attribute is named after its slot: `lease0`."""


def endpoint_key(endpoint: str) -> "dict[str, AttributeValueTypeDef]":
    """Return the primary key of an endpoint's health."""
    return {"pk": {"S": f"endpoint#{endpoint}"}, "sk": {"S": "health"}}


def health_from_item(item: "Mapping[str, AttributeValueTypeDef] | None") -> EndpointHealth:
    """Return the health in a stored item, or new health if there is no item."""
    if item is None:
        return EndpointHealth()
    ENDPOINT_HEALTH.check(item)

    def number(name: str) -> str:
        return item[name]["N"] if name in item else "0"

    slots = {int(name.removeprefix(_LEASE)): value["S"] for name, value in item.items() if name.startswith(_LEASE)}
    return EndpointHealth(
        failures=int(number("failures")),
        open_seconds=float(number("openSeconds")),
        open_until=Micros(int(number("openUntil"))),
        probe_until=Micros(int(number("probeUntil"))),
        slow_until=Micros(int(number("slowUntil"))),
        fast_at=Micros(int(number("fastAt"))),
        version=int(number("version")),
        leases={slot: Lease.parse(slot, text) for slot, text in slots.items()},
    )


def _attributes(health: EndpointHealth, version: int) -> "dict[str, AttributeValueTypeDef]":
    numbers = {
        "failures": health.failures,
        "openSeconds": health.open_seconds,
        "openUntil": health.open_until,
        "probeUntil": health.probe_until,
        "slowUntil": health.slow_until,
        "fastAt": health.fast_at,
        "version": version,
    }
    return {name: {"N": str(number)} for name, number in numbers.items()}


class _Update(Struct):
    """The parts of an UpdateItem request."""

    set: dict[str, "AttributeValueTypeDef"] = field(default_factory=dict)
    remove: list[str] = field(default_factory=list)
    conditions: list[str] = field(default_factory=list)
    condition_values: dict[str, "AttributeValueTypeDef"] = field(default_factory=dict)

    def expression(self) -> str:
        removed = f" REMOVE {', '.join(self.remove)}" if self.remove else ""
        return "SET " + ", ".join(f"{name} = :{name}" for name in self.set) + removed

    def values(self) -> "dict[str, AttributeValueTypeDef]":
        return {**{f":{name}": value for name, value in self.set.items()}, **self.condition_values}


class EndpointHealthTable(Struct, eq=False):
    """Reads and writes the health of endpoints."""

    dynamodb: "DynamoDBClient"
    name: str
    clock: Callable[[], Micros] = times.now

    def read_health(self, endpoint: str) -> EndpointHealth:
        """Return the health of an endpoint, strongly consistent."""
        return health_from_item(
            self.dynamodb.get_item(TableName=self.name, Key=endpoint_key(endpoint), ConsistentRead=True).get("Item")
        )

    def write_health(self, endpoint: str, change: HealthUpdate) -> bool:
        """Write the update; return whether its conditions were met."""
        update = _update(change, self.clock())
        return write_conditionally(
            self.dynamodb,
            {
                "Update": {
                    "TableName": self.name,
                    "Key": endpoint_key(endpoint),
                    "UpdateExpression": update.expression(),
                    "ConditionExpression": " AND ".join(update.conditions),
                    "ExpressionAttributeValues": update.values(),
                }
            },
        )


def _update(change: HealthUpdate, now: Micros) -> _Update:
    """Return the update for DynamoDB. It has the same effect as `HealthUpdate.is_allowed` and `HealthUpdate.apply`."""
    update = _Update(set={**ENDPOINT_HEALTH.stamp, "exp": encode_expiry(times.add_seconds(now, KEPT_SECONDS))})
    if change.health:
        update.set |= _attributes(change.health, change.seen + 1)
        update.conditions.append("version = :seen" if change.seen else "attribute_not_exists(version)")
        update.condition_values |= {":seen": {"N": str(change.seen)}} if change.seen else {}
    if change.take:
        slot = f"{_LEASE}{change.take.slot}"
        update.set[slot] = {"S": change.take.text}
        update.conditions.append(f"(attribute_not_exists({slot}) OR {slot} < :now)")
        update.condition_values[":now"] = {"S": f"{now:018d}"}
    if change.release:
        slot = f"{_LEASE}{change.release.slot}"
        update.remove.append(slot)
        update.conditions.append(f"{slot} = :lease")
        update.condition_values[":lease"] = {"S": change.release.text}
    return update
