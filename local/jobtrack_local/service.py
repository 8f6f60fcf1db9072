"""The local service: an engine with the tables and queues of template.yaml, the pollers, and the web server."""

import gc
import os
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from jobtrack import aws
from jobtrack.api import routes
from jobtrack_client import profiles
from jobtrack_local import environment, profile
from jobtrack_local.engine import engines
from jobtrack_local.engine.data_lock import lock_data
from jobtrack_local.engine.engine_process import EngineProcess
from jobtrack_local.engine.engines import Engine
from jobtrack_local.engine.provision import provision
from jobtrack_local.errors import LocalError
from jobtrack_local.gateway import app
from jobtrack_local.gateway.server import STOP_SECONDS, Server, bound, ignored
from jobtrack_local.page import Page
from jobtrack_local.pollers.pollers import Poller
from jobtrack_local.rate_limited_log import RateLimitFilter
from jobtrack_local.runtime import call_recorder
from jobtrack_local.template import template
from jobtrack_local.tokens import Verifier, load_signing_key
from jobtrack_local.websocket.connections import Connections
from jobtrack_local.websocket.gateway import WebSocketGateway
from jobtrack_local.websocket.management import Management
from jobtrack_local.wiring import build_pollers, build_websocket_gateway

if TYPE_CHECKING:
    from starlette.types import ASGIApp

WATCH_SECONDS = 0.5
"""Interval of the checks whether an engine's process runs."""


def serve(port: int, data: Path | None, engine: str, ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM. Call `ready` with the URL once requests are accepted.

    Without a folder for the data, they are in a temporary folder.

    Raises:
        LocalError: the service cannot start, or its engine ends.
    """
    with suppress(KeyboardInterrupt), _interrupted_by_signals(), ExitStack() as stack:
        lock = None if data is None else stack.enter_context(lock_data(data))
        listener = stack.enter_context(bound(port))
        home = profiles.home()
        verifier = Verifier(load_signing_key(home))
        running_engine = stack.enter_context(engines.running(engine, lock))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        assembly = _assemble(running_engine, verifier, url)
        routes.logger.addFilter(RateLimitFilter())
        stack.enter_context(profile.publish(url, home))
        server = Server(assembly.application, assembly.websockets, lambda: ready(url))
        stack.enter_context(_polling(assembly.pollers))
        if running_engine.dynamodb:
            stack.enter_context(_watching(running_engine.dynamodb, server))
        gc.freeze()  # a collection that visits all that exists now would pause requests for 50 to 100 ms
        gc.enable()
        server.run([listener])
        raise LocalError(f"the engine {engine} ended unexpectedly")


@dataclass(frozen=True)
class _Assembly:
    application: "ASGIApp"
    websockets: WebSocketGateway
    pollers: Sequence[Poller]


def _assemble(engine: Engine, verifier: Verifier, url: str) -> _Assembly:
    plan, secret = template.load(), secrets.token_urlsafe(16)
    environment.connect(engine)
    names = provision(plan)
    environment.tell_functions(plan, names, environment.own_settings(url, secret), os.environ)
    if not call_recorder.start_recording(names):  # it distinguishes functions by their clients
        aws.share_clients()
    pollers, connections = build_pollers(plan, names, engine), Connections()
    gateway, http = build_websocket_gateway(plan, connections), app.build(plan, verifier, url)
    return _Assembly(
        app.RootApplication(gateway, Management(connections, f"/{secret}"), Page(), http), gateway, pollers
    )


@contextmanager
def _interrupted_by_signals() -> Iterator[None]:
    """Raise KeyboardInterrupt at the first Ctrl-C, SIGTERM or SIGHUP. Ignore later ones, so that stopping completes.

    A signal that was ignored before (`nohup`, a shell's `&`) stays ignored.
    """
    signals = [each for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if not ignored(each)]

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
def _polling(pollers: Sequence[Poller]) -> Iterator[None]:
    threads = [threading.Thread(target=poller.run, daemon=True) for poller in pollers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for poller in pollers:
            poller.control.stop()
        deadline = time.monotonic() + STOP_SECONDS
        for thread in threads:
            thread.join(max(0, deadline - time.monotonic()))


@contextmanager
def _watching(engine: EngineProcess, server: uvicorn.Server) -> Iterator[None]:
    """Stop the server if its engine ends within the block."""
    stopped = threading.Event()

    def watch() -> None:
        while not stopped.wait(WATCH_SECONDS):
            if not engine.running:
                server.should_exit = True

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        stopped.set()
