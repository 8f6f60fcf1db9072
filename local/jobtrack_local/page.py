"""The live page: the files of `web/`, with the security headers that CloudFront adds on AWS."""

from pathlib import Path
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.staticfiles import StaticFiles

from jobtrack.api import problems
from jobtrack_local.stack import ROOT

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

FOLDER = ROOT / "web"
HEADERS = {
    # 'self' includes the service's WebSocket.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Page:
    """Serves the files of the page."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._paths = {f"/{path.relative_to(folder).as_posix()}" for path in folder.rglob("*") if path.is_file()} | {
            "/"
        }
        self._files: ASGIApp = StaticFiles(directory=folder, html=True)

    def serves(self, path: str) -> bool:
        """Return whether the page has a file for the path."""
        return path in self._paths

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Send the file, or a problem such as 405."""

        async def with_headers(message: "Message") -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        try:
            await self._files(scope, receive, with_headers)
        except HTTPException as error:  # StaticFiles does not handle its own errors
            await problems.on_http_error(Request(scope), error)(scope, receive, with_headers)
