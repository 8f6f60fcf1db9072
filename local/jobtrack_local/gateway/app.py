"""The whole HTTP API in one application: every function's own router behind the local gateway."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from fastapi import APIRouter

from jobtrack.api import create_app
from jobtrack_local import signin
from jobtrack_local.errors import LocalError
from jobtrack_local.gateway.http_api import Gateway
from jobtrack_local.page import Page
from jobtrack_local.runtime.function import load_module
from jobtrack_local.template.cloudformation import Route
from jobtrack_local.template.template import Template
from jobtrack_local.tokens import Verifier
from jobtrack_local.websocket.management import Management

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


def build(template: Template, verifier: Verifier, url: str, after_write: Callable[[], None]) -> "ASGIApp":
    """Return the application of a service at `url`; `after_write` is called after requests that may write."""
    application = create_app(*routers(template), signin.router(signin.Codes(), url))
    return _Doorbell(Gateway(application, [*template.routes, *signin.ROUTES], verifier), after_write)


def routers(template: Template) -> list[APIRouter]:
    """Yield the router of each function that has routes."""
    found = []
    for properties in template.functions.values():
        if any(isinstance(trigger, Route) for trigger in properties.events.values()):
            router = getattr(load_module(properties), "router", None)
            if not isinstance(router, APIRouter):
                raise LocalError(f"{properties.code_uri}/app.py has no router")
            found.append(router)
    return found


class Entrance:
    """Routes WebSockets, the management API, the page's files and all other requests."""

    def __init__(self, websockets: "ASGIApp", management: Management, page: Page, http: "ASGIApp") -> None:
        self._websockets = websockets
        self._served = (management, page)
        self._http = http

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Pass the request on."""
        if scope["type"] == "websocket":
            return await self._websockets(scope, receive, send)
        app = next((each for each in self._served if each.serves(scope["path"])), self._http)
        await app(scope, receive, send)


class _Doorbell:
    """Calls `after_write` after every request except GET, because the stream may have new records."""

    def __init__(self, app: "ASGIApp", ring: Callable[[], None]) -> None:
        self._app = app
        self._ring = ring

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        try:
            await self._app(scope, receive, send)
        finally:
            if scope["method"] != "GET":
                self._ring()
