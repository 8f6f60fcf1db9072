"""What was acknowledged is still there after the process is killed, after a power cut, and when the disk is full."""

import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from jobtrack_local.engine.sqlite.engine import SqliteEngine
from jobtrack_local.engine.sqlite.migrations import newest_format
from jobtrack_local.errors import LocalError
from tests.engine.conftest import session
from tests.engine.faults import files_limited_to
from tests.engine.operations import DEFINITION, TABLE

ROOT = Path(__file__).parents[2]


@contextmanager
def writing(folder: Path, count: int) -> Iterator[tuple["subprocess.Popen[str]", set[tuple[str, str]]]]:
    """Run the writer; yields it with the items that it acknowledged first."""
    command = [sys.executable, "-m", "tests.engine.writer", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        acknowledged = {_pair(process.stdout.readline()) for _ in range(count)}
        try:
            yield process, acknowledged
        finally:
            process.kill()


def _pair(line: str) -> tuple[str, str]:
    name, _, number = line.strip().partition(" ")
    return name, number


def stored(folder: Path) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Return the items and the messages that a folder holds."""
    engine, attached = SqliteEngine(folder), session()
    engine.attach(attached)
    dynamodb: Any = attached.create_client("dynamodb")
    sqs: Any = attached.create_client("sqs")
    pages = dynamodb.get_paginator("scan").paginate(TableName=TABLE)
    items = {(item["pk"]["S"], item["sk"]["S"]) for page in pages for item in page["Items"]}
    url, messages = sqs.get_queue_url(QueueName="messages")["QueueUrl"], set()
    while received := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        messages |= {_pair(message["Body"]) for message in received}
    engine.close()
    return items, messages


@pytest.mark.parametrize("attempt", range(3))
def test_a_killed_process_loses_nothing(tmp_path: Path, attempt: int) -> None:
    with writing(tmp_path, random.randrange(1, 400)) as (process, acknowledged):
        process.kill()
        rest = process.stdout.read() if process.stdout else ""
    acknowledged |= {_pair(line) for line in rest.splitlines(keepends=True) if line.endswith("\n")}
    items, messages = stored(tmp_path)
    assert acknowledged <= items
    assert acknowledged <= messages


def test_a_power_cut_loses_nothing(tmp_path: Path) -> None:
    (tmp_path / "before").mkdir()
    with writing(tmp_path / "before", 200) as (process, acknowledged):
        process.send_signal(signal.SIGSTOP)
        shutil.copytree(tmp_path / "before", tmp_path / "after", ignore=shutil.ignore_patterns("*-shm"))
    items, messages = stored(tmp_path / "after")
    assert acknowledged <= items
    assert acknowledged <= messages


def test_a_full_disk_refuses_writes_and_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    engine, attached = SqliteEngine(tmp_path), session()
    engine.attach(attached)
    dynamodb: Any = attached.create_client("dynamodb")
    dynamodb.create_table(**DEFINITION)
    acknowledged = _fill(dynamodb, engine)
    with pytest.raises(ClientError, match="ServiceUnavailable"):
        _put(dynamodb, "one more")
    assert {item["sk"]["S"] for item in dynamodb.scan(TableName=TABLE)["Items"]} == acknowledged
    _limit(engine, 1_000_000)
    _put(dynamodb, "one more")
    engine.close()


def _fill(dynamodb: Any, engine: SqliteEngine) -> set[str]:
    """Write until the file may not grow any more, as on a full disk."""
    pages = engine.database.reader.execute("PRAGMA page_count").fetchone()[0]
    _limit(engine, pages + 20)
    acknowledged: set[str] = set()
    for number in range(1000):
        try:
            _put(dynamodb, str(number))
        except ClientError:
            return acknowledged
        acknowledged.add(str(number))
    raise AssertionError("the disk was never full")


def _limit(engine: SqliteEngine, pages: int) -> None:
    engine.database.write(lambda connection: connection.execute(f"PRAGMA max_page_count = {pages}"))


def _put(dynamodb: Any, name: str) -> None:
    item = {"pk": {"S": "p"}, "sk": {"S": name}, "body": {"B": b"x" * 2000}}
    dynamodb.put_item(TableName=TABLE, Item=item)


def damage(path: Path) -> None:
    """Overwrite pages in the middle of the file."""
    with path.open("r+b") as file:
        file.seek(4096 * 2)
        file.write(b"\xff" * 4096 * 3)


def replace(path: Path) -> None:
    path.write_text("this is no database" * 100)


def truncate(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def of_another_program(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA application_id = 7")


def of_a_newer_version(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {newest_format() + 1}")


@pytest.mark.parametrize("change", [damage, replace, truncate, of_another_program, of_a_newer_version])
def test_a_file_that_cannot_be_used_is_refused_in_one_line(tmp_path: Path, change: Callable[[Path], None]) -> None:
    engine, attached = SqliteEngine(tmp_path), session()
    engine.attach(attached)
    dynamodb: Any = attached.create_client("dynamodb")
    dynamodb.create_table(**DEFINITION)
    for number in range(50):
        _put(dynamodb, str(number))
    engine.close()
    change(tmp_path / "jobtrack.db")
    with pytest.raises(LocalError, match=r"jobtrack\.db") as refusal:
        SqliteEngine(tmp_path)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("size", range(0, 48_000, 8_000))
def test_a_full_disk_at_the_start_is_told_in_one_line(tmp_path: Path, size: int) -> None:
    with files_limited_to(size), pytest.raises(LocalError) as refusal:
        SqliteEngine(tmp_path)
    assert str(tmp_path) in str(refusal.value)
    assert "\n" not in str(refusal.value)
    SqliteEngine(tmp_path).close()
