"""Shared by the tests of subscriptions: a receiver that records requests, and requests about subscriptions."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from jobtrack_demo.receiver import Gate
from tests.e2e.reporting import event

TOKEN = "the receivers' own: +/=%&\"\\".replace(" ", "-")
"""A text that any encoding would change."""
PATIENCE_SECONDS = 60


class Recorder(Gate):
    """Returns scripted responses, repeats the last one, and records every request."""

    def __init__(self, *statuses: int) -> None:
        super().__init__(TOKEN)
        self.statuses = list(statuses) or [204]
        self.requests: list[tuple[Mapping[str, str], bytes]] = []
        self._taking = threading.Lock()

    def receive(self, headers: Mapping[str, str], body: bytes) -> int:
        with self._taking:
            self.requests.append((headers, body))
            return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]

    def bodies(self, kind: str | None = None) -> list[dict[str, Any]]:
        found = [json.loads(body) for _, body in self.requests]
        return [each for each in found if kind in (None, each["type"])]

    def await_requests(self, count: int) -> None:
        until(lambda: len(self.requests) == count)

    def sequences(self) -> list[int | None]:
        return [each["data"]["sequence"] for each in self.bodies()]


def subscribed(api: httpx.Client, job: str, url: str, *events: str, **more: Any) -> dict[str, Any]:
    wanted = {
        "subscriptionType": "webhook",
        "webhookUrl": url,
        "events": events,
        "authentication": {"type": "bearer", "token": TOKEN},
        **more,
    }
    return answered(api.post(f"/job/{job}/subscribe", json=wanted), 201)


def answered(answer: httpx.Response, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert isinstance(body, dict)
    return body


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def milestone(number: int) -> dict[str, Any]:
    return event("milestone", description=f"Nº {number}")


def deliveries(api: httpx.Client, name: str, **query: Any) -> list[dict[str, Any]]:
    found = answered(api.get(f"/subscription/{name}/deliveries", params=query))["deliveries"]
    assert isinstance(found, list)
    return found
