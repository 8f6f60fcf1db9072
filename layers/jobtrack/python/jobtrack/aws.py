"""AWS clients, configured once."""

import logging
from typing import TYPE_CHECKING, Literal, overload

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from types_boto3_apigatewaymanagementapi import ApiGatewayManagementApiClient
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_kms import KMSClient
    from types_boto3_sqs import SQSClient

# Transactions that lose to another writer are not retried by botocore; throttling, 5xx and broken connections are.
_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 4},
    connect_timeout=2,
    read_timeout=10,
    max_pool_connections=64,
    tcp_keepalive=True,
    user_agent_extra="jobtrack",
)

# A post is repeated by who posts; the next one waits for it.
_POSTING = _CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}, read_timeout=5))

# At DEBUG it writes down whole requests and answers: what is sealed and opened with the key is in them, in the clear.
# At INFO it tells of every client where its endpoint was found.
logging.getLogger("botocore").setLevel(logging.WARNING)


@overload
def client(service: Literal["dynamodb"]) -> "DynamoDBClient": ...
@overload
def client(service: Literal["sqs"]) -> "SQSClient": ...
@overload
def client(service: Literal["kms"]) -> "KMSClient": ...
def client(service: Literal["dynamodb", "sqs", "kms"]) -> "DynamoDBClient | SQSClient | KMSClient":
    """A client of the service; emulators are found by boto3's own AWS_ENDPOINT_URL_* variables."""
    made: DynamoDBClient | SQSClient | KMSClient = boto3.client(service, config=_CONFIG)
    return made


def websockets(endpoint: str) -> "ApiGatewayManagementApiClient":
    """A client that posts to the connections of the WebSocket API behind the endpoint."""
    made: ApiGatewayManagementApiClient = boto3.client(
        "apigatewaymanagementapi", endpoint_url=endpoint, config=_POSTING
    )
    return made
