"""What a job waits for and who waits for it: kept apart from the snapshot, an item for each kind and each edge."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jobtrack.job import Json
from jobtrack.keys import JobKey
from jobtrack.packing import pack
from jobtrack.store.batches import put_all
from jobtrack.store.snapshots import key_of

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef


@dataclass(slots=True)
class RelationStore:
    """The jobs table's edges and resources."""

    dynamodb: "DynamoDBClient"
    table: str

    def missing(self, key: JobKey, prerequisites: Sequence[str]) -> list[str]:
        """Those of the prerequisites that are no jobs of the project."""
        wanted = {each: key_of(JobKey(key.tenant, key.project, each)) for each in prerequisites}
        found: set[str] = set()
        request: Any = {
            self.table: {"Keys": list(wanted.values()), "ProjectionExpression": "pk", "ConsistentRead": True}
        }
        while wanted and request:
            answer = self.dynamodb.batch_get_item(RequestItems=request)
            found |= {item["pk"]["S"].rpartition("#")[2] for item in answer["Responses"].get(self.table, [])}
            request = answer.get("UnprocessedKeys")
        return [each for each in prerequisites if each not in found]

    def put_edges(self, key: JobKey, prerequisites: Sequence[str], expires: int) -> None:
        """Tell each prerequisite who waits for it, before the job is made: an edge from no job is never shown."""
        put_all(self.dynamodb, self.table, [_edge(key, each, expires) for each in prerequisites])

    def creation(self, key: JobKey, relations: Json, expires: int) -> "Iterator[TransactWriteItemTypeDef]":
        """The parts of the job's transaction that keep what it waits for."""
        for kind, value in relations.items():
            item: dict[str, AttributeValueTypeDef] = {
                "pk": {"S": key.partition},
                "sk": {"S": f"R#{kind}"},
                "d": {"B": pack(value)},
                "exp": {"N": str(expires)},
            }
            yield {"Put": {"TableName": self.table, "Item": item}}


def _edge(key: JobKey, prerequisite: str, expires: int) -> dict[str, Any]:
    return {
        "pk": {"S": JobKey(key.tenant, key.project, prerequisite).partition},
        "sk": {"S": f"D#{key.job}"},
        "exp": {"N": str(expires)},
    }
