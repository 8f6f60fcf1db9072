"""The command line `jobtrack`: what talks to a service, and what the extra `local` adds, or how to get it."""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Annotated

import typer

from jobtrack_client import commands
from jobtrack_client.commands.service import choose

_LOCAL = {
    "serve": "Run the whole service on this machine.",
    "demo": "Serve, run a sample job and show it live.",
    "token": "Print a development token for a service on this machine.",
}
_ANY = {"ignore_unknown_options": True, "allow_extra_args": True}
_OURS = frozenset({"functions", "jobtrack", "jobtrack_client"})
_MISSING = "needs what is not installed ({}): pip install 'jobtrack[local]'"
Profile = Annotated[
    str | None, typer.Option("--profile", "-p", help="The service of this name in config.toml, or `local`.")
]


def build() -> typer.Typer:
    """The application with every command that can be had here."""
    app = typer.Typer(name="jobtrack", no_args_is_help=True, pretty_exceptions_enable=False)
    app.callback()(_describe)
    commands.add(app)
    try:
        # By name, since the client may not depend on what is only there with the extra.
        import_module("local.cli").commands(app)
    except ModuleNotFoundError as missing:
        for name, what in _LOCAL.items():
            app.command(name, help=what, context_settings=_ANY)(_explain(name, _package(missing)))
    return app


def main() -> None:
    """Run the command line; a package that only the extra brings is asked for in one line."""
    try:
        build()()
    except ModuleNotFoundError as missing:
        sys.exit(f"jobtrack: this command {_MISSING.format(_package(missing))}")


def _describe(profile: Profile = None) -> None:
    """Track long-running jobs: progress, logs, timeline and metrics."""
    choose(profile)


def _explain(name: str, package: str) -> Callable[[], None]:
    def command() -> None:
        sys.exit(f"jobtrack: {name} {_MISSING.format(package)}")

    return command


def _package(missing: ModuleNotFoundError) -> str:
    """The package that is not there.

    Raises:
        ModuleNotFoundError: it is one of ours, so nothing that can be installed is missing.
    """
    package = (missing.name or "").partition(".")[0]
    if package in _OURS or not package:
        raise missing
    return package
