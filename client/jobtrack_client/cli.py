"""The command line `jobtrack`: the client's commands, and those that other distributions add, such as `serve`."""

import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Annotated

import typer

from jobtrack_client import commands
from jobtrack_client._runtime import own_program
from jobtrack_client.commands.output import replace_unprintable
from jobtrack_client.commands.service import choose

GROUP = "jobtrack.commands"
"""Group of entry points: functions that take the application and add commands to it."""
_LOCAL = {
    "serve": "Run the whole service on this machine.",
    "demo": "Serve, run a sample job and show it live.",
    "token": "Print a development token for a service on this machine.",
}
_ANY = {"ignore_unknown_options": True, "allow_extra_args": True}
_OURS = frozenset({"functions", "jobtrack", "jobtrack_client"})
Profile = Annotated[str | None, typer.Option("--profile", "-p", help="Name of a service in config.toml, or `local`.")]


def build() -> typer.Typer:
    """Build the application. Local commands that are not installed print how to install them."""
    app = typer.Typer(name="jobtrack", no_args_is_help=True, pretty_exceptions_enable=False)
    app.callback()(_describe)
    commands.add(app)
    package = _add_installed(app) or "jobtrack_local"
    known = {each.name or getattr(each.callback, "__name__", None) for each in app.registered_commands}
    for name, what in _LOCAL.items():
        if name not in known:
            app.command(name, help=what, context_settings=_ANY)(_explain(name, package))
    return app


def main() -> None:
    """Run the command line. If a package of the extra `local` is missing, print how to install it."""
    replace_unprintable()
    try:
        app = build()
        own_program.raise_at_interrupt()
        app()
    except ModuleNotFoundError as missing:
        sys.exit(_how_to_install("this command", _package(missing)))


def _add_installed(app: typer.Typer) -> str | None:
    """Add the commands of other distributions. Return the name of a missing package that they need.

    Entry points are found by installed distribution. An import by name could find a module in the working directory.
    """
    package = None
    for entry in entry_points(group=GROUP):
        try:
            entry.load()(app)
        except ModuleNotFoundError as missing:
            package = _package(missing)
    return package


def _describe(profile: Profile = None) -> None:
    """Track long-running jobs: progress, logs, timeline and metrics."""
    choose(profile)


def _explain(name: str, package: str) -> Callable[[], None]:
    def command() -> None:
        sys.exit(_how_to_install(name, package))

    return command


def _how_to_install(command: str, package: str) -> str:
    if sys.platform == "win32":
        return f"jobtrack: {command} runs on Linux and macOS only"
    else:
        return f"jobtrack: {command} needs the package {package}, which is not installed: pip install 'jobtrack[local]'"


def _package(missing: ModuleNotFoundError) -> str:
    """Return the name of the missing package.

    Raises:
        ModuleNotFoundError: the package is part of jobtrack, so installing the extra would not help.
    """
    package = (missing.name or "").partition(".")[0]
    if package in _OURS or not package:
        raise missing
    return package


if __name__ == "__main__":
    main()
