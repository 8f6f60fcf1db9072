"""WebSockets on a real loopback socket: the local service's part of them, with functions of the test."""

import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from jobtrack_local.gateway.app import RootApplication
from jobtrack_local.gateway.server import Server, bound
from jobtrack_local.page import Page
from jobtrack_local.runtime.function import Function
from jobtrack_local.template.cloudformation import FunctionProperties
from jobtrack_local.websocket import connections as connections_module
from jobtrack_local.websocket.connections import Connections
from jobtrack_local.websocket.gateway import Target, WebSocketGateway
from jobtrack_local.websocket.limits import FRAME_BYTES, MESSAGE_BYTES
from jobtrack_local.websocket.management import Management

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send
    from types_boto3_apigatewaymanagementapi import ApiGatewayManagementApiClient

PATIENCE_SECONDS = 20
PROPERTIES = FunctionProperties.model_validate({"CodeUri": "x", "Timeout": 10})
Answer = Callable[[dict[str, Any]], object]


async def nothing(scope: "Scope", receive: "Receive", send: "Send") -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body"})


@dataclass
class Stage:
    """A WebSocket API whose functions record their events and return scripted responses."""

    answers: dict[str, Answer] = field(default_factory=dict)
    events: SimpleQueue[dict[str, Any]] = field(default_factory=SimpleQueue)
    url: str = ""

    def handle(self, event: dict[str, Any], context: object) -> object:
        self.events.put(event)
        answer = self.answers.get(event["requestContext"]["routeKey"])
        return {"statusCode": 200} if answer is None else answer(event)

    def next(self) -> dict[str, Any]:
        return self.events.get(timeout=PATIENCE_SECONDS)

    def connect(self, query: str = "", **headers: str) -> ClientConnection:
        url = f"ws{self.url.removeprefix('http')}/websocket{query}"
        return connect(url, proxy=None, additional_headers=headers)

    def connected(self) -> tuple[ClientConnection, str]:
        """Connect a client, and return it with its connection's id."""
        client = self.connect()
        return client, self.next()["requestContext"]["connectionId"]

    def management(self) -> "ApiGatewayManagementApiClient":
        client: ApiGatewayManagementApiClient = boto3.client(
            "apigatewaymanagementapi",
            "us-east-1",
            endpoint_url=f"{self.url}/secret",
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
        )
        return client

    @contextmanager
    def serving(self, keys: Mapping[str, bool]) -> Iterator[None]:
        function, connections = Function("Test", self.handle, PROPERTIES), Connections()
        routes = {key: Target(function, answers) for key, answers in keys.items()}
        gateway = WebSocketGateway(("action",), routes, connections)
        ready = threading.Event()
        entrance = RootApplication(gateway, Management(connections, "/secret"), Page(), nothing)
        server = Server(entrance, gateway, ready.set)
        with bound(0) as listener:
            self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            thread = threading.Thread(target=server.run, args=([listener],))
            thread.start()
            try:
                assert ready.wait(PATIENCE_SECONDS)
                yield
            finally:
                server.should_exit = True
                thread.join(PATIENCE_SECONDS)
                assert not thread.is_alive()


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage()
    with made.serving({"$connect": False, "$disconnect": False, "$default": False, "echo": True, "quiet": False}):
        yield made


def code_of(error: pytest.ExceptionInfo[Exception]) -> str:
    response: dict[str, Any] = getattr(error.value, "response", {})
    return f"{response['ResponseMetadata']['HTTPStatusCode']} {response['Error']['Code']}"


def closed(client: ClientConnection) -> int:
    """Return the code with which the server closed the connection."""
    with pytest.raises(ConnectionClosed):
        client.recv(PATIENCE_SECONDS)
    assert client.close_code is not None
    return client.close_code


def told(stage: Stage, key: str) -> dict[str, Any]:
    """Return the next event of the route."""
    while True:
        event = stage.next()
        if event["requestContext"]["routeKey"] == key:
            return event


def test_connect_is_asked_with_query_and_headers(stage: Stage) -> None:
    with stage.connect("?ticket=a%2Bb&x=1&x=2", x_mine="yes"):
        event = stage.next()
    assert event["queryStringParameters"] == {"ticket": "a+b", "x": "2"}
    assert event["multiValueQueryStringParameters"]["x"] == ["1", "2"]
    assert event["headers"]["x_mine"] == "yes"
    assert (event["requestContext"]["eventType"], event["isBase64Encoded"]) == ("CONNECT", False)
    assert event["requestContext"]["identity"]["sourceIp"] == "127.0.0.1"


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (lambda event: {"statusCode": 401}, 401),
        (lambda event: {"statusCode": 410, "body": "used"}, 410),
        (lambda event: 1 / 0, 500),
        (lambda event: None, 500),
        (lambda event: {"statusCode": "200"}, 500),
        (lambda event: {"statusCode": 7}, 500),
    ],
    ids=["401", "410 with a body", "it raises", "nothing", "a text", "no status of HTTP"],
)
def test_what_connect_does_not_answer_with_200_is_refused(stage: Stage, answer: Answer, status: int) -> None:
    stage.answers["$connect"] = answer
    with pytest.raises(InvalidStatus) as refused:
        stage.connect()
    assert refused.value.response.status_code == status
    assert stage.next()["requestContext"]["routeKey"] == "$connect"
    assert stage.events.empty()


def test_elsewhere_there_is_no_websocket(stage: Stage) -> None:
    with pytest.raises(InvalidStatus) as refused:
        stage.connect("/else")
    assert refused.value.response.status_code == 403
    assert stage.events.empty()


def test_without_routes_there_is_no_websocket() -> None:
    made = Stage()
    with made.serving({}), pytest.raises(InvalidStatus) as refused:
        made.connect()
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ('{"action": "echo"}', "echo"),
        ('{"action": "unheard"}', "$default"),
        ('{"action": 1}', "$default"),
        ('{"action": {"action": "echo"}}', "$default"),
        ('["action"]', "$default"),
        ('{"action": "$connect"}', "$default"),
        ('{"action": "$disconnect"}', "$default"),
        ("{", "$default"),
        ("", "$default"),
        ("[" * 30_000, "$default"),
    ],
)
def test_a_message_goes_where_its_action_says(stage: Stage, sent: str, key: str) -> None:
    client, name = stage.connected()
    with client:
        client.send(sent)
        event = stage.next()
    assert (event["requestContext"]["routeKey"], event["requestContext"]["connectionId"]) == (key, name)
    assert (event["body"], event["isBase64Encoded"], event["requestContext"]["eventType"]) == (sent, False, "MESSAGE")


def test_bytes_come_in_base64(stage: Stage) -> None:
    client, _ = stage.connected()
    with client:
        client.send(b"\xff\x00")
        event = stage.next()
    assert (event["requestContext"]["routeKey"], event["body"], event["isBase64Encoded"]) == ("$default", "/wA=", True)


def test_an_answer_goes_back_only_where_the_route_has_a_response(stage: Stage) -> None:
    for key in ("echo", "quiet"):
        stage.answers[key] = lambda event: {"statusCode": 200, "body": event["body"]}
    client, _ = stage.connected()
    with client:
        client.send('{"action": "quiet"}')
        client.send('{"action": "echo"}')
        assert client.recv(PATIENCE_SECONDS) == '{"action": "echo"}'


def test_a_message_whose_function_fails_is_answered_by_the_gateway(stage: Stage) -> None:
    stage.answers["quiet"] = lambda event: 1 / 0
    client, name = stage.connected()
    with client:
        client.send('{"action": "quiet"}')
        answer = json.loads(client.recv(PATIENCE_SECONDS))
    assert (answer["message"], answer["connectionId"]) == ("Internal server error", name)


def test_a_message_that_no_route_takes_is_answered_by_the_gateway() -> None:
    made = Stage()
    with made.serving({"$connect": False}):
        client, name = made.connected()
        with client:
            client.send("x")
            answer = json.loads(client.recv(PATIENCE_SECONDS))
    assert (answer["message"], answer["connectionId"]) == ("Forbidden", name)


def test_a_long_message_comes_in_frames(stage: Stage) -> None:
    client, _ = stage.connected()
    with client:
        client.send(["x" * FRAME_BYTES] * 4)
        assert len(stage.next()["body"]) == MESSAGE_BYTES


@pytest.mark.parametrize("sent", ["x" * (FRAME_BYTES + 1), ["x" * FRAME_BYTES] * 5], ids=["a frame", "a message"])
def test_too_long_a_message_ends_the_connection(stage: Stage, sent: str | list[str]) -> None:
    client, _ = stage.connected()
    with client:
        with suppress(ConnectionClosed):  # the connection may end while the rest is being sent
            client.send(sent)
        assert closed(client) == 1009
    assert stage.next()["requestContext"]["disconnectStatusCode"] == 1009


def test_what_is_posted_arrives_as_it_is(stage: Stage) -> None:
    client, name = stage.connected()
    with client:
        for data in ("進捗 ✓".encode(), b"x" * MESSAGE_BYTES, b"\xff"):
            stage.management().post_to_connection(ConnectionId=name, Data=data)
            received = client.recv(PATIENCE_SECONDS)
            assert (received.encode() if isinstance(received, str) else received) == data


def test_too_long_a_post_is_413(stage: Stage) -> None:
    client, name = stage.connected()
    with client, pytest.raises(Exception, match="longer than") as refused:
        stage.management().post_to_connection(ConnectionId=name, Data=b"x" * (MESSAGE_BYTES + 1))
    assert code_of(refused) == "413 PayloadTooLargeException"


def test_a_connection_is_shown(stage: Stage) -> None:
    client, name = stage.connected()
    with client:
        found = stage.management().get_connection(ConnectionId=name)
    assert found["Identity"] == {"SourceIp": "127.0.0.1", "UserAgent": client.request.headers["User-Agent"]}  # type: ignore[union-attr]
    assert found["ConnectedAt"] <= found["LastActiveAt"]


def test_a_deleted_connection_is_closed(stage: Stage) -> None:
    client, name = stage.connected()
    stage.management().delete_connection(ConnectionId=name)
    with client:
        assert closed(client) == 1000
    assert stage.next()["requestContext"]["disconnectStatusCode"] == 1000


def test_what_is_not_open_is_gone(stage: Stage) -> None:
    client, name = stage.connected()
    with client:
        pass
    told(stage, "$disconnect")
    api = stage.management()
    for connection in (name, "nobody="):
        for call in (api.delete_connection, api.get_connection):
            with pytest.raises(api.exceptions.GoneException):
                call(ConnectionId=connection)
        with pytest.raises(api.exceptions.GoneException) as refused:
            api.post_to_connection(ConnectionId=connection, Data=b"x")
        assert code_of(refused) == "410 GoneException"


def test_no_one_can_post_before_connect_has_answered(stage: Stage) -> None:
    tries = SimpleQueue[str]()

    def early(event: dict[str, Any]) -> object:
        with pytest.raises(Exception, match="gone") as refused:
            stage.management().post_to_connection(
                ConnectionId=event["requestContext"]["connectionId"], Data=b"too early"
            )
        tries.put(code_of(refused))
        return {"statusCode": 200}

    stage.answers["$connect"] = early
    with stage.connect():
        assert tries.get(timeout=PATIENCE_SECONDS) == "410 GoneException"


def test_without_the_secret_path_nothing_is_posted(stage: Stage) -> None:
    client, name = stage.connected()
    stage.url += "/guessed"
    with client, pytest.raises(Exception, match="404"):
        stage.management().post_to_connection(ConnectionId=name, Data=b"x")


def test_a_client_that_vanishes_is_told_of(stage: Stage) -> None:
    client, name = stage.connected()
    client.socket.shutdown(socket.SHUT_RDWR)
    assert told(stage, "$disconnect")["requestContext"]["connectionId"] == name


def test_an_idle_connection_is_closed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections_module, "IDLE_SECONDS", 0.2)
    client, _ = stage.connected()
    with client:
        assert closed(client) == 1001
    assert stage.next()["requestContext"]["disconnectStatusCode"] == 1001


def test_a_connection_does_not_live_for_ever(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections_module, "LIFETIME_SECONDS", 0.2)
    client, _ = stage.connected()
    with client:
        assert closed(client) == 1001


def silent(stage: Stage) -> socket.socket:
    """Connect a client that never reads."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", urlsplit(stage.url).port))
    client.sendall(
        b"GET /websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    return client


def filled(stage: Stage, name: str) -> None:
    """Post until the client's buffers are full and the connection is dropped."""
    api = stage.management()
    try:
        for _ in range(1000):
            api.post_to_connection(ConnectionId=name, Data=b"x" * MESSAGE_BYTES)
    except api.exceptions.GoneException:
        return
    pytest.fail("it took everything")


def test_a_client_that_does_not_read_is_dropped_and_holds_up_no_other(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections_module, "POST_SECONDS", 2)
    reader, name = stage.connected()
    with silent(stage), reader:
        deaf = stage.next()["requestContext"]["connectionId"]
        filling = threading.Thread(target=filled, args=(stage, deaf))
        filling.start()
        while filling.is_alive():
            stage.management().post_to_connection(ConnectionId=name, Data=b"x")
            assert reader.recv(PATIENCE_SECONDS) == "x"
        filling.join()
        assert told(stage, "$disconnect")["requestContext"]["connectionId"] == deaf


def test_when_it_stops_it_says_so_even_if_one_does_not_read(caplog: pytest.LogCaptureFixture) -> None:
    made = Stage()
    with caplog.at_level(logging.DEBUG):
        with made.serving({"$connect": False, "$disconnect": False}):
            clients = [made.connected() for _ in range(5)]
            deaf = silent(made)
            name = made.next()["requestContext"]["connectionId"]
            for _ in range(4):
                made.management().post_to_connection(ConnectionId=name, Data=b"x" * 1000)
        for client, _ in clients:
            with client:
                assert closed(client) == 1001
        deaf.close()
    left = {made.next()["requestContext"]["connectionId"] for _ in range(6)}
    assert left == {name, *(each for _, each in clients)}
    assert [record.getMessage() for record in caplog.records if record.name.startswith("uvicorn")] == []


def test_a_ticket_is_in_no_log(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        with stage.connect("?ticket=very-secret"):
            stage.answers["$connect"] = lambda event: 1 / 0
        with pytest.raises(InvalidStatus):
            stage.connect("?ticket=very-secret")
    assert [record.name for record in caplog.records] == ["jobtrack_local.websocket.gateway"]
    assert "very-secret" not in caplog.text
