"""Ends a command with an error in one line, with a hint."""

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
"""The exit code of shells: 128 + SIGINT."""
PIPE_CLOSED = 141
HINTS: dict[type[JobTrackError], str] = {
    NotConfigured: "start `jobtrack serve` in another terminal, or add a profile to config.toml",
    Unauthorized: "the token has expired, or belongs to another service",
    Forbidden: "the token belongs to another tenant or project, or lacks a scope",
    NotFound: "`jobtrack jobs` lists the jobs, `jobtrack subscriptions` the subscriptions of a job",
    TooManyRequests: "try again in a moment",
    Unreachable: "is the service running, and is the address correct?",
}
P = ParamSpec("P")
T = TypeVar("T")


def report_errors(command: Callable[P, T]) -> Callable[P, T]:
    """Make a command print errors in one line. Ctrl-C ends it without a traceback."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except JobTrackError as error:
            raise failure(str(error), hint(error)) from error
        except ValueError as error:  # an argument that the client refuses
            raise failure(str(error)) from error
        except OSError as error:
            if not _is_closed_pipe(error):
                raise
            # Otherwise Python prints an error about standard output when it ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(PIPE_CLOSED) from None

    return run


def _is_closed_pipe(error: OSError) -> bool:
    on_windows = sys.platform == "win32" and error.errno == errno.EINVAL
    return on_windows or isinstance(error, BrokenPipeError)


def failure(message: str, hint: str | None = None) -> typer.Exit:
    """Print an error in one line. Return the exception to raise."""
    line = " ".join(message.split())
    notice(f"jobtrack: {line}{f' ({hint})' if hint else ''}")
    return typer.Exit(1)


def hint(error: JobTrackError) -> str | None:
    """Return a hint about an error."""
    return next((HINTS[kind] for kind in type(error).__mro__ if kind in HINTS), None)
