"""One writer and many readers of a database file: what fails, fails for its caller only, and leaves nothing behind."""

import os
import resource
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobtrack_local.engine.sqlite.checkpoints import LONG_BYTES
from jobtrack_local.engine.sqlite.database import Database
from jobtrack_local.engine.sqlite.refusals import Refused
from tests.engine.faults import fail_syncs_in_this_thread, files_limited_to

FILE = "jobtrack.db"
LOG = f"{FILE}-wal"
UNLIMITED = resource.RLIM_INFINITY


def opened(folder: Path, *, durable: bool = False) -> Database:
    """Open the database of a folder, with a table of notes."""
    made = Database(folder / FILE, durable=durable)
    made.write(lambda connection: connection.execute("CREATE TABLE IF NOT EXISTS notes (name TEXT, body BLOB)"))
    return made


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = opened(tmp_path)
    yield made
    made.close()


def add(database: Database, name: object, size: int = 10) -> None:
    database.write(
        lambda connection: connection.execute("INSERT INTO notes VALUES (?, ?)", (str(name), os.urandom(size)))
    )


def names(database: Database) -> list[str]:
    return [name for (name,) in database.reader.execute("SELECT name FROM notes ORDER BY rowid")]


def raise_error(_: sqlite3.Connection) -> None:
    raise ValueError("no")


def in_thread(action: Callable[[], object]) -> None:
    """Run the action in a new thread, and raise what it raises."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(action).result()


def test_a_change_that_raises_changes_nothing_and_fails_alone(database: Database) -> None:
    barrier = threading.Barrier(3)

    def write(name: str) -> None:
        barrier.wait()
        add(database, name)

    def fail() -> None:
        barrier.wait()
        database.write(raise_error)

    with ThreadPoolExecutor(3) as pool:
        good = [pool.submit(write, name) for name in ("a", "b")]
        bad = pool.submit(fail)
    assert [future.exception() for future in good] == [None, None]
    assert isinstance(bad.exception(), ValueError)
    assert sorted(names(database)) == ["a", "b"]


def test_short_threads_leave_no_connection_open(database: Database) -> None:
    in_thread(lambda: names(database))
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(100):
        in_thread(lambda: names(database))
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_disk_that_fails_refuses_writes_until_it_works_again(tmp_path: Path, database: Database) -> None:
    add(database, "before")
    with files_limited_to((tmp_path / LOG).stat().st_size):
        for _ in range(3):
            with pytest.raises(Refused, match="ServiceUnavailable: The engine failed: disk I/O error"):
                add(database, "during", 100_000)
            assert names(database) == ["before"]
    add(database, "after")
    assert names(database) == ["before", "after"]


def test_a_write_that_cannot_be_made_durable_is_refused(tmp_path: Path) -> None:
    with closing(opened(tmp_path, durable=True)) as database:
        add(database, "before")
        database.write(lambda _: fail_syncs_in_this_thread())
        for number in range(3):
            with pytest.raises(Refused, match="disk I/O error"):
                add(database, number)
        assert names(database) == ["before"]
    with closing(opened(tmp_path)) as database:
        assert names(database) == ["before"]


def test_a_checkpoint_that_fails_does_not_fail_a_write(
    tmp_path: Path, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    acknowledged = []
    with files_limited_to(LONG_BYTES // 2), suppress(Refused):
        for number in count():
            add(database, number, 100_000)
            acknowledged.append(str(number))
    assert "the write-ahead log cannot be copied into the file" in caplog.text
    assert names(database) == acknowledged
    for number in range(60):
        add(database, f"after {number}", 100_000)
        acknowledged.append(f"after {number}")
    assert (tmp_path / LOG).stat().st_size < LONG_BYTES // 2
    assert names(database) == acknowledged


def test_on_a_full_disk_the_log_starts_over_in_the_space_that_it_has(tmp_path: Path, database: Database) -> None:
    for number in range(10):
        add(database, number, 100_000)
    database.write(lambda connection: connection.execute("DELETE FROM notes"))
    with files_limited_to((tmp_path / LOG).stat().st_size):
        for number in range(10):
            with suppress(Refused):
                add(database, number, 200_000)
                break
        else:
            raise AssertionError("no write succeeded in the space that was freed")
    assert names(database) == [str(number)]


STEPS = st.lists(st.one_of(st.integers(1, 300_000), st.sampled_from(["full", "free", "restart"])), max_size=30)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_what_was_acknowledged_is_stored_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int | str]
) -> None:
    folder = tmp_path_factory.mktemp("database")
    acknowledged: list[str] = []
    database = opened(folder)
    with files_limited_to(UNLIMITED):
        for number, step in enumerate(steps):
            if step == "full":
                resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, UNLIMITED))
            elif step == "free":
                resource.setrlimit(resource.RLIMIT_FSIZE, (UNLIMITED, UNLIMITED))
            elif isinstance(step, int):
                with suppress(Refused):
                    add(database, number, step)
                    acknowledged.append(str(number))
            else:
                database.close()
                resource.setrlimit(resource.RLIMIT_FSIZE, (UNLIMITED, UNLIMITED))
                database = opened(folder)
            assert names(database) == acknowledged
    database.close()
    shutil.rmtree(folder)


def test_another_program_that_holds_the_lock_delays_a_write_or_fails_it(tmp_path: Path, database: Database) -> None:
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as foreign:
        foreign.execute("BEGIN IMMEDIATE")
        with pytest.raises(Refused, match="ServiceUnavailable: The engine failed: database is locked"):
            add(database, "during")
        assert names(database) == []
        foreign.execute("ROLLBACK")
    add(database, "after")
    assert names(database) == ["after"]


def delete(path: Path) -> None:
    path.unlink()


def move(path: Path) -> None:
    path.rename(path.with_name("moved"))


def replace(path: Path) -> None:
    copy = path.with_name("copy")
    shutil.copy(path, copy)
    copy.replace(path)


@pytest.mark.parametrize("name", [FILE, LOG, f"{FILE}-shm"])
@pytest.mark.parametrize("change", [delete, move, replace])
def test_a_file_that_is_not_in_its_place_takes_no_writes(
    tmp_path: Path, database: Database, change: Callable[[Path], None], name: str
) -> None:
    add(database, "before")
    change(tmp_path / name)
    with pytest.raises(Refused, match=r"jobtrack\.db was deleted or replaced; restart the service"):
        add(database, "lost")
    assert names(database) == ["before"]
    with pytest.raises(sqlite3.OperationalError, match="was deleted or replaced"):
        in_thread(lambda: names(database))


def test_a_connection_that_broke_is_replaced(database: Database) -> None:
    add(database, "before")
    with pytest.raises(Refused):
        database.write(lambda connection: connection.close())
    add(database, "after")
    assert names(database) == ["before", "after"]


def test_after_a_close_the_file_has_everything_also_what_other_threads_read(tmp_path: Path) -> None:
    database = opened(tmp_path)
    add(database, "a")
    readers = [threading.Thread(target=names, args=[database]) for _ in range(3)]
    for reader in readers:
        reader.start()
        reader.join()
    database.close()
    (tmp_path / "copy").mkdir()
    shutil.copy(tmp_path / FILE, tmp_path / "copy" / FILE)
    with closing(sqlite3.connect(tmp_path / "copy" / FILE)) as copy:
        assert copy.execute("SELECT name FROM notes").fetchall() == [("a",)]


def test_closing_while_threads_write_finishes_or_refuses_each_write(tmp_path: Path) -> None:
    database = opened(tmp_path)
    acknowledged: list[str] = []
    started = threading.Event()

    def write(thread: int) -> None:
        with suppress(Refused):
            for number in count():
                add(database, f"{thread} {number}")
                acknowledged.append(f"{thread} {number}")
                if number == 20:
                    started.set()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    started.wait()
    database.close()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    with closing(opened(tmp_path)) as again:
        assert sorted(names(again)) == sorted(acknowledged)


def test_the_log_stays_bounded_while_threads_always_read(tmp_path: Path, database: Database) -> None:
    stopped = threading.Event()

    def read() -> None:
        while not stopped.is_set():
            rows = database.reader.execute("SELECT name FROM notes, (VALUES (1), (2), (3), (4))")
            while rows.fetchone():
                continue

    for number in range(100):
        add(database, number)
    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    largest = 0
    for number in range(400):
        add(database, number, 100_000)
        largest = max(largest, (tmp_path / LOG).stat().st_size)
    stopped.set()
    for thread in threads:
        thread.join()
    assert largest < 1.5 * LONG_BYTES


def test_the_log_shrinks_when_a_long_read_of_another_program_ends(
    tmp_path: Path, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    add(database, "first")
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as foreign:
        foreign.execute("BEGIN")
        foreign.execute("SELECT * FROM notes").fetchall()
        for number in range(260):
            add(database, number, 100_000)
        assert (tmp_path / LOG).stat().st_size > LONG_BYTES
        assert "a long read, of this program or another, keeps" in caplog.text
    for number in range(60):
        add(database, number, 100_000)
    assert (tmp_path / LOG).stat().st_size < LONG_BYTES / 2
