"""The commands of the local service."""

import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

import typer

from jobtrack_client.commands.errors import failure
from jobtrack_demo.command import demo
from jobtrack_local import tokens
from jobtrack_local.errors import LocalError
from jobtrack_local.profile import TENANT

DEFAULT_PORT = 8080


def commands(app: typer.Typer) -> None:
    """Add `serve`, `demo` and `token` to the application."""
    app.command()(serve)
    app.command()(demo)
    app.command()(token)


def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = DEFAULT_PORT,
    data: Annotated[Path | None, typer.Option(help="Folder of the data; else they live in memory.")] = None,
    engine: Annotated[str, typer.Option(help="ministack, dynamodb-local, or the URL of a running one.")] = "ministack",
) -> None:
    """Serve the whole API on 127.0.0.1 until Ctrl-C."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    # Here one process is all functions at once, which may need more connections than the pool of one keeps.
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
    with one_line():
        from jobtrack_local import service

        service.serve(port, data, engine, ready=_welcome)
    sys.stdout.flush()
    os._exit(0)  # a slow receiver may hold a thread for seconds more; its message comes again


def _welcome(url: str) -> None:
    print(f"jobtrack serves at {url}")
    print("In another terminal: jobtrack run -- COMMAND, jobtrack watch, jobtrack open (the live page)", flush=True)


def token(
    tenant: Annotated[str, typer.Option(help="The tenant's GUID.")] = TENANT,
    project: Annotated[str | None, typer.Option(help="Confines the token to this project's GUID.")] = None,
    scope: Annotated[str, typer.Option(help="Separated by spaces.")] = tokens.SCOPES,
    ttl: Annotated[int, typer.Option(min=1, help="Seconds that it is valid.")] = tokens.DAY_SECONDS,
) -> None:
    """Print a development token for every `jobtrack serve` of this user."""
    with one_line():
        print(tokens.issue(tenant, project, scope, ttl))


def fetch_dynamodb_local() -> None:
    """Fetch DynamoDB Local for this user, unless it is there."""
    with one_line():
        from jobtrack_local.engine import dynamodb_local

        print(dynamodb_local.fetch())


def sam_local(
    engine: Annotated[str, typer.Option(help="ministack, dynamodb-local, or the URL of a running one.")] = "ministack",
) -> None:
    """Keep an engine for `sam local` until Ctrl-C, and write the files by which functions find it."""
    with one_line(), suppress(KeyboardInterrupt):
        from jobtrack_local import sam_local as files

        files.run(engine, threading.Event().wait)


@contextmanager
def one_line() -> Iterator[None]:
    """Say on one line of standard error what went wrong, and exit with 1."""
    try:
        yield
    except LocalError as error:
        raise failure(str(error)) from error
