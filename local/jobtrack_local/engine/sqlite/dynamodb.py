"""DynamoDB's operations that this project uses, by DynamoDB's rules and with its errors.

Limits: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
"""

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from jobtrack.store import item_sizes
from jobtrack_local.engine.sqlite import items, request_tokens, schema
from jobtrack_local.engine.sqlite.attribute_values import Item
from jobtrack_local.engine.sqlite.database import Database
from jobtrack_local.engine.sqlite.queries import Page, query_page, scan_page
from jobtrack_local.engine.sqlite.refusals import Refused, invalid
from jobtrack_local.engine.sqlite.requests import Request, key_of_request, projected
from jobtrack_local.engine.sqlite.schema import Table
from jobtrack_local.engine.sqlite.transactions import prepare, transact
from jobtrack_local.engine.sqlite.writes import CHANGES, Outcome

ACCOUNT, REGION = "000000000000", "us-east-1"
MOST_KEYS, MOST_WRITES = 100, 25
LARGEST_BATCH = 16 * 1024 * 1024
"""Bytes that BatchGetItem returns at most."""

Params = Mapping[str, Any]
Response = dict[str, Any]


class DynamoDb:
    """The tables of a database file; `record_expiry` writes the stream records of items that expire."""

    def __init__(
        self,
        database: Database,
        record_change: items.RecordChange,
        record_expiry: items.RecordChange,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._record_change = record_change
        self._record_expiry = record_expiry
        self._clock = clock
        database.write(_prepare)
        self._tables = schema.tables(database.reader)

    def table(self, name: str) -> Table:
        """Return the table of that name (or ARN)."""
        table = self._tables.get(name.rpartition("/")[2])
        if table is None:
            raise Refused("ResourceNotFoundException", "Requested resource not found")
        return table

    def create_table(self, params: Params) -> Response:
        """Create a table, which is active at once."""
        table = self._database.write(lambda connection: schema.create(connection, params))
        self._tables = {**self._tables, table.name: table}
        return {"TableDescription": describe(table)}

    def describe_table(self, params: Params) -> Response:
        """Describe a table."""
        return {"Table": describe(self.table(params["TableName"]))}

    def update_time_to_live(self, params: Params) -> Response:
        """Enable or disable the expiry of a table's items."""
        table, specification = self.table(params["TableName"]), params["TimeToLiveSpecification"]
        attribute = specification["AttributeName"] if specification["Enabled"] else None
        if attribute == table.ttl:
            raise invalid(f"TimeToLive is already {'enabled' if attribute else 'disabled'}")

        def write(connection: sqlite3.Connection) -> Table:
            changed = schema.set_ttl(connection, table, attribute)
            items.note_expiries(connection, changed)
            return changed

        self._tables = {**self._tables, table.name: self._database.write(write)}
        return {"TimeToLiveSpecification": specification}

    def describe_time_to_live(self, params: Params) -> Response:
        """Return the attribute by which the items of a table expire."""
        ttl = self.table(params["TableName"]).ttl
        enabled = {"TimeToLiveStatus": "ENABLED", "AttributeName": ttl}
        return {"TimeToLiveDescription": enabled if ttl else {"TimeToLiveStatus": "DISABLED"}}

    def get_item(self, params: Params) -> Response:
        """Read an item."""
        table, request = self.table(params["TableName"]), Request(params)
        paths = request.projection()
        request.check_unused()
        item = items.read_item(self._database.reader, table, key_of_request(table, params["Key"]))
        return {} if item is None else {"Item": projected(item, paths)}

    def batch_get_item(self, params: Params) -> Response:
        """Read up to 100 items; keys of items beyond 16 MB are returned as unprocessed."""
        _check_batch(sum(len(each["Keys"]) for each in params["RequestItems"].values()), MOST_KEYS, "too many items")
        room = LARGEST_BATCH
        responses: dict[str, list[Item]] = {}
        unprocessed: dict[str, Any] = {}
        for name, wanted in params["RequestItems"].items():
            table, request = self.table(name), Request(wanted)
            paths, keys = request.projection(), _distinct_keys(table, wanted["Keys"])
            found = responses[name] = []
            for index, key in enumerate(keys):
                item = items.read_item(self._database.reader, table, key)
                if item is None:
                    continue
                room -= item_sizes.item_size(item)
                if room < 0:
                    unprocessed[name] = {**wanted, "Keys": wanted["Keys"][index:]}
                    break
                found.append(projected(item, paths))
        return {"Responses": responses, "UnprocessedKeys": unprocessed}

    def put_item(self, params: Params) -> Response:
        """Store an item."""
        return self._change("Put", params)

    def update_item(self, params: Params) -> Response:
        """Change an item, or create it."""
        return self._change("Update", params)

    def delete_item(self, params: Params) -> Response:
        """Delete an item."""
        return self._change("Delete", params)

    def _change(self, action: str, params: Params) -> Response:
        table = self.table(params["TableName"])
        change = CHANGES[action](table, params)

        def write(connection: sqlite3.Connection) -> Outcome:
            outcome = change.apply(items.read_item(connection, table, change.key))
            self._store(connection, table, outcome)
            return outcome

        return change.response(self._database.write(write))

    def _store(self, connection: sqlite3.Connection, table: Table, outcome: Outcome) -> None:
        if outcome.old is not None or outcome.new is not None:
            items.write_item(connection, table, outcome.old, outcome.new, self._record_change)

    def batch_write_item(self, params: Params) -> Response:
        """Put or delete up to 25 items, without conditions. Unlike DynamoDB, this writes all of them or none."""
        count = sum(len(requests) for requests in params["RequestItems"].values())
        _check_batch(count, MOST_WRITES, "Too many items")
        changes = [
            (table, CHANGES[kind.removesuffix("Request")](table, {"TableName": name, **arguments}))
            for name, requests in params["RequestItems"].items()
            for table in [self.table(name)]
            for request in requests
            for kind, arguments in request.items()
        ]
        _refuse_repeated((table.name, table.key.columns(change.key)) for table, change in changes)

        def write(connection: sqlite3.Connection) -> None:
            for table, change in changes:
                self._store(connection, table, change.apply(items.read_item(connection, table, change.key)))

        self._database.write(write)
        return {"UnprocessedItems": {}}

    def transact_write_items(self, params: Params) -> Response:
        """Make up to 100 changes, all or none; a repeated token within ten minutes changes nothing again."""
        token = params.get("ClientRequestToken")
        actions = [(self.table(arguments["TableName"]), kind, arguments) for kind, arguments in _actions(params)]
        changes = prepare(actions)

        def write(connection: sqlite3.Connection) -> None:
            if token is not None and not request_tokens.add(connection, token, params, self._clock()):
                return
            for table, outcome in transact(connection, changes):
                self._store(connection, table, outcome)

        self._database.write(write)
        return {}

    def query(self, params: Params) -> Response:
        """Read a page of a partition, of a table or of an index."""
        return _paged(query_page(self._database.reader, self.table(params["TableName"]), params), params)

    def scan(self, params: Params) -> Response:
        """Read a page of a table."""
        return _paged(scan_page(self._database.reader, self.table(params["TableName"]), params), params)

    def purge_items(self, most: int) -> int:
        """Delete up to `most` expired items; returns how many there were."""
        tables, now = list(self._tables.values()), self._clock()

        def delete(connection: sqlite3.Connection) -> int:
            deleted = 0
            for table in tables:
                deleted += items.purge(connection, table, now, most - deleted, self._record_expiry)
            return deleted

        return self._database.write(delete)

    def purge_tokens(self, most: int) -> int:
        """Forget up to `most` expired tokens; returns how many there were."""
        return self._database.write(lambda connection: request_tokens.purge(connection, self._clock(), most))


def _prepare(connection: sqlite3.Connection) -> None:
    schema.prepare(connection)
    request_tokens.prepare(connection)


def describe(table: Table) -> Response:
    """Return the description of an active table."""
    arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table.name}"
    description: Response = {
        "TableName": table.name,
        "TableStatus": "ACTIVE",
        "TableArn": arn,
        "KeySchema": table.definition["KeySchema"],
        "AttributeDefinitions": table.definition["AttributeDefinitions"],
    }
    if table.indexes:
        indexes = table.definition["GlobalSecondaryIndexes"]
        description["GlobalSecondaryIndexes"] = [{**each, "IndexStatus": "ACTIVE"} for each in indexes]
    if table.stream:
        description |= {
            "StreamSpecification": table.definition["StreamSpecification"],
            "LatestStreamArn": f"{arn}/stream/1",
        }
    return description


def _check_batch(count: int, most: int, words: str) -> None:
    if count > most:
        raise invalid(f"{words} requested for the call")
    if not count:
        raise invalid("1 validation error detected: the request is empty")


def _distinct_keys(table: Table, keys: Sequence[Item]) -> list[Item]:
    checked = [key_of_request(table, key) for key in keys]
    _refuse_repeated(table.key.columns(key) for key in checked)
    return checked


def _refuse_repeated(keys: Iterator[object]) -> None:
    seen: set[object] = set()
    for key in keys:
        if key in seen:
            raise invalid("Provided list of item keys contains duplicates")
        seen.add(key)


def _actions(params: Params) -> Iterator[tuple[str, Params]]:
    for action in params["TransactItems"]:
        if len(action) != 1:
            raise invalid("TransactItems can only contain one of Check, Put, Update or Delete")
        yield from action.items()


def _paged(page: Page, params: Params) -> Response:
    response: Response = {"Count": len(page.items), "ScannedCount": page.scanned}
    if params.get("Select") != "COUNT":
        response["Items"] = page.items
    if page.last:
        response["LastEvaluatedKey"] = page.last
    return response
