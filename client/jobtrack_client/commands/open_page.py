"""The live page, in a browser."""

import os
import time
import webbrowser
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote, urlsplit

import typer

from jobtrack_client._api.settings import Settings, resolve
from jobtrack_client._exceptions import NotFound, Unreachable
from jobtrack_client.commands.errors import failure
from jobtrack_client.commands.options import Job
from jobtrack_client.commands.output import notice, show_line, terminal
from jobtrack_client.commands.service import connected, job_id
from jobtrack_client.profiles import profile

if TYPE_CHECKING:
    import httpx

LOOPBACK = ("127.0.0.1", "localhost", "::1")
SECONDS = 10.0
SIGN_IN = "the page asks for a token: paste the one in JOBTRACK_TOKEN, or what the profile's token_command prints"


def open_page(
    job: Job = "",
    show_url: Annotated[bool, typer.Option("--print", help="Print the address instead.")] = False,
) -> None:
    """Open the live page, at a job if one is named. A page on this machine is signed in, by a code that works once."""
    with connected() as client:
        wanted = job_id(client, job) if job else None
    address, seconds = _address(resolve(None, None, None, None), wanted)
    if show_url or not terminal():
        show_line(address)
        notice(f"jobtrack: {SIGN_IN if seconds is None else f'the address signs in once, within {seconds} seconds'}")
    elif not webbrowser.open(address):
        raise failure("no browser was found", "--print prints the address")
    elif seconds is None:
        notice(f"jobtrack: {SIGN_IN}")


def _address(settings: Settings, job: str | None) -> tuple[str, int | None]:
    """The page's address, and for how many seconds it signs in, if it does.

    It never holds a token: other processes see a browser's command line, and browsers keep addresses.
    """
    page = _page(settings)
    if page == settings.base_url and urlsplit(page).hostname in LOOPBACK and (made := _code(settings, job)):
        code, seconds = made
        return f"{page.rstrip('/')}/#/code/{quote(code, safe='', errors='replace')}", seconds
    place = f"/job/{job}" if job else "/"
    return f"{page.rstrip('/')}/#{place}?project={settings.project_id}", None


def _page(settings: Settings) -> str:
    """Where the page is; a profile describes its own service only."""
    given = os.environ.get("JOBTRACK_URL", "").strip()
    return settings.base_url if given else profile().page or settings.base_url


def _code(settings: Settings, job: str | None) -> tuple[str, int] | None:
    """A code that the page exchanges for the token, and its seconds; None where the service has none, as on AWS."""
    import httpx

    from jobtrack_client._api.auth import BearerAuth
    from jobtrack_client._api.responses import read

    body = {"tenant": settings.tenant_id, "project": settings.project_id, "job": job}
    url = f"{settings.base_url.rstrip('/')}/page/codes"
    try:
        with _http() as http:
            response = http.post(url, json=body, auth=BearerAuth(settings.token))
        made = read(response, time.time).json
    except NotFound:
        return None
    except httpx.RequestError as error:
        raise Unreachable(f"{settings.base_url} cannot be reached: {str(error) or type(error).__name__}") from error
    return str(made["code"]), int(made["expiresInSeconds"])


def _http() -> "httpx.Client":
    import httpx

    return httpx.Client(timeout=SECONDS, trust_env=False)  # loopback is never behind a proxy
