"""AWS clients, configured once.

Of boto3 only botocore is loaded, which makes the very same clients: importing the rest takes a tenth of a cold start.
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

# Transactions that lose to another writer are not retried by botocore; throttling, 5xx and broken connections are.
# Three times four seconds and the waits between (at most 1 s and 2 s) end before an API function's time is over: so a
# client gets our 503, and not API Gateway's after 30 s.
_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 3},
    connect_timeout=2,
    read_timeout=4,
    max_pool_connections=64,
    tcp_keepalive=True,
    user_agent_extra="jobtrack",
)

# A post is repeated by who posts; the next one waits for it.
_POSTING = _CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}, read_timeout=5))

# At DEBUG it writes down whole requests and answers: what is sealed and opened with the key is in them, in the clear.
# At INFO it tells of every client where its endpoint was found.
logging.getLogger("botocore").setLevel(logging.WARNING)


@cache
def session() -> Session:
    """The session of all clients."""
    return get_session()


@overload
def client(service: Literal["dynamodb"]) -> "DynamoDBClient": ...
@overload
def client(service: Literal["sqs"]) -> "SQSClient": ...
@overload
def client(service: Literal["kms"]) -> "KMSClient": ...
def client(service: Literal["dynamodb", "sqs", "kms"]) -> "DynamoDBClient | SQSClient | KMSClient":
    """A client of the service; emulators are found by botocore's own AWS_ENDPOINT_URL_* variables."""
    made: Any = session().create_client(service, config=_CONFIG)
    found: DynamoDBClient | SQSClient | KMSClient = made
    return found


@overload
def later(service: Literal["sqs"]) -> "SQSClient": ...
@overload
def later(service: Literal["kms"]) -> "KMSClient": ...
def later(service: Literal["sqs", "kms"]) -> "SQSClient | KMSClient":
    """A client of a service that most invocations do not call, made by its first call."""
    config = _CONFIG.merge(_named())
    made: Any = _Later(lambda: session().create_client(service, config=config))
    found: SQSClient | KMSClient = made
    return found


def websockets(endpoint: str) -> "ApiGatewayManagementApiClient":
    """A client that posts to the connections of the WebSocket API behind the endpoint, made by its first call."""
    service, config = "apigatewaymanagementapi", _POSTING.merge(_named())
    made: Any = _Later(lambda: session().create_client(service, endpoint_url=endpoint, config=config))
    found: ApiGatewayManagementApiClient = made
    return found


class _Later:
    """Stands for a client that is made once something is asked of it: sessions make one after the other."""

    _making = threading.Lock()

    def __init__(self, make: Callable[[], object]) -> None:
        self._make = cache(make)

    def __getattr__(self, name: str) -> Any:
        with self._making:
            made = self._make()
        return getattr(made, name)


def _named() -> Config:
    """What the environment calls the caller now: later it may be another's, where one process is many functions."""
    return Config(user_agent_appid=os.environ.get("AWS_SDK_UA_APP_ID"))  # type: ignore[call-arg]  # its stubs are older
