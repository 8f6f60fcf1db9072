"""Starts the engines of a local service, and stops them with it."""

import http.client
import importlib.util
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from jobtrack_local.engine import dynamodb_local
from jobtrack_local.engine.data_lock import DataLock
from jobtrack_local.engine.engine_process import EngineProcess
from jobtrack_local.engine.sqlite.engine import SqliteEngine
from jobtrack_local.errors import LocalError

NOWHERE = "http://127.0.0.1:9"
"""Where clients call that the embedded engine does not serve. No server listens there."""

MINISTACK = {
    "BIND_HOST": "127.0.0.1",
    "MINISTACK_HOST": "127.0.0.1",
    "IOT_MTLS_ENABLED": "0",
    "SFTP_ENABLED": "0",
    "LOG_LEVEL": "WARNING",
    "DOCKER_HOST": "unix:///dev/null/none",  # otherwise it removes containers of this machine
}


@dataclass(frozen=True)
class Engines:
    """The URL of each emulated AWS service, and the processes that serve them."""

    dynamodb: str
    sqs: str
    kms: str
    processes: tuple[EngineProcess, ...] = ()
    embedded: SqliteEngine | None = None
    """Takes the calls of clients in this process, before they reach a URL."""

    def variables(self) -> dict[str, str]:
        """Return the environment variables that make boto3 use these engines."""
        return {
            "AWS_ENDPOINT_URL_DYNAMODB": self.dynamodb,
            "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": self.dynamodb,
            "AWS_ENDPOINT_URL_SQS": self.sqs,
            "AWS_ENDPOINT_URL_KMS": self.kms,
        }


@contextmanager
def running(choice: str, lock: DataLock | None) -> Iterator[Engines]:
    """Run `ministack` or `dynamodb-local`, or use the engine at a URL. With a lock, data are kept in its folder.

    Raises:
        LocalError: the choice is invalid, or the engine does not start or respond.
    """
    if "://" in choice:
        if lock is not None:
            raise LocalError("--data cannot be used with --engine URL: that engine stores its data itself")
        yield engines_at(choice)
        return
    if choice == "sqlite":
        with _sqlite(lock) as engine:
            yield Engines(NOWHERE, NOWHERE, NOWHERE, embedded=engine)
        return
    if choice not in ("ministack", "dynamodb-local"):
        raise LocalError(f"--engine must be sqlite, ministack, dynamodb-local or a URL, not {choice!r}")
    with ExitStack() as stack:
        processes = [_ministack(stack, lock, dynamodb=choice == "ministack")]
        if choice == "dynamodb-local":
            processes.append(_dynamodb_local(stack, lock))
        urls = [process.url() for process in processes]
        yield Engines(dynamodb=urls[-1], sqs=urls[0], kms=urls[0], processes=tuple(processes))


def engines_at(url: str) -> Engines:
    """Return the engines at a URL that serves all AWS services.

    Raises:
        LocalError: there is no HTTP server at the URL.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise LocalError(f"--engine {url} is not an http(s) URL")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=5)
    try:
        connection.request("GET", "/")
        connection.getresponse()
    except (OSError, http.client.HTTPException) as error:
        raise LocalError(f"no engine responds at {url}: {error}") from error
    finally:
        connection.close()
    return Engines(dynamodb=url, sqs=url, kms=url)


@contextmanager
def _sqlite(lock: DataLock | None) -> Iterator[SqliteEngine]:
    """Open the embedded engine in the folder of the data, or in a temporary one that goes when the service ends."""
    with ExitStack() as stack:
        if lock is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jobtrack-")))
        else:
            folder = lock.subfolder("sqlite")
        engine = SqliteEngine(folder, durable=lock is not None)
        stack.callback(engine.close)
        yield engine


def _ministack(stack: ExitStack, lock: DataLock | None, *, dynamodb: bool) -> EngineProcess:
    if importlib.util.find_spec("ministack") is None:
        raise LocalError("the engine ministack is not installed: pip install 'jobtrack[local]'")
    services = "dynamodb,dynamodbstreams,sqs,kms" if dynamodb else "sqs,kms"
    env = {**MINISTACK, "SERVICES": services, "PERSIST_STATE": "0"}
    if lock is not None:
        env |= {"PERSIST_STATE": "1", "STATE_DIR": str(lock.subfolder("ministack"))}
    return _start(
        stack, lock, "ministack", [sys.executable, "-P", "-m", "jobtrack_local.engine.ministack_process"], env
    )


def _dynamodb_local(stack: ExitStack, lock: DataLock | None) -> EngineProcess:
    data = None if lock is None else lock.subfolder("dynamodb-local")
    return _start(stack, lock, "DynamoDB Local", dynamodb_local.command(data), {})


def _start(
    stack: ExitStack, lock: DataLock | None, name: str, command: list[str], env: dict[str, str]
) -> EngineProcess:
    engine = EngineProcess(name, command, env, keep=[] if lock is None else [lock.engine_lock])
    stack.callback(engine.stop)
    return engine
