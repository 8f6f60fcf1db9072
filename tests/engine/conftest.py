"""DynamoDB clients over the SQLite engine and over DynamoDB Local, which is AWS's own code."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.session import Session

from jobtrack_local.engine import dynamodb_local
from jobtrack_local.engine.engine_process import EngineProcess
from jobtrack_local.engine.sqlite.engine import SqliteEngine

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


def session() -> Session:
    """Return a session that finds no credentials or settings of the user."""
    made = Session()
    made.set_credentials("local", "local")
    made.set_config_variable("region", "us-east-1")
    return made


def _client(session: Session, **arguments: Any) -> "DynamoDBClient":
    client: Any = session.create_client("dynamodb", **arguments)
    typed: DynamoDBClient = client
    return typed


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[SqliteEngine]:
    """An engine in a folder of its own."""
    made = SqliteEngine(tmp_path)
    yield made
    made.close()


@pytest.fixture
def clients(engine: SqliteEngine) -> Session:
    """A session whose clients call the engine."""
    attached = session()
    engine.attach(attached)
    return attached


@pytest.fixture(scope="module")
def reference() -> Iterator["DynamoDBClient"]:
    """A client of DynamoDB Local."""
    process = EngineProcess("DynamoDB Local", dynamodb_local.command(None), {})
    yield _client(session(), endpoint_url=process.url())
    process.stop()


@pytest.fixture(scope="module")
def candidate(tmp_path_factory: pytest.TempPathFactory) -> Iterator["DynamoDBClient"]:
    """A client of the SQLite engine."""
    made, attached = SqliteEngine(tmp_path_factory.mktemp("engine"), durable=False), session()
    made.attach(attached)
    yield _client(attached)
    made.close()
