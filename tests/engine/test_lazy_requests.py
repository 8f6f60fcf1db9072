"""What remains of botocore's requests on the embedded engine: validation, and a body for the handlers that read it."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError
from botocore.session import Session

KEY = {"pk": {"S": "1"}}


@pytest.fixture
def dynamodb(clients: Session) -> Any:
    client: Any = clients.create_client("dynamodb")
    client.create_table(
        TableName="t",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return client


WRONG_VALUES = ["1", {"S": 1}, {"N": 1}, {"X": "1"}, {"S": None}, {"L": [{"N": 1}]}, {"M": {"a": {"B": 1}}}]


@pytest.mark.parametrize(
    "parameters", [{}, {"Key": KEY, "Unknown": 1}, *({"Key": {"pk": value}} for value in WRONG_VALUES)]
)
def test_parameters_are_validated(dynamodb: Any, parameters: dict[str, Any]) -> None:
    with pytest.raises(ParamValidationError):
        dynamodb.get_item(TableName="t", **parameters)


def test_a_handler_reads_the_body_that_would_be_sent(dynamodb: Any) -> None:
    bodies: list[Any] = []
    dynamodb.meta.events.register("before-call", lambda params, **_: bodies.append(json.loads(params["body"])))
    dynamodb.put_item(TableName="t", Item={**KEY, "d": {"B": b"data"}})
    assert bodies == [{"TableName": "t", "Item": {**KEY, "d": {"B": "ZGF0YQ=="}}}]


def test_a_handler_replaces_the_response_of_the_engine(dynamodb: Any) -> None:
    class Throttled:
        status_code = 400

    error = {"Error": {"Code": "ThrottlingException", "Message": ""}}
    dynamodb.meta.events.register("before-call.dynamodb.PutItem", lambda **_: (Throttled, error))
    with pytest.raises(ClientError, match="ThrottlingException"):
        dynamodb.put_item(TableName="t", Item=KEY)
    assert "Item" not in dynamodb.get_item(TableName="t", Key=KEY)
