"""Sign-in of the live page on this machine.

`jobtrack open` exchanges its token for a code and opens the page with it. The page exchanges the code for the token.
Browsers store addresses, and all users of a machine can read command lines, so the token itself must not appear in
them. A code works once, and expires after a minute.
"""

import hashlib
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TypeVar

from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from jobtrack import auth
from jobtrack.api import json_response
from jobtrack.api.requests import JsonRequest
from jobtrack.api.schemas.fields import Guid, Model
from jobtrack.errors import Forbidden, NotFound
from jobtrack_local.template.cloudformation import RouteProperties

CODES, SESSIONS = "/page/codes", "/page/sessions"
ROUTES = (
    RouteProperties.model_validate({"Method": "POST", "Path": CODES, "Auth": {}}),
    RouteProperties.model_validate({"Method": "POST", "Path": SESSIONS, "Auth": {"Authorizer": "NONE"}}),
)
CODE_SECONDS = 60
MOST_CODES = 100
"""Codes that are stored at once. Beyond it, a new code replaces the oldest."""
_BYTES = 32
_LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?", re.ASCII | re.IGNORECASE)
_NO_STORE = {"Cache-Control": "no-store"}

BodyT = TypeVar("BodyT", bound=Model)


class CodeRequest(Model):
    """The body of a request for a code: what the page shows."""

    tenant: Guid
    project: Guid
    job: Guid | None = None


class SessionRequest(Model):
    """The body of a request for a session: the code that the page was opened with."""

    code: str


@dataclass(frozen=True)
class Session:
    """What the page needs to call the API for a user; `job` is the job to show first."""

    token: str
    tenant: str
    project: str
    url: str
    job: str | None


class Codes:
    """The codes that were not used yet, in memory."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sessions: dict[bytes, tuple[float, Session]] = {}

    def issue(self, session: Session) -> str:
        """Return a new code for the session."""
        while len(self._sessions) >= MOST_CODES:
            del self._sessions[next(iter(self._sessions))]
        code = secrets.token_urlsafe(_BYTES)
        self._sessions[_digest(code)] = (self._clock() + CODE_SECONDS, session)
        return code

    def redeem(self, code: str) -> Session:
        """Return the session of a code. The code cannot be used again.

        Raises:
            NotFound: the code is unknown, was used before, or has expired.
        """
        # The time to look up a digest does not depend on how much of a code was guessed.
        expires, session = self._sessions.pop(_digest(code), (0.0, None))
        if session is None or expires <= self._clock():
            raise NotFound("The code is unknown, was used already, or has expired.")
        return session


def router(codes: Codes, url: str) -> APIRouter:
    """Return the routes of a service at the URL."""
    routes = APIRouter(dependencies=[Depends(_require_own_page)])

    @routes.post(CODES)
    async def issue_code(request: Request) -> Response:
        body = await _parse_body(request, CodeRequest)
        event: Mapping[str, object] = request.scope["aws.event"]
        auth.caller(event).require_project(body.tenant, body.project)
        token = request.headers["authorization"].strip().partition(" ")[2].strip()
        code = codes.issue(Session(token, body.tenant, body.project, url, body.job))
        return json_response({"code": code, "expiresInSeconds": CODE_SECONDS}, 201, _NO_STORE)

    @routes.post(SESSIONS)
    async def open_session(request: Request) -> Response:
        body = await _parse_body(request, SessionRequest)
        return json_response(asdict(codes.redeem(body.code)), headers=_NO_STORE)

    return routes


def _require_own_page(request: Request) -> None:
    """Refuse pages of other sites, also if their name resolves to this machine (DNS rebinding).

    Raises:
        Forbidden: `Host` is not this machine, or `Origin` is not this service.
    """
    host = request.headers.get("host", "")
    if not _LOOPBACK.fullmatch(host):
        raise Forbidden("The header Host must name this machine, such as 127.0.0.1:8080.")
    origin = request.headers.get("origin")
    if origin is not None and origin.lower() != f"http://{host.lower()}":
        raise Forbidden("Only the page of this service may ask.")


async def _parse_body(request: Request, model: type[BodyT]) -> BodyT:
    json_request = JsonRequest(request.scope, request.receive)
    json_request.require_json()
    body = await json_request.json()
    try:
        return model.model_validate(body)
    except ValidationError as error:
        errors = [{**each, "loc": ("body", *each["loc"])} for each in error.errors()]
        raise RequestValidationError(errors, body=body) from error


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()
