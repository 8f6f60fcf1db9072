"""The command `listen`."""

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, cast
from urllib.parse import urlsplit

import typer

from jobtrack_client import models
from jobtrack_client._api.webhooks import check_secret, new_secret, sign
from jobtrack_client._exceptions import ConfigurationError
from jobtrack_client._runtime.visible_text import visible
from jobtrack_client.commands.options import LATEST, Events, Job, Json
from jobtrack_client.commands.output import notice, present, show_cells
from jobtrack_client.commands.service import connected, job_id

if TYPE_CHECKING:
    import httpx

FORWARD_SECONDS = 10.0
"""The service's timeout for a receiver."""


def listen(
    job: Job = LATEST,
    forward_to: Annotated[
        str | None, typer.Option("--forward-to", metavar="URL", help="Send each event to this URL as a signed webhook.")
    ] = None,
    secret: Annotated[
        str | None, typer.Option(help="Sign with this secret. [default: a new one, which is printed]")
    ] = None,
    event: Events = None,
    since_sequence: Annotated[
        int | None, typer.Option(min=0, help="Begin with the events after this sequence.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print the events of a job as they happen, until it ends. --forward-to also sends them to a webhook receiver."""
    if secret is not None:
        check_secret(secret)
        if forward_to is None:
            raise typer.BadParameter("--secret signs what --forward-to sends, which is missing")
    with connected() as client:
        forward = None if forward_to is None else _forwarder(forward_to, secret)
        for message in client.events(job_id(client, job), event, since_sequence=since_sequence):
            present(message, as_json, _show, indent=None)
            if forward is not None:
                forward(message)


def _show(message: models.Message) -> None:
    data = message["data"]
    show_cells((message["timestamp"], data["sequence"], message["type"], data["description"]))


def _forwarder(url: str, secret: str | None) -> Callable[[models.Message], None]:
    import httpx

    from jobtrack_client._api._sync.transports import Route

    route = Route(_checked(url))
    if secret is None:
        secret = new_secret()
        notice(f"signing secret: {secret}")
    key = secret
    http = httpx.Client(timeout=FORWARD_SECONDS, follow_redirects=False, transport=route)
    place = url if route.proxy is None else f"{url} through {route.proxy}"
    return lambda message: _forward(http, url, key, message, place)


def _checked(url: str) -> str:
    """Return the URL of a receiver.

    Raises:
        ConfigurationError: it is not an http or https URL.
    """
    import httpx

    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(httpx.URL(url).host) and parts.port != 0
    except (ValueError, httpx.InvalidURL):
        valid = False
    if not valid:
        raise ConfigurationError(f"--forward-to must be an http or https URL, not {url!r}")
    return url


def _forward(http: "httpx.Client", url: str, secret: str, message: models.Message, place: str) -> None:
    """Send a message once. The result goes to standard error."""
    import httpx

    content = dict(cast(dict[str, Any], message))
    name = visible(str(content.pop("id"))).encode("ascii", "backslashreplace").decode()
    body = json.dumps(content, separators=(",", ":")).encode()
    headers = {"Content-Type": "application/json", **sign(name, body, secret, int(time.time()))}
    try:
        result = str(http.post(url, content=body, headers=headers).status_code)
    except (httpx.HTTPError, UnicodeError) as error:  # UnicodeError: the host name cannot be looked up
        result = str(error) or type(error).__name__
    notice(f"  -> {place}: {result}")
