"""API Gateway's HTTP API on one machine: the routes and scopes of template.yaml in front of the application."""

import re
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.requests import Request

from jobtrack import times
from jobtrack.api import problems
from jobtrack.errors import JobTrackError, NotFound, Unauthorized
from jobtrack.times import Micros
from jobtrack_local.gateway.authorizer import Authorizer, authorize
from jobtrack_local.template.cloudformation import RouteProperties
from jobtrack_local.tokens import Verifier

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

OPEN = "NONE"
"""SAM's name for the authorizer of a route that needs no token."""


@dataclass(frozen=True)
class _Match:
    route: RouteProperties
    parameters: Mapping[str, str]

    @property
    def key(self) -> str:
        return f"{self.route.method} {self.route.path}"


class Gateway:
    """Passes on requests that a route and the token allow, with the event that a function would receive."""

    def __init__(
        self,
        app: "ASGIApp",
        routes: Iterable[RouteProperties],
        verifier: Verifier,
        clock: Callable[[], Micros] = times.now,
    ) -> None:
        self._app = app
        self._routes: defaultdict[str, list[tuple[re.Pattern[str], RouteProperties]]] = defaultdict(list)
        for route in sorted(routes, key=_vagueness):
            self._routes[route.method.upper()].append((_expression(route.path), route))
        self._verifier = verifier
        self._clock = clock

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Respond with 404, 401 or 403, or pass the request on. HEAD is handled like GET; the server omits the body."""
        headers = Headers(scope=scope)
        context = self._context(scope, headers)
        if scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        scope["aws.event"] = event = {"version": "2.0", "requestContext": context}
        try:
            match = self._match(scope["method"], scope["path"])
            authorizer = self._authorizer(match.route, headers)
        except JobTrackError as error:
            return await _refuse(error, scope, receive, send)
        if authorizer is not None:
            context["authorizer"] = authorizer
        context["routeKey"] = event["routeKey"] = match.key
        event["pathParameters"] = match.parameters
        await self._app(scope, receive, send)

    def _match(self, method: str, path: str) -> _Match:
        for expression, route in self._routes.get(method, ()):
            if found := expression.fullmatch(path):
                return _Match(route, found.groupdict())
        raise NotFound("There is no such route.")

    def _authorizer(self, route: RouteProperties, headers: Headers) -> Authorizer | None:
        if route.auth.authorizer == OPEN:
            return None
        return authorize(self._verifier, headers.get("authorization"), route.auth.authorization_scopes)

    def _context(self, scope: "Scope", headers: Headers) -> dict[str, object]:
        now = self._clock()
        client = scope.get("client")
        return {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": headers.get("host", ""),
            "http": {
                "method": scope["method"],
                "path": scope["path"],
                "protocol": f"HTTP/{scope['http_version']}",
                "sourceIp": client[0] if client else "",
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": str(uuid.uuid4()),
            "stage": "$default",
            "time": _log_time(times.epoch_seconds(now)),
            "timeEpoch": now // 1000,
        }


@lru_cache(1)
def _log_time(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")


async def _refuse(error: JobTrackError, scope: "Scope", receive: "Receive", send: "Send") -> None:
    answer = problems.on_error(Request(scope), error)
    if isinstance(error, Unauthorized):
        answer.headers["WWW-Authenticate"] = "Bearer"
    await answer(scope, receive, send)


def _expression(path: str) -> re.Pattern[str]:
    """Return a path such as `/job/{jobId}` as a regular expression; `{name+}` matches the rest of the path."""
    parts = re.split(r"(\{\w+\+?\})", path)
    return re.compile("".join(_group(part) if part.startswith("{") else re.escape(part) for part in parts))


def _group(part: str) -> str:
    name = part.strip("{}")
    return f"(?P<{name[:-1]}>.+)" if name.endswith("+") else f"(?P<{name}>[^/]+)"


def _vagueness(route: RouteProperties) -> int:
    """Return the sort key of a route: API Gateway prefers the route with the fewest parameters."""
    return route.path.count("{")
