"""A webhook receiver for many subscriptions, each with a bearer token and a signing secret of its own."""

import threading
from collections.abc import Mapping
from uuid import uuid4

from jobtrack_demo.receiver import Gate


class Gates(Gate):
    """Passes each request to the gate of its subscription, which the bearer token names."""

    def __init__(self) -> None:
        super().__init__(token="")
        self._gates: dict[str, Gate] = {}
        self._counting = threading.Lock()
        self.strangers = 0
        """Requests of no known subscription."""

    def open(self) -> tuple[str, Gate]:
        """Return the bearer token and the gate of a new subscription."""
        token = uuid4().hex
        gate = Gate(token)
        self._gates[f"Bearer {token}"] = gate
        return token, gate

    def receive(self, headers: Mapping[str, str], body: bytes) -> int:
        """Return the status of the response."""
        gate = self._gates.get(headers.get("authorization", ""))
        if gate is not None:
            return gate.receive(headers, body)
        with self._counting:
            self.strangers += 1
        return 401
