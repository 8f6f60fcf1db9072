"""A WebSocket client of the tests, and what befalls it in the middle."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from jobtrack.push.websockets.connection_service import disconnect
from tests.management import Gateway
from tests.sockets import SocketWorld


@dataclass
class Client:
    """A client that connects, resumes at the greatest sequence it saw, and checks that it may."""

    world: SocketWorld
    connection: str | None = None
    greatest: int = 0
    seen: set[int] = field(default_factory=set)
    told: list[int] = field(default_factory=list)
    connections: int = 0

    def connect(self, resume: bool = True) -> None:
        """Connect with a new ticket; a connection that it has is left open, for the service to close."""
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
        """Lose the connection; the service is told, or not."""
        self.read()
        if self.connection:
            self.world.gateway.connected.discard(self.connection)
            if told:
                disconnect(self.world.table, self.connection)
        self.connection = None

    def read(self) -> list[dict[str, Any]]:
        """Take in what came, over any connection; the greatest sequence may only be one before which nothing lacks."""
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
    """Do something at the `at`-th step of the posts: each is two, one before it arrives and one after."""
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1
        if steps == at:
            act()

    gateway.step = step


def connected(world: SocketWorld) -> Client:
    """A client that is connected and has not said where to resume."""
    client = Client(world)
    client.connect(resume=False)
    return client


def all_told(world: SocketWorld, client: Client) -> None:
    """Let everything run to its end; the client has been told what is wanted."""
    world.dispatch()
    world.run()
    client.read()
    assert sorted(client.seen) == world.wanted
