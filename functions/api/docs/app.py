"""The routes that need no token: `GET /health`, `GET /openapi.json`, and `GET /docs`, the page that shows it.

What is answered lies beside this file. `openapi.json` is made by `make openapi` from every function's routes, so that
this function need not import them. The viewer is Swagger UI as its authors built it (see viewer/README.md).
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
"""The files of the page, and what they are."""
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
}
"""Nothing is loaded from, or sent to, any other host."""


class Health(TypedDict):
    """The service is up."""

    status: Literal["ok"]


@router.get("/health")
def get_health() -> Response:
    """The service answers."""
    health: Health = {"status": "ok"}
    return json_response(health)


@router.get("/openapi.json")
def get_openapi(request: Request) -> Response:
    """This description of the API, in OpenAPI 3.1."""
    return _file(request, "openapi.json", "application/json")


@router.get("/docs")
def get_docs(request: Request) -> Response:
    """The page that shows this description, and lets you try it."""
    return _file(request, "viewer/page.html", "text/html")


@router.get("/docs/{file}")
def get_docs_file(request: Request, file: str) -> Response:
    """A file of that page."""
    if file not in VIEWER:
        raise NotFound("The page has no such file.")
    return _file(request, f"viewer/{file}", VIEWER[file])


def _file(request: Request, name: str, kind: str) -> Response:
    """A file of this folder, compressed for who takes it: API Gateway would not."""
    small = "gzip" in request.headers.get("accept-encoding", "")
    kept = "public, max-age=86400" if name.startswith("viewer/swagger-ui") else "no-cache"
    headers = HEADERS | {"Cache-Control": kept} | ({"Content-Encoding": "gzip"} if small else {})
    return Response(
        _compressed(name) if small else (FOLDER / name).read_bytes(), 200, headers, f"{kind}; charset=utf-8"
    )


@cache
def _compressed(name: str) -> bytes:
    return gzip.compress((FOLDER / name).read_bytes(), mtime=0)


handler = lambda_handler(router)
