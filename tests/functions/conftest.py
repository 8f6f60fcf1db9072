"""Handlers as Lambda calls them: samples of events/, and the tables, queues and key of template.yaml in moto."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from local import intrinsics, template

EVENTS = Path(__file__).parents[2] / "events"
REGION, ACCOUNT = "us-east-1", "123456789012"
STACK = template.load()
NAMES = intrinsics.Names(
    refs={
        **STACK.defaults,
        **{table: table for table in STACK.tables},
        **{queue: f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{queue}" for queue in STACK.queues},
    },
    attributes={(key, "Arn"): f"alias/{key}" for key in STACK.keys},
)

# Now, not in a fixture: in Lambda too, the environment is there before a function's module is imported.
os.environ |= {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": REGION,
    **STACK.environment(NAMES),
}


@dataclass(frozen=True)
class Context:
    """What Lambda tells a handler about its invocation."""

    function_name: str = "jobtrack-test"
    function_version: str = "$LATEST"
    invoked_function_arn: str = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:jobtrack-test"
    memory_limit_in_mb: int = 1024
    aws_request_id: str = "5f1c2b3a-0d4e-4f6a-8b7c-9d0e1f2a3b4c"
    log_group_name: str = "FunctionLogs"
    log_stream_name: str = "2026/11/23/jobtrack-test[$LATEST]0123456789abcdef"

    def get_remaining_time_in_millis(self) -> int:
        return 20_000


@pytest.fixture
def context() -> Context:
    return Context()


@pytest.fixture
def sample() -> Callable[[str], dict[str, Any]]:
    """Reads a sample event, anew each time: `sample("get-job")`."""

    def read(name: str) -> dict[str, Any]:
        event = json.loads((EVENTS / f"{name}.json").read_text())
        assert isinstance(event, dict)
        return event

    return read


@pytest.fixture
def stack() -> Iterator[None]:
    """The stack's tables, queues and key, empty, while the test runs."""
    with mock_aws():
        _create_tables()
        _create_queues()
        _create_keys()
        yield


def _create_tables() -> None:
    client = boto3.client("dynamodb")
    for name, table in STACK.tables.items():
        wanted = table.model_dump(by_alias=True, exclude_defaults=True)
        if table.stream_specification:
            wanted["StreamSpecification"]["StreamEnabled"] = True
        client.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **wanted)


def _create_queues() -> None:
    client = boto3.client("sqs")
    for name in STACK.queues:
        client.create_queue(QueueName=name)


def _create_keys() -> None:
    client = boto3.client("kms")
    for name in STACK.keys:
        key = client.create_key()["KeyMetadata"]["KeyId"]
        client.create_alias(AliasName=f"alias/{name}", TargetKeyId=key)
