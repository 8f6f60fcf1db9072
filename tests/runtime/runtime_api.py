"""Lambda's Runtime API on loopback, for one function's process.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import queue
import threading
import time
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

ROOT = "/2018-06-01/runtime"


@dataclass
class Invocation:
    """An event for the function, and later its response."""

    event: bytes
    function: str
    seconds: float
    id: str = field(default_factory=lambda: str(uuid4()))
    done: threading.Event = field(default_factory=threading.Event)
    answer: bytes = b""
    error: Any = None

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers of the event."""
        return {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": self.id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + self.seconds) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": f"arn:aws:lambda:us-east-1:123456789012:function:{self.function}",
            "Lambda-Runtime-Trace-Id": "Root=1-69234f0d-4b2f5c7d1e9a3b6c8d0f2e03;Sampled=0",
        }


class RuntimeApi:
    """Hands out invocations one at a time, and collects their responses."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self._under_way: dict[str, Invocation] = {}
        self.init_error: Any = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def put(self, invocation: Invocation) -> None:
        """Add an invocation."""
        self._under_way[invocation.id] = invocation
        self._waiting.put(invocation)

    def next(self) -> Invocation | None:
        """Wait for the next invocation; None at the end."""
        return self._waiting.get()

    def settle(self, path: str, body: bytes) -> None:
        """Store what the function posts."""
        if path == f"{ROOT}/init/error":
            self.init_error = json.loads(body)
            return
        _, name, outcome = path.removeprefix(ROOT).rsplit("/", 2)
        invocation = self._under_way.pop(name)
        if outcome == "error":
            invocation.error = json.loads(body)
        else:
            invocation.answer = body
        invocation.done.set()

    def close(self) -> None:
        """Stop serving; the process must have ended."""
        self._waiting.put(None)
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, api: RuntimeApi, *connection: Any) -> None:
        self._api = api
        super().__init__(*connection)

    def do_GET(self) -> None:
        invocation = self._api.next()
        if invocation is None:
            self.close_connection = True
            return
        self._send(200, invocation.event, invocation.headers)

    def do_POST(self) -> None:
        self._api.settle(self.path, self._body())
        self._send(202, b"", {})

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers["Content-Length"]))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""
