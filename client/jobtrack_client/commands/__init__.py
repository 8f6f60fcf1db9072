"""The commands of `jobtrack` that talk to a service: each module adds its own."""

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
from jobtrack_client.commands.errors import cleanly

MODULES = (
    run,
    jobs,
    status,
    watch,
    logs,
    timeline,
    metrics,
    dependencies,
    subscriptions,
    deliveries,
    listen,
    open_page,
)


def add(app: typer.Typer) -> None:
    """Add every command to the application, in the order in which help lists them."""
    for module in MODULES:
        for name, command in module.COMMANDS.items():
            app.command(name, context_settings=getattr(module, "SETTINGS", None))(cleanly(command))
