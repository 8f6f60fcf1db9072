"""A hundred webhook receivers on 127.0.0.1, in one thread.

Each has a path. Paths that begin with `slow` take ten seconds.
"""

import asyncio
import json
import threading
import time
from types import TracebackType
from typing import Self

SLOW_SECONDS = 10.0
ANSWER = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"


class Receivers:
    """Records the arrival time of each message at the fast receivers, by its sequence."""

    def __init__(self) -> None:
        self._arrived: dict[int, dict[str, float]] = {}
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._released = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.url = ""

    def __enter__(self) -> Self:
        """Start listening."""
        self._thread.start()
        opening = asyncio.start_server(self._serve, "127.0.0.1", 0)
        server = asyncio.run_coroutine_threadsafe(opening, self._loop).result(10)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop listening."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def release(self) -> None:
        """Respond to the waiting requests."""
        self._loop.call_soon_threadsafe(self._released.set)
        self._loop.call_soon_threadsafe(self._released.clear)

    def wait(self, sequence: int, count: int, seconds: float) -> list[float]:
        """Wait at most `seconds` until `count` receivers have the message, and return its arrival times (monotonic)."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._arrived.get(sequence, ())) >= count, seconds)
            return list(self._arrived.get(sequence, {}).values())

    async def _end(self) -> None:
        """Respond to the waiting requests; an aborted request would log a traceback."""
        self._released.set()
        if under_way := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(under_way, timeout=5)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.partition("content-length:")[2].partition("\r\n")[0])
        path, body = head.split(" ")[1].lstrip("/"), await reader.readexactly(length)
        if path.isdigit():
            self._note(json.loads(body)["data"]["sequence"], path)
        elif path.startswith("slow"):
            await self._dawdle()
        writer.write(ANSWER)
        writer.close()

    async def _dawdle(self) -> None:
        try:
            await asyncio.wait_for(self._released.wait(), SLOW_SECONDS)
        except TimeoutError:
            return

    def _note(self, sequence: int, path: str) -> None:
        with self._changed:
            self._arrived.setdefault(sequence, {}).setdefault(path, time.monotonic())
            self._changed.notify_all()
