"""AWS clients, configured once.

botocore creates the same clients as boto3. Importing the rest of boto3 would take a tenth of a cold start.
"""

import logging
import os
import threading
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, overload

from botocore.config import Config
from botocore.session import Session, get_session

if TYPE_CHECKING:
    from types_boto3_apigatewaymanagementapi import ApiGatewayManagementApiClient
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_kms import KMSClient
    from types_boto3_sqs import SQSClient

# botocore retries throttling, 5xx and broken connections, but not transactions that lose to another writer.
# Three attempts of four seconds and the delays between them (at most 1 s and 2 s) end before the timeout of a function
# of the API, so that a client gets our 503, and not API Gateway's 503 after 30 s.
_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 3},
    connect_timeout=2,
    read_timeout=4,
    max_pool_connections=64,
    tcp_keepalive=True,
    user_agent_extra="jobtrack",
)

# botocore does not retry a post: the caller does, and the next message waits meanwhile.
_POSTING = _CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}, read_timeout=5))

# At DEBUG, botocore logs whole requests and responses, including decrypted secrets. At INFO, it logs the source of the
# endpoint of every client.
logging.getLogger("botocore").setLevel(logging.WARNING)


@cache
def session() -> Session:
    """Return the session that all clients share."""
    return get_session()


@overload
def client(service: Literal["dynamodb"]) -> "DynamoDBClient": ...
@overload
def client(service: Literal["sqs"]) -> "SQSClient": ...
@overload
def client(service: Literal["kms"]) -> "KMSClient": ...
def client(service: Literal["dynamodb", "sqs", "kms"]) -> "DynamoDBClient | SQSClient | KMSClient":
    """Return a client of the service. botocore reads the address of an emulator from AWS_ENDPOINT_URL_* variables."""
    created: Any = _shared_client(service) if _Sharing.enabled else session().create_client(service, config=_CONFIG)
    typed: DynamoDBClient | SQSClient | KMSClient = created
    return typed


class _Sharing:
    enabled = False


def share_clients() -> None:
    """From now on, let all functions of this process share the clients that `client` returns."""
    _Sharing.enabled = True


@cache
def _shared_client(service: str) -> object:
    return session().create_client(service, config=_CONFIG)


@overload
def later(service: Literal["sqs"]) -> "SQSClient": ...
@overload
def later(service: Literal["kms"]) -> "KMSClient": ...
def later(service: Literal["sqs", "kms"]) -> "SQSClient | KMSClient":
    """Return a client for a service that most invocations do not need. It is created when it is first used."""
    config = _CONFIG.merge(_caller_config())
    lazy: Any = _LazyClient(lambda: session().create_client(service, config=config))
    typed: SQSClient | KMSClient = lazy
    return typed


def websockets(endpoint: str) -> "ApiGatewayManagementApiClient":
    """Return a client that posts to the connections of a WebSocket API. It is created when it is first used."""
    service, config = "apigatewaymanagementapi", _POSTING.merge(_caller_config())
    lazy: Any = _LazyClient(lambda: session().create_client(service, endpoint_url=endpoint, config=config))
    typed: ApiGatewayManagementApiClient = lazy
    return typed


class _LazyClient:
    """A client that is created when it is first used."""

    # A session is not thread-safe: clients are created one after the other.
    _lock = threading.Lock()

    def __init__(self, create: Callable[[], object]) -> None:
        self._create = cache(create)

    def __getattr__(self, name: str) -> Any:
        with self._lock:
            created = self._create()
        return getattr(created, name)


def _caller_config() -> Config:
    """Return the name of the calling function. It is read at each call: a local process runs many functions."""
    return Config(user_agent_appid=os.environ.get("AWS_SDK_UA_APP_ID"))  # type: ignore[call-arg]  # its stubs are older
