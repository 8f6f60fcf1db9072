"""The service that a command asks, and the job that is meant."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

from jobtrack_client import models
from jobtrack_client._client import Client
from jobtrack_client._settings import is_guid
from jobtrack_client.commands.failing import failure
from jobtrack_client.commands.options import LATEST
from jobtrack_client.profiles import VARIABLE

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
    with Client(language=language(), attempts=3, patience=5.0) as client:
        yield client


def language() -> str:
    """`ja` where the environment's language is Japanese, else `en`."""
    told = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    return "ja" if told.lower().startswith("ja") else "en"


def job_id(client: Client, meant: str) -> str:
    """The id of the job that is meant: by its id, the beginning of that, its name, or as the newest.

    Raises:
        typer.Exit: there is none, or more than one; it was said.
    """
    if is_guid(meant):
        return meant.lower()
    if meant == LATEST:
        jobs = client.jobs(limit=1)["jobs"]
        if not jobs:
            raise failure("the project has no jobs yet")
        return jobs[0]["jobId"]
    newest = islice(client.iter_jobs(), SEARCHED)
    found = [job for job in newest if job["jobId"].startswith(meant.lower()) or job["jobName"] == meant]
    if not found:
        raise failure(f"of the newest {SEARCHED:,} jobs none has an id that begins with {meant!r}, or that name")
    if len(found) > 1:
        raise failure(f"{meant!r} may be any of {_named(found)}")
    return found[0]["jobId"]


def _named(jobs: list[models.Job]) -> str:
    ids = ", ".join(job["jobId"] for job in jobs[:NAMED])
    return f"{ids} and {len(jobs) - NAMED} more" if len(jobs) > NAMED else ids
