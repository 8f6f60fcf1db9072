"""The local service as a whole: an engine, what template.yaml wants on it, its pumps, and the web server."""

import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from jobtrack_client import profiles
from local import app, calls, engines, environment, folders, profile, template
from local.claim import claim
from local.engines import Engines
from local.errors import LocalError
from local.page import Page
from local.provision import provision
from local.pumps import Pump
from local.tokens import Verifier, signing_key
from local.websocket.connections import Connections
from local.websocket.gateway import WebSocketGateway
from local.websocket.limits import FAREWELL_SECONDS, MESSAGE_BYTES
from local.websocket.management import Management
from local.websocket.protocol import Protocol
from local.wiring import pumps, websockets

if TYPE_CHECKING:
    from starlette.types import ASGIApp

STOP_SECONDS = 5
"""How long requests and batches under way may take once the service stops."""
KEEP_ALIVE_SECONDS = 75
WATCH_SECONDS = 0.5


def serve(port: int, data: Path | None, engine: str, ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; calls `ready` with the URL. LocalError when it cannot, or its engine ends."""
    with suppress(KeyboardInterrupt), _stopped_by_signals(), ExitStack() as stack:
        listener = stack.enter_context(bound(port))
        home = profiles.home()
        verifier = Verifier(signing_key(home))
        held = None if data is None else stack.enter_context(claim(data))
        found = stack.enter_context(engines.running(engine, held))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        assembly = _assemble(found, verifier, url)
        stack.enter_context(profile.kept(url, home))
        server = Server(assembly.application, assembly.websockets, lambda: ready(url))
        stack.enter_context(_pumping(assembly.carriers))
        stack.enter_context(_watching(found, server))
        server.run([listener])
        raise LocalError(f"the engine {engine} ended by itself")


@dataclass(frozen=True)
class _Assembly:
    application: "ASGIApp"
    websockets: WebSocketGateway
    carriers: Sequence[Pump]


def _assemble(found: Engines, verifier: Verifier, url: str) -> _Assembly:
    plan, secret = template.load(), secrets.token_urlsafe(16)
    environment.point_boto3_at(found, os.environ)
    names = provision(plan)
    environment.tell_functions(plan, names, environment.own_settings(url, secret), os.environ)
    calls.record(names)
    carriers, connections = pumps(plan, names), Connections()

    def ring() -> None:
        for carrier in carriers:
            carrier.halt.ring()

    gateway = websockets(plan, connections, ring)
    http = app.build(plan, verifier, after_write=ring)
    return _Assembly(app.Entrance(gateway, Management(connections, f"/{secret}"), Page(), http), gateway, carriers)


class Server(uvicorn.Server):
    """Tells when it is ready, and takes leave of WebSockets before it stops."""

    def __init__(self, application: "ASGIApp", websockets: WebSocketGateway, ready: Callable[[], None]) -> None:
        self._websockets = websockets
        self._ready = ready
        super().__init__(
            uvicorn.Config(
                application,
                interface="asgi3",
                lifespan="off",
                ws=Protocol,
                ws_max_size=MESSAGE_BYTES,
                ws_ping_interval=None,  # API Gateway sends no pings, and does not compress
                ws_per_message_deflate=False,
                log_config=None,
                log_level="warning",  # less severe lines hold the query of a handshake, and so its ticket
                access_log=False,
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=STOP_SECONDS - FAREWELL_SECONDS,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close what is open, in order."""
        await self._websockets.close()
        await super().shutdown(sockets)


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Ctrl-C, SIGTERM and a closed terminal are a KeyboardInterrupt, once: stopping is not to be interrupted."""
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def stop(number: int, frame: FrameType | None) -> None:
        for each in signals:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {each: signal.signal(each, stop) for each in signals}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def bound(port: int) -> Iterator[socket.socket]:
    """A socket that listens on 127.0.0.1; LocalError when the port is not to be had."""
    # IPPROTO_TCP said outright: asyncio switches Nagle's algorithm off only for sockets that say it.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with folders.telling(f"listen on port {port}"):
            listener.bind(("127.0.0.1", port))
            listener.listen(socket.SOMAXCONN)
        yield listener


@contextmanager
def _pumping(carriers: Sequence[Pump]) -> Iterator[None]:
    threads = [threading.Thread(target=carrier.run, daemon=True) for carrier in carriers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for carrier in carriers:
            carrier.halt.stop()
        deadline = time.monotonic() + STOP_SECONDS
        for thread in threads:
            thread.join(max(0, deadline - time.monotonic()))


@contextmanager
def _watching(found: Engines, server: uvicorn.Server) -> Iterator[None]:
    """Stop the server when an engine ends by itself."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(WATCH_SECONDS):
            if not all(process.running for process in found.processes):
                server.should_exit = True

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        over.set()
