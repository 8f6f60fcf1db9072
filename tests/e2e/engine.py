"""Read the data of a running service directly from its engine, or use an engine without a service."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import psutil
from botocore.session import Session

from jobtrack import aws
from jobtrack_local import environment
from jobtrack_local.engine import engines
from jobtrack_local.engine.provision import PREFIX, REGION, provision
from jobtrack_local.engine.sqlite.engine import SqliteEngine
from jobtrack_local.template import template
from jobtrack_local.template.intrinsics import Names
from tests.e2e.running import Service

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

Item = dict[str, Any]


@contextmanager
def provisioned(engine: str) -> Iterator[Names]:
    """Provide the resources of template.yaml on an engine in a temporary folder; the layer's AWS clients use it."""
    before = dict(os.environ)
    aws.session.cache_clear()
    try:
        with engines.running(engine, None) as running:
            environment.connect(running)
            yield provision(template.load())
    finally:
        aws.session.cache_clear()
        os.environ.clear()
        os.environ.update(before)


class Kept:
    """Return the tables of a service: of a deployed stack, of DynamoDB Local if it runs, or of SQLite."""

    def __init__(self, service: Service) -> None:
        self.plan = template.load()
        self.names = service.stack.names() if service.stack else {name: PREFIX + name for name in self.plan.tables}
        self.dynamodb: DynamoDBClient = service.stack.client("dynamodb") if service.stack else _client(service)

    def items(self, table: str) -> list[Item]:
        """Return all items of a table, by its logical id."""
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=self.names[table], ConsistentRead=True)
        return [item for page in pages for item in page["Items"]]

    def tables(self) -> dict[str, list[Item]]:
        """Return all items of every table of template.yaml."""
        return {name: self.items(name) for name in self.plan.tables}


def _client(service: Service) -> "DynamoDBClient":
    processes = service.engines()
    if not processes:
        return _embedded_client(service.embedded)
    (dynamodb_local,) = processes
    session = boto3.Session("local", "local", region_name=REGION)
    client: DynamoDBClient = session.client("dynamodb", endpoint_url=f"http://127.0.0.1:{_port(dynamodb_local)}")
    return client


def _embedded_client(folder: Path) -> "DynamoDBClient":
    """Return a client of the SQLite engine over the file that the service has open."""
    session = Session()
    session.set_credentials("local", "local")
    session.set_config_variable("region", REGION)
    SqliteEngine(folder, durable=False).attach(session)
    made: Any = session.create_client("dynamodb")
    client: DynamoDBClient = made
    return client


def _port(process: psutil.Process) -> int:
    return int(next(each.laddr.port for each in process.net_connections("tcp") if each.status == psutil.CONN_LISTEN))
