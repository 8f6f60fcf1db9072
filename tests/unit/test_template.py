"""Settings of template.yaml without which data would be lost or a route would be open."""

import json
from collections.abc import Mapping

import pytest

from jobtrack.push.delivery import endpoint_health
from jobtrack.push.dispatch.dispatcher import SPARE_SECONDS
from jobtrack.push.egress import guarded_post
from jobtrack_local.template import intrinsics
from tests.stack import (
    FAILURE_QUEUES,
    FUNCTIONS,
    GLOBALS,
    QUEUES,
    RESOURCES,
    ROOT,
    TABLES,
    grants,
    of_type,
    only_trigger,
    triggers,
    variables,
)

BASE = "/api/{tenantId}/{projectId}/execution"
SUBSCRIPTION = f"{BASE}/subscription/{{subscriptionId}}"

ROUTES = {
    # method and path: (function, scope)
    f"POST {BASE}/jobs": ("JobsFunction", "jobs:write"),
    f"GET {BASE}/job/{{jobId}}": ("JobsFunction", "jobs:read"),
    f"GET {BASE}/jobs": ("JobsFunction", "jobs:read"),
    f"GET {BASE}/tracking/batch": ("BatchFunction", "jobs:read"),
    f"GET {BASE}/queue": ("QueueFunction", "jobs:read"),
    f"PUT {BASE}/worker/{{workerNode}}": ("WorkersFunction", "jobs:write"),
    f"POST {BASE}/job/{{jobId}}/events": ("EventsFunction", "jobs:write"),
    f"GET {BASE}/job/{{jobId}}/logs": ("LogsFunction", "jobs:read"),
    f"GET {BASE}/job/{{jobId}}/progress": ("ProgressFunction", "jobs:read"),
    f"GET {BASE}/job/{{jobId}}/metrics": ("MetricsFunction", "jobs:read"),
    f"GET {BASE}/job/{{jobId}}/timeline": ("TimelineFunction", "jobs:read"),
    f"GET {BASE}/job/{{jobId}}/dependencies": ("DependenciesFunction", "jobs:read"),
    f"POST {BASE}/job/{{jobId}}/subscribe": ("SubscriptionsFunction", "subscriptions:write"),
    f"GET {BASE}/job/{{jobId}}/subscriptions": ("SubscriptionsFunction", "jobs:read"),
    f"GET {SUBSCRIPTION}": ("SubscriptionsFunction", "jobs:read"),
    f"DELETE {SUBSCRIPTION}": ("SubscriptionsFunction", "subscriptions:write"),
    f"POST {SUBSCRIPTION}/renew": ("SubscriptionsFunction", "subscriptions:write"),
    f"POST {SUBSCRIPTION}/rotate-secret": ("SubscriptionsFunction", "subscriptions:write"),
    f"POST {SUBSCRIPTION}/ticket": ("SubscriptionsFunction", "subscriptions:write"),
    f"POST {SUBSCRIPTION}/test": ("SubscriptionsFunction", "subscriptions:write"),
    f"GET {SUBSCRIPTION}/deliveries": ("DeliveriesFunction", "jobs:read"),
    f"POST {SUBSCRIPTION}/deliveries/{{messageId}}/retry": ("DeliveriesFunction", "subscriptions:write"),
    "GET /health": ("DocsFunction", None),
    "GET /openapi.json": ("DocsFunction", None),
    "GET /docs": ("DocsFunction", None),
    "GET /docs/{file}": ("DocsFunction", None),
}


def test_every_route_has_its_function_and_scope() -> None:
    found = {
        f"{route['Method']} {route['Path']}": (name, route["Auth"].get("AuthorizationScopes"))
        for name, route in triggers("HttpApi")
    }
    assert found == {
        key: (name, scope and [{"Fn::Sub": f"${{ScopePrefix}}{scope}"}]) for key, (name, scope) in ROUTES.items()
    }


def test_only_health_and_the_description_are_open_to_anyone() -> None:
    open_paths = [route["Path"] for _, route in triggers("HttpApi") if route["Auth"].get("Authorizer") == "NONE"]
    assert open_paths == ["/health", "/openapi.json", "/docs", "/docs/{file}"]
    assert RESOURCES["Api"]["Properties"]["Auth"]["DefaultAuthorizer"] == "Jwt"
    assert all(intrinsics.target(route["ApiId"]) == "Api" for _, route in triggers("HttpApi"))


def test_the_template_and_the_folders_name_the_same_functions() -> None:
    folders = {path.parent.relative_to(ROOT).as_posix() for path in ROOT.glob("functions/*/*/app.py")}
    assert {function["CodeUri"] for function in FUNCTIONS.values()} == folders
    assert GLOBALS["Handler"] == "app.handler"
    assert not [name for name, function in FUNCTIONS.items() if "Handler" in function]


def test_functions_are_packages() -> None:
    # Otherwise the import rules would not see them.
    assert all((ROOT / function["CodeUri"] / "__init__.py").is_file() for function in FUNCTIONS.values())


def test_functions_have_no_requirements_of_their_own() -> None:
    assert not list(ROOT.glob("functions/**/requirements*.txt"))


def test_the_stream_starts_the_dispatcher_for_outbox_records_only() -> None:
    name, trigger = only_trigger("DynamoDB")
    assert name == "DispatcherFunction"
    assert trigger["Stream"] == {"Fn::GetAtt": ["JobsTable", "StreamArn"]}
    (criteria,) = trigger["FilterCriteria"]["Filters"]
    assert json.loads(criteria["Pattern"]) == {
        "eventName": ["INSERT"],
        "dynamodb": {"Keys": {"sk": {"S": [{"prefix": "O#"}]}}},
    }


def test_an_outage_of_hours_loses_no_record_and_pointers_come_before_the_stream_forgets() -> None:
    _, trigger = only_trigger("DynamoDB")
    assert trigger["StartingPosition"] == "TRIM_HORIZON"
    assert trigger["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert trigger["BisectBatchOnFunctionError"] is True
    assert trigger["MaximumRetryAttempts"] == 10_000  # Lambda's maximum, because the age is the bound that counts
    assert 12 * 3600 <= trigger["MaximumRecordAgeInSeconds"] <= 23 * 3600
    destination = trigger["DestinationConfig"]["OnFailure"]["Destination"]
    assert intrinsics.target(destination) == "DispatchFailures"
    assert "sqs:SendMessage" in grants("DispatcherFunction")["DispatchFailures"]
    assert grants("DispatcherFunction")["QuarantineTable"] == {"dynamodb:PutItem"}
    assert FUNCTIONS["DispatcherFunction"]["Timeout"] > 2 * SPARE_SECONDS


LANES = {"DelivererFunction": "DeliveryQueue", "SlowDelivererFunction": "SlowDeliveryQueue"}


def test_each_lane_has_its_queue_its_function_and_its_own_concurrency() -> None:
    found = dict(triggers("SQS"))
    assert {name: trigger["Queue"] for name, trigger in found.items()} == {
        name: {"Fn::GetAtt": [queue, "Arn"]} for name, queue in LANES.items()
    }
    assert len({FUNCTIONS[name]["CodeUri"] for name in LANES}) == 1
    assert variables("DelivererFunction") == variables("SlowDelivererFunction")
    assert all(trigger["ScalingConfig"]["MaximumConcurrency"] >= 2 for trigger in found.values())


@pytest.mark.parametrize(("name", "queue"), sorted(LANES.items()))
def test_the_queue_outwaits_the_deliverer_and_a_lease_outlives_it(name: str, queue: str) -> None:
    timeout = FUNCTIONS[name]["Timeout"]
    assert dict(triggers("SQS"))[name]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert timeout > 2 * guarded_post.DEADLINE_SECONDS  # its messages are posted concurrently
    assert QUEUES[queue]["VisibilityTimeout"] >= 6 * timeout
    assert timeout < endpoint_health.LEASE_SECONDS


@pytest.mark.parametrize("queue", sorted(LANES.values()))
def test_what_fails_is_kept_longer_than_what_waits(queue: str) -> None:
    waiting = QUEUES[queue]
    assert waiting["MessageRetentionPeriod"] > 24 * 3600
    assert intrinsics.target(waiting["RedrivePolicy"]["deadLetterTargetArn"]) == "DeliveryFailures"
    assert waiting["RedrivePolicy"]["maxReceiveCount"] * waiting["VisibilityTimeout"] >= 5 * 3600
    for name in FAILURE_QUEUES:
        assert QUEUES[name]["MessageRetentionPeriod"] == 14 * 86400
    assert all(one["SqsManagedSseEnabled"] is True for one in QUEUES.values())


def test_only_functions_that_start_themselves_through_queues_may_do_so() -> None:
    """Lambda's recursive loop detection stops the others, and should: for them a loop is a bug."""
    consumers = {intrinsics.target(trigger["Queue"]): name for name, trigger in triggers("SQS")}
    starts = {name: {consumers[each] for each in grants(name) if _sends(name, each, consumers)} for name in FUNCTIONS}
    looping = {name for name in FUNCTIONS if name in _reached(name, starts)}
    assert looping == set(LANES)
    assert {name: function.get("RecursiveLoop") for name, function in FUNCTIONS.items()} == {
        name: "Allow" if name in looping else None for name in FUNCTIONS
    }


def _sends(name: str, resource: str, consumers: Mapping[str, str]) -> bool:
    return resource in consumers and "sqs:SendMessage" in grants(name)[resource]


def _reached(name: str, starts: Mapping[str, set[str]]) -> set[str]:
    """Return every function that this one may start, directly or through others."""
    found, following = set[str](), [*starts[name]]
    while following:
        if (each := following.pop()) not in found:
            found.add(each)
            following += starts[each]
    return found


@pytest.mark.parametrize("table", sorted(TABLES))
def test_tables(table: str) -> None:
    properties = TABLES[table]
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "exp", "Enabled": True}
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert [(key["AttributeName"], key["KeyType"]) for key in properties["KeySchema"]] == [
        ("pk", "HASH"),
        ("sk", "RANGE"),
    ]
    assert all(attribute["AttributeType"] == "S" for attribute in properties["AttributeDefinitions"])
    assert RESOURCES[table]["DeletionPolicy"] == "RetainExceptOnCreate"
    assert RESOURCES[table]["UpdateReplacePolicy"] == "Retain"


def test_the_jobs_table_streams_and_has_a_cheap_index() -> None:
    jobs = TABLES["JobsTable"]
    (index,) = jobs["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "by_status"
    assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}
    assert jobs["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}
    assert not [name for name in TABLES if name != "JobsTable" and "StreamSpecification" in TABLES[name]]


def test_the_key_that_seals_secrets_rotates_and_survives_the_stack() -> None:
    key = RESOURCES["SecretsKey"]
    assert key["Properties"]["EnableKeyRotation"] is True
    assert key["DeletionPolicy"] == "RetainExceptOnCreate"
    assert key["UpdateReplacePolicy"] == "Retain"


def test_functions_run_where_the_layers_were_built_for() -> None:
    assert (GLOBALS["Runtime"], GLOBALS["Architectures"]) == ("python3.13", ["arm64"])
    assert [intrinsics.target(layer) for layer in GLOBALS["Layers"]] == ["DependenciesLayer", "JobtrackLayer"]
    for layer in of_type("AWS::Serverless::LayerVersion").values():
        assert layer["CompatibleRuntimes"] == ["python3.13"]
        assert layer["CompatibleArchitectures"] == ["arm64"]
    assert not [name for name, function in FUNCTIONS.items() if {"Runtime", "Architectures", "Layers"} & set(function)]


def test_the_api_answers_before_the_gateway_gives_up() -> None:
    answering = {name for name, _ in triggers("HttpApi")}
    assert all(FUNCTIONS[name].get("Timeout", GLOBALS["Timeout"]) < 30 for name in answering)


def test_what_the_clock_starts_runs_every_minute_and_ends_before_it_runs_again() -> None:
    assert sorted(name for name, _ in triggers("ScheduleV2")) == ["ExpirerFunction", "WatchdogFunction"]
    for name, schedule in triggers("ScheduleV2"):
        assert schedule["ScheduleExpression"] == "rate(1 minute)"
        assert FUNCTIONS[name]["Timeout"] < 60
        assert schedule["RetryPolicy"] == {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0}


def test_logs_do_not_stay_for_ever() -> None:
    assert intrinsics.target(GLOBALS["LoggingConfig"]["LogGroup"]) == "FunctionLogs"
    assert RESOURCES["FunctionLogs"]["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_loopback_webhooks_are_for_the_local_service_only() -> None:
    assert "ALLOW_LOOPBACK_WEBHOOKS" not in (ROOT / "template.yaml").read_text()


def test_every_alarm_is_explained_and_sent_to_the_topic() -> None:
    explained = (ROOT / "docs/operating.md").read_text()
    alarms = of_type("AWS::CloudWatch::Alarm")
    assert len(alarms) == 9
    for name, alarm in alarms.items():
        assert f"| `{name}` |" in explained
        assert alarm["AlarmActions"] == {"Fn::If": ["SendsAlarms", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}


def test_alarms_count_lines_that_the_functions_log() -> None:
    logged = "".join(path.read_text() for path in (ROOT / "layers/jobtrack/python/jobtrack/push").rglob("*.py"))
    assert '"%s %s after attempt %d"' in logged
    assert "was quarantined" in logged
    patterns = [each["FilterPattern"] for each in of_type("AWS::Logs::MetricFilter").values()]
    assert any("*Failed after attempt*" in pattern for pattern in patterns)
    assert any("*was quarantined*" in pattern for pattern in patterns)


def test_functions_of_the_api_start_from_snapshots_and_no_others() -> None:
    for name, function in of_type("AWS::Serverless::Function").items():
        ours = function["CodeUri"].startswith("functions/api/")
        assert ("SnapStart" in function) == ours, name
        assert ("AutoPublishAlias" in function) == ours, name
