"""The command line `jobtrack`: what talks to a service, and what the extra `local` adds, or how to get it."""

import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Annotated

import typer

from jobtrack_client import commands
from jobtrack_client.commands.output import replace_unprintable
from jobtrack_client.commands.service import choose

GROUP = "jobtrack.commands"
"""Entry points of installed distributions: functions that add commands to the application."""
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
    """The application with every command that is installed, and with how to get the others."""
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
    """Run the command line; a package that only the extra brings is asked for in one line."""
    replace_unprintable()
    try:
        build()()
    except ModuleNotFoundError as missing:
        sys.exit(f"jobtrack: this command {_MISSING.format(_package(missing))}")


def _add_installed(app: typer.Typer) -> str | None:
    """Add the commands of other distributions; returns a package that one of them needs and that is not there.

    They are found by what is installed, never by a module's name: in the working directory any name may be taken.
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


if __name__ == "__main__":
    main()
