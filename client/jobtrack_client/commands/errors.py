"""How a command ends that cannot go on: in one line, with a hint."""

import errno
import functools
import os
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import typer

from jobtrack_client._api.settings import NotConfigured
from jobtrack_client._exceptions import (
    Forbidden,
    JobTrackError,
    NotFound,
    TooManyRequests,
    Unauthorized,
    Unreachable,
)
from jobtrack_client.commands.output import notice

INTERRUPTED = 130
"""128 + SIGINT, as shells have it."""
PIPE_CLOSED = 141
HINTS: dict[type[JobTrackError], str] = {
    NotConfigured: "`jobtrack serve` in another terminal is found by itself; others are named in config.toml",
    Unauthorized: "the token has expired or is another service's",
    Forbidden: "the token is of another tenant or project, or lacks the scope",
    NotFound: "`jobtrack jobs` lists what there is",
    TooManyRequests: "try again in a moment",
    Unreachable: "does it run, and is the address right?",
}
P = ParamSpec("P")
T = TypeVar("T")


def cleanly(command: Callable[P, T]) -> Callable[P, T]:
    """The command, whose errors are one line on standard error and which Ctrl-C ends without a trace."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except JobTrackError as error:
            raise failure(str(error), hint(error)) from error
        except OSError as error:
            if not _is_closed_pipe(error):
                raise
            # Else Python complains about standard output when it ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(PIPE_CLOSED) from None

    return run


def _is_closed_pipe(error: OSError) -> bool:
    on_windows = sys.platform == "win32" and error.errno == errno.EINVAL
    return on_windows or isinstance(error, BrokenPipeError)


def failure(what: str, hint: str | None = None) -> typer.Exit:
    """Say in one line what is wrong; what to raise then."""
    line = " ".join(what.split())
    notice(f"jobtrack: {line}{f' ({hint})' if hint else ''}")
    return typer.Exit(1)


def hint(error: JobTrackError) -> str | None:
    """What may help."""
    return next((HINTS[kind] for kind in type(error).__mro__ if kind in HINTS), None)
