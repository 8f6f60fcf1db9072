"""The engines of a local service: SQLite in its own process, or DynamoDB Local with the queues and keys of SQLite."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from botocore.session import Session

from jobtrack_local.engine.data_lock import DataLock
from jobtrack_local.engine.engine_process import EngineProcess
from jobtrack_local.engine.sqlite.engine import SqliteEngine
from jobtrack_local.engine.temporary_data import temporary_folder
from jobtrack_local.errors import LocalError

SQLITE, DYNAMODB_LOCAL = "sqlite", "dynamodb-local"
ENGINES = (SQLITE, DYNAMODB_LOCAL)

NOWHERE = "http://127.0.0.1:9"
"""Where clients call that the embedded engine does not serve. No server listens there."""


@dataclass(frozen=True)
class Engine:
    """Serves DynamoDB, its streams, SQS and KMS to the clients of this process."""

    embedded: SqliteEngine
    """Takes the calls of clients before they reach a URL."""
    dynamodb: EngineProcess | None = None
    """DynamoDB Local; without it, the embedded engine also has the tables and their streams."""
    dynamodb_url: str = NOWHERE

    def endpoints(self) -> dict[str, str]:
        """Return the variables by which botocore finds the engine."""
        return endpoints(self.dynamodb_url, NOWHERE)

    def attach(self, session: Session) -> None:
        """Make the session's future clients call this engine."""
        self.embedded.attach(session, tables=self.dynamodb is None)


def endpoints(dynamodb: str, others: str) -> dict[str, str]:
    """Return the environment variables that make botocore use emulated services at these URLs."""
    return {
        # Otherwise botocore uses a host name with the account's id, which emulators do not serve.
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
        "AWS_ENDPOINT_URL_DYNAMODB": dynamodb,
        "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": dynamodb,
        "AWS_ENDPOINT_URL_SQS": others,
        "AWS_ENDPOINT_URL_KMS": others,
    }


@contextmanager
def running(choice: str, lock: DataLock | None) -> Iterator[Engine]:
    """Run an engine of `ENGINES`. Its data are in the lock's folder, or without a lock in a temporary folder.

    Raises:
        LocalError: there is no such engine, it does not start, or the data are of another engine.
    """
    if choice not in ENGINES:
        raise LocalError(f"--engine must be {' or '.join(ENGINES)}, not {choice!r}")
    if lock is not None:
        require_own_data(choice, lock.folder)
    with ExitStack() as stack:
        process = _dynamodb_local(stack, lock) if choice == DYNAMODB_LOCAL else None
        folder = stack.enter_context(temporary_folder()) if lock is None else lock.subfolder(choice)
        embedded = SqliteEngine(folder, durable=lock is not None)
        stack.callback(embedded.close)
        embedded.sqs.release()  # the lock says that no other process handles messages
        yield Engine(embedded, process, process.url() if process else NOWHERE)


def require_own_data(choice: str, folder: Path) -> None:
    """Check that a data folder has no data of another engine. Each engine has a subfolder with its name.

    Raises:
        LocalError: the folder has data of another engine.
    """
    for other in ENGINES:
        if other != choice and (folder / other).exists():
            raise LocalError(
                f"{folder} has data of the engine {other}; use --engine {other}, or another folder with --data"
            )


def _dynamodb_local(stack: ExitStack, lock: DataLock | None) -> EngineProcess:
    from jobtrack_local.engine import dynamodb_local  # imported here: other services need neither Java nor npm

    dynamodb_local.require_jar()  # before its folder exists, so that another engine can still use the data folder
    folder = None if lock is None else lock.subfolder(DYNAMODB_LOCAL)
    keep = [] if lock is None else [lock.engine_lock]
    process = EngineProcess("DynamoDB Local", dynamodb_local.command(folder), {}, keep)
    stack.callback(process.stop)
    return process
