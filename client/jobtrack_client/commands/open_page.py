"""The command `open`."""

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
SIGN_IN = "the page asks for a token: paste JOBTRACK_TOKEN, or the output of the profile's token_command"


def open_page(
    job: Job = "",
    show_url: Annotated[bool, typer.Option("--print", help="Print the URL instead.")] = False,
) -> None:
    """Open the live page of the project or a job in a browser. A local page signs in with a one-time code."""
    with connected() as client:
        identity = job_id(client, job) if job else None
    settings = resolve(None, None, None, None)
    address, seconds = page_address(settings, _page(settings), identity)
    if show_url or not terminal():
        show_line(address)
        notice(f"jobtrack: {SIGN_IN if seconds is None else f'the URL signs in once, within {seconds} seconds'}")
    elif not webbrowser.open(address):
        raise failure("no browser was found", "--print prints the URL")
    elif seconds is None:
        notice(f"jobtrack: {SIGN_IN}")


def page_address(settings: Settings, page: str, job: str | None) -> tuple[str, int | None]:
    """Return the URL of a job's page. If the URL signs in, also return for how many seconds.

    It never contains a token, because other processes see a browser's command line, and browsers store URLs.
    """
    if page == settings.base_url and urlsplit(page).hostname in LOOPBACK and (sign_in := _code(settings, job)):
        code, seconds = sign_in
        return f"{page.rstrip('/')}/#/code/{quote(code, safe='', errors='replace')}", seconds
    place = f"/job/{job}" if job else "/"
    return f"{page.rstrip('/')}/#{place}?project={settings.project_id}", None


def _page(settings: Settings) -> str:
    """Return the page's URL. A profile's page is used only with that profile's service."""
    url = os.environ.get("JOBTRACK_URL", "").strip()
    return settings.base_url if url else profile().page or settings.base_url


def _code(settings: Settings, job: str | None) -> tuple[str, int] | None:
    """Return a code that the page exchanges for the token, and its lifetime; None if the service has no codes."""
    import httpx

    from jobtrack_client._api.auth import BearerAuth
    from jobtrack_client._api.responses import read_response

    body = {"tenant": settings.tenant_id, "project": settings.project_id, "job": job}
    url = f"{settings.base_url.rstrip('/')}/page/codes"
    try:
        with _http() as http:
            response = http.post(url, json=body, auth=BearerAuth(settings.token))
        code = read_response(response, time.time).json
    except NotFound:
        return None
    except httpx.RequestError as error:
        raise Unreachable(f"{settings.base_url} cannot be reached: {str(error) or type(error).__name__}") from error
    return str(code["code"]), int(code["expiresInSeconds"])


def _http() -> "httpx.Client":
    import httpx

    return httpx.Client(timeout=SECONDS, trust_env=False)  # a loopback address is never behind a proxy
