"""The error output and exit code of commands that fail."""

from collections.abc import Iterator
from contextlib import contextmanager

from jobtrack_client.commands.errors import failure
from jobtrack_local.errors import LocalError


@contextmanager
def one_line() -> Iterator[None]:
    """Print a LocalError as one line on standard error, and exit with 1."""
    try:
        yield
    except LocalError as error:
        raise failure(str(error)) from error
