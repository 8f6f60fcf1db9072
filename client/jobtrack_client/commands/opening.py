"""The live page, in a browser."""

import webbrowser
from typing import Annotated
from urllib.parse import quote, urlsplit

import typer

from jobtrack_client._settings import resolve
from jobtrack_client.commands.failing import failure
from jobtrack_client.commands.options import Job
from jobtrack_client.commands.output import show_line, terminal
from jobtrack_client.commands.service import connected, job_id
from jobtrack_client.profiles import profile

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def open_page(
    job: Job = "",
    show_url: Annotated[bool, typer.Option("--print", help="Print the address instead.")] = False,
) -> None:
    """Open the live page, at a job if one is named. On this machine it is signed in."""
    with connected() as client:
        place = f"/job/{job_id(client, job)}" if job else "/"
    address = _address(place)
    if show_url or not terminal():
        show_line(address)
    elif not webbrowser.open(address):
        raise failure("no browser was found", "--print prints the address")


def _address(place: str) -> str:
    """The page at a place; what follows the `#` is never sent to a server."""
    settings = resolve(None, None, None, None)
    page = profile().page or settings.base_url
    told = {"project": settings.project_id}
    if urlsplit(page).hostname in LOOPBACK:
        told["token"] = settings.token if isinstance(settings.token, str) else str(settings.token())
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in told.items())
    return f"{page.rstrip('/')}/#{place}?{query}"


COMMANDS = {"open": open_page}
