"""The engines of a local service: their addresses, their processes, and their end."""

import http.client
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from jobtrack_local.engine import dynamodb_local
from jobtrack_local.engine.data_lock import DataLock
from jobtrack_local.engine.engine_process import Engine
from jobtrack_local.errors import LocalError

MINISTACK = {
    "BIND_HOST": "127.0.0.1",
    "MINISTACK_HOST": "127.0.0.1",
    "IOT_MTLS_ENABLED": "0",
    "SFTP_ENABLED": "0",
    "LOG_LEVEL": "WARNING",
    "DOCKER_HOST": "unix:///dev/null/none",  # otherwise ministack removes containers of this machine
}


@dataclass(frozen=True)
class Engines:
    """The URLs of the services, and the processes behind them."""

    dynamodb: str
    sqs: str
    kms: str
    processes: tuple[Engine, ...] = ()

    def variables(self) -> dict[str, str]:
        """The environment variables by which boto3 finds the engines."""
        return {
            "AWS_ENDPOINT_URL_DYNAMODB": self.dynamodb,
            "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": self.dynamodb,
            "AWS_ENDPOINT_URL_SQS": self.sqs,
            "AWS_ENDPOINT_URL_KMS": self.kms,
        }


@contextmanager
def running(choice: str, claim: DataLock | None) -> Iterator[Engines]:
    """Start `ministack` or `dynamodb-local`, or use a URL; with a lock they keep their data in its folder."""
    if "://" in choice:
        if claim is not None:
            raise LocalError("--data has no meaning with --engine URL: that engine keeps the data itself")
        yield elsewhere(choice)
        return
    if choice not in ("ministack", "dynamodb-local"):
        raise LocalError(f"--engine must be ministack, dynamodb-local or a URL, not {choice!r}")
    with ExitStack() as stack:
        processes = [_ministack(stack, claim, dynamodb=choice == "ministack")]
        if choice == "dynamodb-local":
            processes.append(_dynamodb_local(stack, claim))
        urls = [process.url() for process in processes]
        yield Engines(dynamodb=urls[-1], sqs=urls[0], kms=urls[0], processes=tuple(processes))


def elsewhere(url: str) -> Engines:
    """Return all services at a URL; LocalError if nothing responds there."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise LocalError(f"--engine {url} is not an http(s) URL")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=5)
    try:
        connection.request("GET", "/")
        connection.getresponse()
    except (OSError, http.client.HTTPException) as error:
        raise LocalError(f"no engine answers at {url}: {error}") from error
    finally:
        connection.close()
    return Engines(dynamodb=url, sqs=url, kms=url)


def _ministack(stack: ExitStack, claim: DataLock | None, *, dynamodb: bool) -> Engine:
    if importlib.util.find_spec("ministack") is None:
        raise LocalError("the engine ministack is not installed: pip install 'jobtrack[local]'")
    services = "dynamodb,dynamodbstreams,sqs,kms" if dynamodb else "sqs,kms"
    env = {**MINISTACK, "SERVICES": services, "PERSIST_STATE": "0"}
    if claim is not None:
        env |= {"PERSIST_STATE": "1", "STATE_DIR": str(claim.subfolder("ministack"))}
    return _started(
        stack, claim, "ministack", [sys.executable, "-P", "-m", "jobtrack_local.engine.ministack_process"], env
    )


def _dynamodb_local(stack: ExitStack, claim: DataLock | None) -> Engine:
    data = None if claim is None else claim.subfolder("dynamodb-local")
    return _started(stack, claim, "DynamoDB Local", dynamodb_local.command(data), {})


def _started(stack: ExitStack, claim: DataLock | None, name: str, command: list[str], env: dict[str, str]) -> Engine:
    engine = Engine(name, command, env, keep=[] if claim is None else [claim.engine_lock])
    stack.callback(engine.stop)
    return engine
