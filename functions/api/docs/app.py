"""The routes that need no token: `GET /health`, `GET /openapi.json`, and `GET /docs`, the page of the document.

The files are next to this module. `make openapi` generates `openapi.json` from the routes of all functions, so this
function need not import them. The viewer is Swagger UI as its authors built it (see viewer/README.md).
"""

import gzip
from functools import cache
from pathlib import Path
from typing import Literal

from fastapi import APIRouter, Request, Response
from typing_extensions import TypedDict

from jobtrack.api import json_response, lambda_handler
from jobtrack.errors import NotFound

router = APIRouter()

FOLDER = Path(__file__).parent
VIEWER = {
    "page.js": "text/javascript",
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "LICENSE": "text/plain",
    "NOTICE": "text/plain",
}
"""The files of the page, and their media types."""
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
}
"""The page loads nothing from other hosts, and sends nothing to them."""


class Health(TypedDict):
    """The service is up."""

    status: Literal["ok"]


@router.get("/health")
def get_health() -> Response:
    """Return that the service is up."""
    health: Health = {"status": "ok"}
    return json_response(health)


@router.get("/openapi.json")
def get_openapi(request: Request) -> Response:
    """Return this OpenAPI 3.1 document."""
    return _file(request, "openapi.json", "application/json")


@router.get("/docs")
def get_docs(request: Request) -> Response:
    """Return the page that shows this document and lets you try the API."""
    return _file(request, "viewer/page.html", "text/html")


@router.get("/docs/{file}")
def get_docs_file(request: Request, file: str) -> Response:
    """Return a file that the page `/docs` loads."""
    if file not in VIEWER:
        raise NotFound("The page has no such file.")
    return _file(request, f"viewer/{file}", VIEWER[file])


def _file(request: Request, name: str, media_type: str) -> Response:
    """Return a file of this folder, compressed if the client accepts it, since API Gateway does not compress."""
    accepts_gzip = "gzip" in request.headers.get("accept-encoding", "")
    caching = "public, max-age=86400" if name.startswith("viewer/swagger-ui") else "no-cache"
    headers = HEADERS | {"Cache-Control": caching} | ({"Content-Encoding": "gzip"} if accepts_gzip else {})
    return Response(
        _compressed(name) if accepts_gzip else (FOLDER / name).read_bytes(),
        200,
        headers,
        f"{media_type}; charset=utf-8",
    )


@cache
def _compressed(name: str) -> bytes:
    return gzip.compress((FOLDER / name).read_bytes(), mtime=0)


handler = lambda_handler(router)
