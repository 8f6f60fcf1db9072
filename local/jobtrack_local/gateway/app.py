"""The HTTP API as one application: the routers of all functions behind the local gateway."""

from typing import TYPE_CHECKING

from fastapi import APIRouter

from jobtrack.api import create_app
from jobtrack.api.threads import use_threads
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

MOST_THREADS = 40
"""Requests that wait for the engine at the same time."""


def build(template: Template, verifier: Verifier, url: str) -> "ASGIApp":
    """Return the application of a service at `url`."""
    use_threads(MOST_THREADS)
    application = create_app(*routers(template), signin.router(signin.Codes(), url))
    return Gateway(application, [*template.routes, *signin.ROUTES], verifier)


def routers(template: Template) -> list[APIRouter]:
    """Return the router of each function that has routes."""
    all_routers = []
    for properties in template.functions.values():
        if any(isinstance(trigger, Route) for trigger in properties.events.values()):
            router = getattr(load_module(properties), "router", None)
            if not isinstance(router, APIRouter):
                raise LocalError(f"{properties.code_uri}/app.py has no router")
            all_routers.append(router)
    return all_routers


class RootApplication:
    """Routes requests to the WebSocket gateway, its management API, the page's files or the HTTP API."""

    def __init__(self, websockets: "ASGIApp", management: Management, page: Page, http: "ASGIApp") -> None:
        self._websockets = websockets
        self._served = (management, page)
        self._http = http

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Pass the request to the application that serves it."""
        if scope["type"] == "websocket":
            return await self._websockets(scope, receive, send)
        app = next((each for each in self._served if each.serves(scope["path"])), self._http)
        await app(scope, receive, send)
