"""The web server of the local service."""

import signal
import socket
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import uvicorn

from jobtrack_local.errors import LocalError
from jobtrack_local.gateway.acceptor import Acceptor
from jobtrack_local.gateway.deadlines import KEEP_ALIVE_SECONDS, Deadlines
from jobtrack_local.gateway.http_protocol import HttpProtocol
from jobtrack_local.websocket.gateway import WebSocketGateway
from jobtrack_local.websocket.limits import FAREWELL_SECONDS, MESSAGE_BYTES
from jobtrack_local.websocket.protocol import Protocol

if TYPE_CHECKING:
    import asyncio

    from starlette.types import ASGIApp

STOP_SECONDS = 5
"""How long requests and batches in progress may take once the service stops."""
LOOK_SECONDS = 0.5
"""How often the deadlines of connections are checked."""
LOOP = "auto"
"""uvicorn's name of the event loop: uvloop, or asyncio's own where uvloop is not available (Windows)."""


class Server(uvicorn.Server):
    """The web server. It closes connections that make no progress, and WebSockets before it stops."""

    def __init__(self, application: "ASGIApp", websockets: WebSocketGateway, ready: Callable[[], None]) -> None:
        self._websockets = websockets
        self._ready = ready
        self._deadlines = Deadlines()
        self._next_look = 0.0
        super().__init__(
            uvicorn.Config(
                application,
                interface="asgi3",
                loop=LOOP,
                lifespan="off",
                http=HttpProtocol,
                ws=Protocol,
                ws_max_size=MESSAGE_BYTES,
                ws_ping_interval=None,  # API Gateway sends no pings, and does not compress
                ws_per_message_deflate=False,
                log_config=None,
                log_level="warning",  # info lines contain the query of a handshake, and so its ticket
                access_log=False,
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=STOP_SECONDS - FAREWELL_SECONDS,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, and report that the service is ready."""
        acceptors = [Acceptor(each, self._protocol, self.server_state.connections) for each in sockets or ()]
        self.servers = cast("list[asyncio.Server]", acceptors)  # uvicorn only closes them
        self.started = True
        self._ready()

    async def on_tick(self, counter: int) -> bool:
        """Close connections that wait too long; uvicorn calls this ten times a second."""
        if (now := time.monotonic()) >= self._next_look:
            self._next_look = now + LOOK_SECONDS
            self._deadlines.enforce(self.server_state.connections)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close all connections in order."""
        await self._websockets.close()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Stop on SIGINT and SIGTERM, unless they were ignored when the process started.

        uvicorn does not check this.
        """
        left = [each for each in (signal.SIGINT, signal.SIGTERM) if ignored(each)]
        with super().capture_signals():
            for each in left:
                if not ignored(each):  # uvicorn changes nothing if it runs in another thread
                    signal.signal(each, signal.SIG_IGN)
            yield

    def _protocol(self) -> HttpProtocol:
        return HttpProtocol(self.config, self.server_state, self.lifespan.state)


def ignored(number: signal.Signals) -> bool:
    """Return whether the process was started with this signal ignored, as shells do for background jobs."""
    return signal.getsignal(number) is signal.SIG_IGN


@contextmanager
def bound(port: int) -> Iterator[socket.socket]:
    """Return a socket that listens on 127.0.0.1.

    Raises:
        LocalError: the port is not available.
    """
    # IPPROTO_TCP must be explicit: asyncio disables Nagle's algorithm only for such sockets.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen(socket.SOMAXCONN)
        except OSError as error:
            raise LocalError(f"cannot listen on port {port}: {error.strerror}; choose another with --port") from error
        yield listener
