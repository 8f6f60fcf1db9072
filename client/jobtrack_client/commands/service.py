"""Connects commands to a service, and finds the job that the user means."""

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
"""The number of newest jobs that are searched."""
NAMED = 5
_SERVICE_VARIABLES = ("JOBTRACK_URL", "JOBTRACK_TOKEN", "JOBTRACK_TENANT", "JOBTRACK_PROJECT")


def choose(profile: str | None) -> None:
    """Use a profile in this process and its child processes, instead of the service in the environment."""
    if profile is not None:
        for variable in _SERVICE_VARIABLES:
            os.environ.pop(variable, None)
        os.environ[VARIABLE] = profile


@contextmanager
def connected() -> Iterator[Client]:
    """Return a client with few retries, and with the user's language."""
    with Client(language=language(), attempts=3, longest_wait=5.0) as client:
        yield client


def language() -> Language:
    """Return `ja` if the environment's language is Japanese, else `en`."""
    locale = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    return "ja" if locale.lower().startswith("ja") else "en"


def job_id(client: Client, job: str) -> str:
    """Find a job by its id, by the beginning of its id or name, or as the newest job. Return its id.

    Raises:
        typer.Exit: there is no such job, or several ids begin like this. The error was printed.
    """
    if is_guid(job):
        return job.lower()
    newest = list(islice(client.iter_jobs(), 1 if job == LATEST else SEARCHED))
    ids = [candidate["jobId"] for candidate in newest if job == LATEST or candidate["jobId"].startswith(job.lower())]
    ids = (
        ids
        or [candidate["jobId"] for candidate in newest if candidate["jobName"].casefold().startswith(job.casefold())][
            :1
        ]
    )
    if not ids:
        condition = f" whose id or name begins with {job!r}" if newest and job != LATEST else ""
        raise failure(f"the project has no job{condition}")
    if len(ids) > 1:
        raise failure(
            f"{job!r} is ambiguous: it matches {', '.join(ids[:NAMED])}{' and more' if len(ids) > NAMED else ''}"
        )
    return ids[0]
