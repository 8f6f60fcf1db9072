"""Least privilege: each function's policy names what it uses, and nothing else."""

import json

import pytest

from jobtrack_local.template import intrinsics
from scripts.policies import listed, resource_of
from tests.stack import FAILURE_QUEUES, FUNCTIONS, RESOURCES, grants, of_type, statements, triggers, variables

READS = {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"}
STREAM = {"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"}
QUEUE = {"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"}

READING = [{"Fn::Sub": "${ScopePrefix}jobs:read"}]
WRITERS = {name for name, route in triggers("HttpApi") if route["Auth"].get("AuthorizationScopes", READING) != READING}
READERS = sorted({name for name, _ in triggers("HttpApi")} - WRITERS)


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_policies_name_what_they_allow(function: str) -> None:
    for statement in statements(function):
        assert statement["Effect"] == "Allow"
        assert not [action for action in listed(statement["Action"]) if "*" in action]
        if "*" in json.dumps(statement["Resource"]):
            # AWS has no narrower resource for these: the connection's id is open.
            assert (function, statement["Action"], statement["Resource"]) == (
                "DispatcherFunction",
                "dynamodb:ListStreams",
                "*",
            ) or all(resource_of(each).startswith("WebSocketApi/") for each in listed(statement["Resource"]))


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_functions_know_of_just_what_they_may_use(function: str) -> None:
    named = {
        intrinsics.target(value)
        for variable, value in variables(function).items()
        if variable.endswith(("_TABLE", "_QUEUE_URL", "_KEY_ID"))
    }
    allowed = {resource for resource in grants(function) if resource in RESOURCES}
    assert named == allowed - FAILURE_QUEUES


@pytest.mark.parametrize("function", READERS)
def test_readers_cannot_write(function: str) -> None:
    assert set().union(*grants(function).values()) <= READS


def test_who_touches_secrets() -> None:
    keyed = {name: grants(name)["SecretsKey"] for name in FUNCTIONS if "SecretsKey" in grants(name)}
    assert keyed == {
        "JobsFunction": {"kms:Decrypt", "kms:Encrypt"},
        "SubscriptionsFunction": {"kms:Decrypt", "kms:Encrypt"},
        "DelivererFunction": {"kms:Decrypt"},
        "SlowDelivererFunction": {"kms:Decrypt"},
    }


def test_nothing_scans_and_only_what_keeps_timers_or_connections_deletes() -> None:
    found = {name: {action for actions in grants(name).values() for action in actions} for name in FUNCTIONS}
    assert not [name for name, actions in found.items() if "dynamodb:Scan" in actions]
    assert {name for name, actions in found.items() if "dynamodb:DeleteItem" in actions} == {
        "ConnectFunction",
        "DisconnectFunction",
        "DelivererFunction",
        "SlowDelivererFunction",
        "WatchdogFunction",
    }
    # BatchWriteItem stores or deletes many items: subscriptions of a new job, parts of deliveries, handled timers.
    assert {name for name, actions in found.items() if "dynamodb:BatchWriteItem" in actions} == {
        "JobsFunction",
        "DelivererFunction",
        "SlowDelivererFunction",
        "WatchdogFunction",
        "ExpirerFunction",
    }


def test_pollers_read_their_own_source_only() -> None:
    assert grants("DispatcherFunction")["JobsTable/stream"] == STREAM
    lanes = {"DeliveryQueue", "SlowDeliveryQueue"}
    for name in FUNCTIONS:
        polls = {resource for resource, actions in grants(name).items() if actions & (STREAM | QUEUE)}
        delivers = {
            "DelivererFunction": lanes,
            "SlowDelivererFunction": lanes,
        }  # one role, because the code is the same
        assert polls == {"DispatcherFunction": {"JobsTable/stream"}, **delivers}.get(name, set())
        assert all(grants(name)[lane] == QUEUE | {"sqs:SendMessage"} for lane in polls & lanes)


def test_roles_are_for_lambda_alone() -> None:
    for role in of_type("AWS::IAM::Role").values():
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}
        managed = {each["Fn::Sub"].rpartition("/")[2] for each in role["ManagedPolicyArns"]}
        assert managed == {"AWSLambdaBasicExecutionRole", "AWSXRayDaemonWriteAccess"}
