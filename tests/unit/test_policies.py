"""The comparison of policies and calls, and the permissions that a call needs."""

import copy
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.session import Session, get_session

from jobtrack import aws
from jobtrack_local.runtime.call_recorder import FILE_VARIABLE, clients_of, required_grants, start_recording
from jobtrack_local.template.intrinsics import Names
from scripts.policies import UNSEEN, compare, listed
from tests.stack import FUNCTIONS, RESOURCES, grants

EVERY_CALL = [
    (FUNCTIONS[name]["CodeUri"], action, resource)
    for name in FUNCTIONS
    for resource, actions in grants(name).items()
    for action in actions
    if (name, resource, action) not in UNSEEN
]
KEY = {"pk": {"S": "p"}, "sk": {"S": "s"}}


def wrong(resources: Any, calls: list[tuple[str, str, str]]) -> dict[str, tuple[Any, Any]]:
    compared = compare(resources, calls)
    return {each.function: (each.missing, each.unused) for each in compared if each.missing or each.unused}


def test_what_is_granted_and_called_agrees() -> None:
    assert wrong(RESOURCES, EVERY_CALL) == {}


@pytest.mark.parametrize("function", sorted(name for name in FUNCTIONS if "Policies" in FUNCTIONS[name]))
def test_an_action_taken_from_a_policy_is_missing(function: str) -> None:
    for index, statement in enumerate(RESOURCES[function]["Properties"]["Policies"][0]["Statement"]):
        for action in listed(statement["Action"]):
            changed = copy.deepcopy(RESOURCES)
            told = changed[function]["Properties"]["Policies"][0]["Statement"][index]
            told["Action"] = [each for each in listed(told["Action"]) if each != action]
            missing, unused = wrong(changed, EVERY_CALL)[function]
            assert {each for _, each in missing} == {action}
            assert unused == []


def test_an_action_that_nobody_calls_is_unused() -> None:
    changed = copy.deepcopy(RESOURCES)
    changed["LogsFunction"]["Properties"]["Policies"][0]["Statement"][0]["Action"].append("dynamodb:PutItem")
    assert wrong(changed, EVERY_CALL) == {"LogsFunction": ([], [("JobsTable", "dynamodb:PutItem")])}


def test_a_grant_without_a_call_is_listed() -> None:
    calls = [each for each in EVERY_CALL if each[2] != "JobsTable/index/by_status"]
    assert set(wrong(RESOURCES, calls)) == {"JobsFunction", "BatchFunction", "QueueFunction"}


def test_reasons_are_only_given_for_what_is_granted() -> None:
    granted = {(name, place, action) for name in FUNCTIONS for place in grants(name) for action in grants(name)[place]}
    assert set(UNSEEN) <= granted


def test_the_comparison_has_a_line_for_each_resource() -> None:
    (comparison,) = (each for each in compare(RESOURCES, []) if each.function == "WorkersFunction")
    assert list(comparison.lines()) == [
        "WorkersFunction: 1 granted, 0 called, 0 missing, 1 unused",
        "  JobsTable: dynamodb:PutItem UNUSED",
    ]


def test_calls_of_code_that_is_no_functions_are_refused() -> None:
    with pytest.raises(ValueError, match="functions/elsewhere"):
        compare(RESOURCES, [("functions/elsewhere", "dynamodb:GetItem", "JobsTable")])


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "wanted"),
    [
        ("dynamodb", "GetItem", {"TableName": "T"}, {("dynamodb:GetItem", "T")}),
        ("dynamodb", "Query", {"TableName": "T", "IndexName": "i"}, {("dynamodb:Query", "T/index/i")}),
        (
            "dynamodb",
            "TransactWriteItems",
            {
                "TransactItems": [
                    {"Put": {"TableName": "T"}},
                    {"Update": {"TableName": "T"}},
                    {"Delete": {"TableName": "U"}},
                    {"ConditionCheck": {"TableName": "U"}},
                ]
            },
            {
                ("dynamodb:PutItem", "T"),
                ("dynamodb:UpdateItem", "T"),
                ("dynamodb:DeleteItem", "U"),
                ("dynamodb:ConditionCheckItem", "U"),
            },
        ),
        (
            "dynamodb",
            "BatchGetItem",
            {"RequestItems": {"T": {}, "U": {}}},
            {("dynamodb:BatchGetItem", "T"), ("dynamodb:BatchGetItem", "U")},
        ),
        ("sqs", "SendMessageBatch", {"QueueUrl": "Q"}, {("sqs:SendMessage", "Q")}),
        ("kms", "Decrypt", {"KeyId": "K"}, {("kms:Decrypt", "K")}),
        ("execute-api", "PostToConnection", {}, {("execute-api:ManageConnections", "WebSocketApi/POST")}),
    ],
)
def test_what_a_call_needs(service: str, operation: str, parameters: Any, wanted: set[tuple[str, str]]) -> None:
    assert set(required_grants(service, operation, parameters)) == wanted


def test_calls_are_noted_once_each_with_the_function_whose_client_makes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws, "session", cache(get_session))
    start_recording(Names({"JobsTable": "jobtrack-JobsTable"}), {FILE_VARIABLE: str(tmp_path / "calls")})
    with clients_of("functions/api/logs"):
        ours = _client()
    for each in (ours, ours, _client()):
        each.get_item(TableName="jobtrack-JobsTable", Key=KEY)
    noted = [json.loads(line) for line in (tmp_path / "calls").read_text().splitlines()]
    assert noted == [["functions/api/logs", "dynamodb:GetItem", "JobsTable"]]


def test_nothing_is_noted_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = list[Session]()
    monkeypatch.setattr(aws, "session", lambda: sessions.append(get_session()))
    start_recording(Names(), {})
    assert sessions == []


def _client() -> Any:
    made = aws.session().create_client(
        "dynamodb", "us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing"
    )
    answer: Any = _answer  # botocore's types do not know hooks that return a response
    made.meta.events.register("before-send", answer)
    return made


class _Raw:
    def stream(self, **_: object) -> Iterator[bytes]:
        yield b"{}"


def _answer(**_: object) -> AWSResponse:
    return AWSResponse("https://dynamodb.us-east-1.amazonaws.com/", 200, HTTPHeaders(), _Raw())
