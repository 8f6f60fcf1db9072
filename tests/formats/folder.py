"""The fixture folders: one for each format of the stored data."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.session import Session

from jobtrack.push.dispatch.quarantine import QuarantineTable
from jobtrack.times import SECOND, Micros
from jobtrack_local.engine.provision import PREFIX, REGION
from jobtrack_local.engine.sqlite.engine import DATABASE, KEYS, SqliteEngine
from jobtrack_local.template import template
from tests.formats.project import START

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

FOLDERS = Path(__file__).parents[1] / "fixtures/data"
ANSWERS = "answers.json"
"""What the service returned about the data, the subscriptions, and their secrets."""
ENGINE = "sqlite"


def copy(source: Path, target: Path) -> Path:
    """Copy a fixture's data as `jobtrack serve` keeps them: for this user only."""
    (target / ENGINE).mkdir(mode=0o700, parents=True)
    target.chmod(0o700)
    for name in (DATABASE, KEYS):
        shutil.copyfile(source / ENGINE / name, target / ENGINE / name)
        (target / ENGINE / name).chmod(0o600)
    return target


def write_answers(folder: Path, content: dict[str, Any]) -> None:
    """Write the answers of a fixture."""
    text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True)
    (folder / ANSWERS).write_text(text + "\n")


def read_answers(folder: Path) -> dict[str, Any]:
    """Read the answers of a fixture."""
    content: dict[str, Any] = json.loads((folder / ANSWERS).read_text())
    return content


def quarantine(folder: Path) -> None:
    """Store a record that the dispatcher could not process, which no request can cause."""
    record = {"dynamodb": {"SequenceNumber": "1", "Keys": {"pk": {"S": "p"}, "sk": {"S": "O#1"}}, "NewImage": {}}}
    with _opened(folder) as dynamodb:
        table = QuarantineTable(dynamodb, f"{PREFIX}QuarantineTable", lambda: Micros(START * SECOND))
        table.put_record(record, ValueError("an example"))


def items(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the items of a folder's database, by the logical id of their table."""
    with _opened(folder) as dynamodb:
        return {name: [*_scan(dynamodb, PREFIX + name)] for name in template.load().tables}


def _scan(dynamodb: "DynamoDBClient", table: str) -> Iterator[dict[str, Any]]:
    for page in dynamodb.get_paginator("scan").paginate(TableName=table):
        yield from page["Items"]


@contextmanager
def _opened(folder: Path) -> Iterator["DynamoDBClient"]:
    engine, session = SqliteEngine(folder / ENGINE), Session()
    session.set_credentials("local", "local")
    session.set_config_variable("region", REGION)
    engine.attach(session)
    client: Any = session.create_client("dynamodb")
    try:
        yield client
    finally:
        engine.close()


def shrink(folder: Path) -> None:
    """Leave only the database file, without its log and without free pages."""
    with closing(sqlite3.connect(folder / ENGINE / DATABASE)) as connection:
        connection.execute("VACUUM")
        connection.execute("PRAGMA journal_mode = DELETE")
