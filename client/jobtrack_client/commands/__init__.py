"""The commands of `jobtrack` that talk to a service."""

from collections.abc import Callable
from typing import Any

import typer

from jobtrack_client.commands import (
    deliveries,
    dependencies,
    jobs,
    listen,
    logs,
    metrics,
    open_page,
    run,
    status,
    subscriptions,
    timeline,
    watch,
)
from jobtrack_client.commands.errors import report_errors

_COMMANDS: dict[str, Callable[..., None]] = {
    "run": run.run_command,
    "jobs": jobs.jobs,
    "queue": jobs.queue,
    "status": status.status,
    "watch": watch.watch,
    "logs": logs.logs,
    "timeline": timeline.timeline,
    "metrics": metrics.metrics,
    "deps": dependencies.deps,
    "subscribe": subscriptions.subscribe,
    "subscriptions": subscriptions.subscriptions,
    "unsubscribe": subscriptions.unsubscribe,
    "deliveries": deliveries.deliveries,
    "listen": listen.listen,
    "open": open_page.open_page,
}
"""In the order in which help lists them."""
_SETTINGS: dict[str, dict[str, Any]] = {
    # Words after the command to run are its own options.
    "run": {"allow_interspersed_args": False},
}


def add(app: typer.Typer) -> None:
    """Add every command to the application."""
    for name, command in _COMMANDS.items():
        app.command(name, context_settings=_SETTINGS.get(name))(report_errors(command))
