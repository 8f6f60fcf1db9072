"""The service that a command asks, and the job that is meant."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

from jobtrack_client._jobs.client import Client
from jobtrack_client._values.kinds import is_guid
from jobtrack_client.commands.errors import failure
from jobtrack_client.commands.options import LATEST
from jobtrack_client.profiles import VARIABLE
from jobtrack_client.types import Language

SEARCHED = 1000
"""So many of the newest jobs are looked through for one."""
NAMED = 5
_SERVICE_VARIABLES = ("JOBTRACK_URL", "JOBTRACK_TOKEN", "JOBTRACK_TENANT", "JOBTRACK_PROJECT")


def choose(profile: str | None) -> None:
    """Have this process, and what it starts, use a profile, whatever the environment says of a service."""
    if profile is not None:
        for variable in _SERVICE_VARIABLES:
            os.environ.pop(variable, None)
        os.environ[VARIABLE] = profile


@contextmanager
def connected() -> Iterator[Client]:
    """A client that gives up soon, as a person would, and answers in the person's language."""
    with Client(language=language(), attempts=3, longest_wait=5.0) as client:
        yield client


def language() -> Language:
    """`ja` where the environment's language is Japanese, else `en`."""
    told = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    return "ja" if told.lower().startswith("ja") else "en"


def job_id(client: Client, meant: str) -> str:
    """The id of the job that is meant: by its id, the beginning of that or of its name (the newest), or as the newest.

    Raises:
        typer.Exit: there is none, or an id that begins so is not the only one; it was said.
    """
    if is_guid(meant):
        return meant.lower()
    newest = list(islice(client.iter_jobs(), 1 if meant == LATEST else SEARCHED))
    found = [job["jobId"] for job in newest if job["jobId"].startswith(meant.lower()) or meant == LATEST]
    found = found or [job["jobId"] for job in newest if job["jobName"].casefold().startswith(meant.casefold())][:1]
    if not found:
        begins = f" of which the id or the name begins with {meant!r}" if newest and meant != LATEST else ""
        raise failure(f"the project has no job{begins}")
    if len(found) > 1:
        raise failure(f"{meant!r} may be any of {', '.join(found[:NAMED])}{' and more' if len(found) > NAMED else ''}")
    return found[0]
