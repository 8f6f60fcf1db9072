"""A service that accepts and records everything, behind the client's own HTTP."""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import NotRequired, TypedDict

import httpx

from jobtrack_client import Client


class Event(TypedDict):
    """An event as it was sent."""

    type: str
    data: NotRequired[dict[str, object]]


@dataclass
class Recorder:
    """The received requests."""

    jobs: list[dict[str, object]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def client(self) -> Client:
        """Return a client that reports to this service."""
        identity = "11111111-2222-4333-8444-555555555555"
        return Client("http://service", "token", identity, identity, transport=httpx.MockTransport(self._answer))

    def types(self) -> Counter[str]:
        """Return the number of events by type."""
        return Counter(event["type"] for event in self.events)

    def of(self, kind: str) -> list[dict[str, object]]:
        """Return the data of the events of a type, in order."""
        return [event.get("data", {}) for event in self.events if event["type"] == kind]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content or "{}")
        if request.url.path.endswith("/jobs"):
            self.jobs.append(body)
            return httpx.Response(201, json={"links": {}, **body})
        if request.method == "GET":
            return httpx.Response(200, json={})
        self.events += body["events"]
        return httpx.Response(202, json={"accepted": len(body["events"]), "lastSequence": len(self.events)})
