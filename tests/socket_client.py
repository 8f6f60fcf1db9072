"""A WebSocket client for tests, and faults that interrupt it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from jobtrack.push.websockets.connection_service import disconnect
from tests.management import Gateway
from tests.sockets import SocketWorld


@dataclass
class Client:
    """A client that connects, resumes at the greatest sequence it received, and checks that nothing is missing."""

    world: SocketWorld
    connection: str | None = None
    greatest: int = 0
    seen: set[int] = field(default_factory=set)
    told: list[int] = field(default_factory=list)
    connections: int = 0

    def connect(self, resume: bool = True) -> None:
        """Connect with a new ticket; the service closes an earlier connection."""
        self.read()
        self.connections += 1
        name = f"connection-{self.world.name}-{self.connections}"
        self.world.connections.connect(self.world.ticket(), name)
        self.world.gateway.connected.add(name)
        self.connection = name
        if resume:
            self.resume(self.greatest)

    def resume(self, sequence: int) -> None:
        self.say({"action": "resume", "sinceSequence": sequence})

    def say(self, message: Any) -> None:
        assert self.connection
        text = message if isinstance(message, str) else json.dumps(message)
        self.world.connections.receive(self.connection, text)

    def drop(self, told: bool = True) -> None:
        """Lose the connection, with or without notice to the service."""
        self.read()
        if self.connection:
            self.world.gateway.connected.discard(self.connection)
            if told:
                disconnect(self.world.table, self.connection)
        self.connection = None

    def read(self) -> list[dict[str, Any]]:
        """Read the messages of all connections; nothing before the greatest sequence may be missing."""
        came = [message for sent in self.world.gateway.sent.values() for message in sent]
        self.world.gateway.sent.clear()
        for message in came:
            if "data" in message and (sequence := message["data"].get("sequence")) is not None:
                self.told.append(sequence)
                self.seen.add(sequence)
                if sequence > self.greatest:
                    missing = [each for each in self.world.wanted if each < sequence and each not in self.seen]
                    assert not missing, f"{sequence} came before {missing}"
                    self.greatest = sequence
        return came


Interruption = Callable[[], None]


def interrupting(gateway: Gateway, at: int, act: Interruption) -> None:
    """Do something at step `at` of the posts. Each has two steps, one before it arrives and one after."""
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1
        if steps == at:
            act()

    gateway.step = step


def connected(world: SocketWorld) -> Client:
    """Return a connected client that has not sent `resume`."""
    client = Client(world)
    client.connect(resume=False)
    return client


def all_told(world: SocketWorld, client: Client) -> None:
    """Run everything to its end, and check that the client received every wanted event."""
    world.dispatch()
    world.run()
    client.read()
    assert sorted(client.seen) == world.wanted
