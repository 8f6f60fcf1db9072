"""The commands of the local service."""

import gc
import logging
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from jobtrack_demo.command import demo
from jobtrack_local import folders, tokens
from jobtrack_local.backup_commands import backup, restore
from jobtrack_local.command_errors import one_line
from jobtrack_local.errors import LocalError
from jobtrack_local.profile import TENANT

DEFAULT_PORT = 8080
TEMPORARY = "in a temporary folder, deleted when the service ends"


def commands(app: typer.Typer) -> None:
    """Add the commands to the application."""
    for command in (serve, demo, backup, restore, token, fetch_dynamodb_local):
        app.command()(command)


def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = DEFAULT_PORT,
    data: Annotated[
        Path | None, typer.Option(help="Folder to keep the data in. [default: this user's data folder]")
    ] = None,
    memory: Annotated[bool, typer.Option("--memory", help=f"Keep the data {TEMPORARY}.")] = False,
    engine: Annotated[str, typer.Option(help="sqlite or dynamodb-local.")] = "sqlite",
) -> None:
    """Serve the whole API on 127.0.0.1 until Ctrl-C."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    # All functions run in this one process, and may need more connections than a pool keeps open.
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
    os.umask(0o077)  # every file is for this user only
    gc.disable()  # what the start creates remains; the service enables collections when it is ready
    with one_line():
        folder = _chosen_folder(data, memory)
        from jobtrack_local import service

        service.serve(port, folder, engine, ready=lambda url: _welcome(url, folder))
    sys.stdout.flush()
    os._exit(0)  # do not wait for threads that post to a slow receiver; their messages are delivered again


def _chosen_folder(data: Path | None, memory: bool) -> Path | None:
    """Return the folder for the data, None for a temporary folder."""
    if data is not None and memory:
        raise LocalError("use either --data or --memory")
    return None if memory else data or folders.data_folder()


def _welcome(url: str, data: Path | None) -> None:
    print(f"jobtrack serves at {url}")
    print(f"Data: {TEMPORARY if data is None else data.absolute()}")
    print("In another terminal: jobtrack run -- COMMAND, jobtrack watch, jobtrack open (the live page)", flush=True)


def token(
    tenant: Annotated[str, typer.Option(help="The tenant's GUID.")] = TENANT,
    project: Annotated[str | None, typer.Option(help="Restrict the token to the project with this GUID.")] = None,
    scope: Annotated[str, typer.Option(help="Scopes, separated by spaces.")] = tokens.SCOPES,
    ttl: Annotated[int, typer.Option(min=1, help="Seconds until the token expires.")] = tokens.DAY_SECONDS,
) -> None:
    """Print a development token. Each `jobtrack serve` of this user accepts it."""
    with one_line():
        print(tokens.issue(tenant, project, scope, ttl))


def fetch_dynamodb_local() -> None:
    """Download DynamoDB Local, an engine for `serve`, unless this user has it, and print its folder."""
    with one_line():
        from jobtrack_local.engine import dynamodb_local

        print(dynamodb_local.fetch())
