"""After a power cut, a disk holds what was synced and any of the later writes. Acknowledged is what was synced."""

import random
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jobtrack_local.engine.sqlite import database_file
from jobtrack_local.engine.sqlite.engine import SqliteEngine
from jobtrack_local.errors import LocalError
from tests.engine.conftest import session
from tests.engine.lossy_disk import Disk
from tests.engine.operations import DEFINITION, TABLE
from tests.engine.test_durability import stored
from tests.prove.scale import repeats

THREADS = 4
CUTS = repeats(200)
BODY = b"x" * 20_000
"""Large enough that the log is copied into the file again and again."""


class Writers:
    """Threads that write items and messages to an engine, and note what was acknowledged."""

    def __init__(self, engine: SqliteEngine) -> None:
        attached = session()
        engine.attach(attached)
        dynamodb: Any = attached.create_client("dynamodb")
        sqs: Any = attached.create_client("sqs")
        dynamodb.create_table(**DEFINITION)
        self._dynamodb, self._sqs = dynamodb, sqs
        self._queue = sqs.create_queue(QueueName="messages")["QueueUrl"]
        self._over = threading.Event()
        self._progressed = threading.Semaphore(0)
        self._acknowledged: list[tuple[str, str]] = []
        self._threads = [threading.Thread(target=self._write, args=(f"thread-{n}",)) for n in range(THREADS)]
        for thread in self._threads:
            thread.start()

    def acknowledged(self) -> set[tuple[str, str]]:
        """Return what was acknowledged until now."""
        return set(self._acknowledged)

    def wait(self, count: int) -> None:
        """Wait until as many further writes were acknowledged."""
        for _ in range(count):
            assert self._progressed.acquire(timeout=60)

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _write(self, name: str) -> None:
        number = 0
        while not self._over.is_set():
            text = f"{number:07d}"
            body = {"B": BODY} if number % 5 == 0 else {"S": "small"}
            self._dynamodb.put_item(TableName=TABLE, Item={"pk": {"S": name}, "sk": {"S": text}, "body": body})
            self._sqs.send_message(QueueUrl=self._queue, MessageBody=f"{name} {text}")
            self._acknowledged.append((name, text))
            self._progressed.release()
            number += 1


@contextmanager
def writing(folder: Path, disk: Disk, patch: pytest.MonkeyPatch, *, durable: bool) -> Iterator[Writers]:
    """Run writers over an engine whose files are on the lossy disk."""
    with patch.context() as patched:
        patched.setattr(database_file, "sqlite3", SimpleNamespace(**{**vars(sqlite3), "connect": disk.connect}))
        engine = SqliteEngine(folder, durable=durable)
        writers = Writers(engine)
        try:
            yield writers
        finally:
            writers.stop()
            engine.close()


def losses(tmp_path: Path, patch: pytest.MonkeyPatch, *, durable: bool) -> tuple[int, int]:
    """Cut the power at random moments; return how often acknowledged writes were lost, and how many remained."""
    (tmp_path / "before").mkdir()
    disk, drawn, lost = Disk(), random.Random(), 0
    copies: list[tuple[set[tuple[str, str]], Path]] = []
    with writing(tmp_path / "before", disk, patch, durable=durable) as writers:
        for number in range(CUTS):
            writers.wait(drawn.randrange(1, 60))
            acknowledged = writers.acknowledged()
            folder = tmp_path / f"cut-{number}"
            folder.mkdir()
            disk.cut_power(folder, drawn)
            copies.append((acknowledged, folder))
    for acknowledged, folder in copies:
        lost += not _holds(folder, acknowledged)
    return lost, len(copies[-1][0])


def _holds(folder: Path, acknowledged: set[tuple[str, str]]) -> bool:
    try:
        items, messages = stored(folder)
    except (LocalError, KeyError):
        return False
    except Exception as error:
        if "ResourceNotFound" in str(error) or "QueueDoesNotExist" in str(error):
            return False
        raise
    return acknowledged <= items and acknowledged <= messages


def test_a_power_cut_loses_no_acknowledged_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    lost, writes = losses(tmp_path, monkeypatch, durable=True)
    record_property("figure", f"{CUTS} power cuts within {writes} acknowledged writes: {lost} lost any")
    assert lost == 0


def test_without_syncs_the_same_power_cuts_lose_acknowledged_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    lost, writes = losses(tmp_path, monkeypatch, durable=False)
    record_property("figure", f"the same without syncs, {writes} writes: {lost} of {CUTS} lost some")
    assert lost > 0
