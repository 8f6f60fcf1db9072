"""A slow, refusing or unavailable service: a proxy in front of the running one."""

import json
import time
from dataclasses import dataclass, field
from itertools import count

import httpx

HEARTBEAT_SECONDS = 10
"""Shortened heartbeat of jobs, so that a killed worker's job is marked as stalled within a test."""


@dataclass
class Proxy:
    """Forwards requests to the service at `url`; the reports numbered in `failing` get `failure` instead.

    A `failure` of None cuts the connection without a response.
    """

    url: str
    delay: float = 0
    failing: range = range(0)
    failure: int | None = None
    heartbeats: list[int] = field(default_factory=list)
    """The `heartbeatSeconds` with which jobs were created."""

    def __post_init__(self) -> None:
        self._reports = count(1)
        self._client = httpx.Client(trust_env=False, timeout=30)

    def __call__(self, request: httpx.Request) -> httpx.Response | None:
        """Return the service's response, or the failure."""
        time.sleep(self.delay)
        if request.url.path.endswith("/events") and next(self._reports) in self.failing:
            return None if self.failure is None else httpx.Response(self.failure)
        try:
            answer = self._client.request(
                request.method,
                f"{self.url}{request.url.raw_path.decode()}",
                headers=[each for each in request.headers.items() if each[0] not in ("host", "content-length")],
                content=self._shortened(request),
            )
        except (httpx.HTTPError, RuntimeError):  # the service or this proxy has ended
            return None
        return httpx.Response(answer.status_code, content=answer.content)

    def close(self) -> None:
        """Close the connections to the service."""
        self._client.close()

    def _shortened(self, request: httpx.Request) -> bytes:
        if not request.url.path.endswith("/jobs"):
            return request.content
        job = json.loads(request.content)
        if "heartbeatSeconds" in job:
            self.heartbeats.append(job["heartbeatSeconds"])
            job["heartbeatSeconds"] = HEARTBEAT_SECONDS
        return json.dumps(job).encode()
