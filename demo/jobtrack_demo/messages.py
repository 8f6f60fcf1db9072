"""The lines that the demo prints around its display."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from jobtrack_client import JobTrackError
from jobtrack_client._api.settings import resolve
from jobtrack_client.commands.open_page import page_address
from jobtrack_demo.audit import Counts
from jobtrack_demo.receiver import Inbox
from jobtrack_local.profile import PROJECT, TENANT

NEXT_STEPS = (
    ("open latest", "the live page, signed in"),
    ("logs --level warn", "the warnings of the job"),
    ("timeline", "what happened in which minute"),
    ("run -- echo hello", "track a command of yours"),
)
"""Commands to try next, and what each does."""


def live_page(url: str, token: str, job_id: str) -> Iterator[str]:
    """Yield lines with the address of the job's live page."""
    address, seconds = page_address(resolve(url, token, TENANT, PROJECT), url, job_id)
    yield f"Live page{'' if seconds is None else f' (the address signs in once, within {seconds} seconds)'}:"
    yield f"  {address}"


def success(counts: Counts, inbox: Inbox) -> str:
    """Return a line about a job of which all counts agree."""
    lines, stages = counts["reported"].get("log", 0), len(counts["stages"])
    return (
        f"OK: Completed; {len(inbox.messages):,} events pushed, each once and with a valid signature; "
        f"{lines:,} log lines, {stages} stages and every other count as the worker's own"
    )


def next_steps(url: str, out: Path, *, kept: bool) -> Iterator[str]:
    """Yield lines about what to look at while the demo serves."""
    yield f"The report is in {out}{'' if kept else ' while this runs'}: report.json and map.svg."
    yield f"Serving {url}/docs until Ctrl-C. Try next, in another terminal:"
    width = max(len(words) for words, _ in NEXT_STEPS)
    for words, what in NEXT_STEPS:
        yield f"  {_command(url)} {words:{width}}  # {what}"


def _command(url: str) -> str:
    """Return the start of a command line that reaches this service, even if the settings name another service."""
    try:
        reached = resolve(None, None, None, None).base_url
    except JobTrackError:
        reached = None
    return _program() if reached == url else f"{_program()} --profile local"


def _program() -> str:
    """Return `jobtrack`, or the path by which it was called if the shell does not find it."""
    found, called = shutil.which("jobtrack"), sys.argv[0]
    if Path(called).name != "jobtrack" or (found is not None and os.path.samefile(found, called)):
        return "jobtrack"
    return called
