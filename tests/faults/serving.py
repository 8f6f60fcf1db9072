"""The in-memory service behind a real socket, and workers in processes of their own that report to it."""

import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx

import jobtrack_client as jt
from tests.unit.client.service import GUID

OPTIONS = jt.ReporterOptions(
    flush_seconds=0.01, request_seconds=0.3, close_seconds=30, backoff=jt.Backoff(first=0.01, longest=0.05)
)
ROOT = Path(__file__).parents[2]
Answer = Callable[[httpx.Request], httpx.Response | None]


class Server:
    """Serves on one port, which it keeps over restarts. A response of None cuts the connection."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), _handler(self._answer))
        self._server.daemon_threads = True
        self._port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(answer: Answer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["Content-Length"])))

        def _answer(self, body: bytes) -> None:
            url, headers = f"http://here{self.path}", dict(self.headers)
            response = answer(httpx.Request(self.command, url, headers=headers, content=body))
            if response is None:
                return
            self.send_response(response.status_code)
            if wait := response.headers.get("Retry-After"):
                self.send_header("Retry-After", wait)
            self.send_header("Content-Length", str(len(response.content)))
            self.end_headers()
            self.wfile.write(response.content)

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing."""

    return Handler


@contextmanager
def serving(answer: Answer) -> Iterator[Server]:
    server = Server(answer)
    try:
        yield server
    finally:
        server.stop()


def client(server: Server) -> jt.Client:
    return jt.Client(server.url, "t", GUID, GUID)


def lines(count: int) -> list[str]:
    return [str(number) for number in range(count)]


def run_worker(url: str, script: str, exit_seconds: float | None = None) -> subprocess.CompletedProcess[str]:
    """Run a script within a `job`."""
    if exit_seconds is None:
        exit_seconds = 0.2 if url.endswith(":9") else 20
    head = f"""
        import jobtrack_client as jt
        options = jt.ReporterOptions(exit_seconds={exit_seconds})
        job = jt.Client().job("n", job_type="t", options=options).start()
    """
    return run(url, "-W", "ignore", "-c", textwrap.dedent(head) + textwrap.dedent(script))


def run(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in an environment in which the client finds the service."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment(url), capture_output=True, text=True, timeout=60, check=False)


def environment(url: str) -> dict[str, str]:
    """Return the variables by which the client finds the service."""
    ours = {"JOBTRACK_URL": url, "JOBTRACK_TOKEN": "t", "JOBTRACK_TENANT": GUID, "JOBTRACK_PROJECT": GUID}
    return {**os.environ, **ours, "PYTHONPATH": str(ROOT)}
