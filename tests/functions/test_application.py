"""The local service's view of template.yaml: its application, its resources, its backlog."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from botocore.session import Session
from fastapi.routing import APIRoute

from jobtrack import aws, times
from jobtrack_local.engine import provision
from jobtrack_local.engine.engine_process import EngineProcess
from jobtrack_local.engine.engines import Engine
from jobtrack_local.engine.sqlite.engine import SqliteEngine
from jobtrack_local.environment import own_settings
from jobtrack_local.gateway import app
from jobtrack_local.pollers.outbox_backlog import OutboxBacklog
from jobtrack_local.runtime import events
from jobtrack_local.template import template
from jobtrack_local.template.intrinsics import Names
from jobtrack_local.websocket.connections import Connections
from jobtrack_local.wiring import build_pollers, build_websocket_gateway
from tests.functions.conftest import DYNAMODB, SQS

PLAN = template.load()
SAMPLE = json.loads((Path(__file__).parents[2] / "events" / "outbox-record.json").read_text())["Records"][0]
NOW = 1_795_430_733


@pytest.fixture
def names(stack: None) -> Names:
    return provision.provision(PLAN)


def test_the_routers_have_the_templates_routes_and_no_others() -> None:
    found = {
        (method, route.path)
        for router in app.routers(PLAN)
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }
    assert found == {(route.method, route.path) for route in PLAN.routes}


def test_every_variable_that_functions_are_told_has_a_local_meaning(names: Names) -> None:
    told = PLAN.environment(names, own_settings("http://127.0.0.1:8080", "secret"))
    assert told["WEBSOCKET_URL"] == "ws://127.0.0.1:8080/websocket"
    assert told["WEBSOCKET_ENDPOINT"] == "http://127.0.0.1:8080/secret"
    assert told["JOBS_TABLE"] == "jobtrack-JobsTable"
    assert told["DELIVERY_QUEUE_URL"].endswith("/jobtrack-DeliveryQueue")
    assert told["SLOW_DELIVERY_QUEUE_URL"].endswith("/jobtrack-SlowDeliveryQueue")


def test_tables_queues_and_keys_are_those_of_the_template(names: Names) -> None:
    jobs = DYNAMODB.describe_table(TableName=names.refs["JobsTable"])["Table"]
    assert jobs["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    assert [index["IndexName"] for index in jobs["GlobalSecondaryIndexes"]] == ["by_status"]
    queue = SQS.get_queue_attributes(QueueUrl=names.refs["DeliveryQueue"], AttributeNames=["All"])["Attributes"]
    assert queue["VisibilityTimeout"] == str(PLAN.queues["DeliveryQueue"].visibility_timeout)
    assert json.loads(queue["RedrivePolicy"])["deadLetterTargetArn"] == names.attributes["DeliveryFailures", "Arn"]


def test_what_is_there_is_found_again(names: Names) -> None:
    assert provision.provision(PLAN) == names


@pytest.mark.parametrize("dynamodb", [None, cast("EngineProcess", object())], ids=["embedded", "DynamoDB Local"])
def test_each_trigger_gets_its_poller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dynamodb: EngineProcess | None
) -> None:
    embedded, session = SqliteEngine(tmp_path), Session()
    embedded.attach(session)
    monkeypatch.setattr(aws, "session", lambda: session)
    pollers = build_pollers(PLAN, provision.provision(PLAN), Engine(embedded, dynamodb))
    assert len(pollers) == len(PLAN.streams) + len(PLAN.consumers) + len(PLAN.schedules) + len(["purge"]) == 6
    embedded.close()


def test_each_route_of_the_websocket_api_gets_its_function() -> None:
    assert PLAN.websocket.selection == ("action",)
    assert {key: route.function for key, route in PLAN.websocket.routes.items()} == {
        "$connect": "ConnectFunction",
        "resume": "ResumeFunction",
        "$default": "ResumeFunction",
        "$disconnect": "DisconnectFunction",
    }
    assert not any(route.has_response for route in PLAN.websocket.routes.values())
    build_websocket_gateway(PLAN, Connections())


def test_the_backlog_is_what_has_not_expired_as_the_stream_would_show_it(names: Names) -> None:
    table = names.refs["JobsTable"]
    for sort_key, expires in (("O#2", NOW + 1), ("O#1", NOW + 1), ("O#0", NOW), ("S", NOW + 1), ("L#1", NOW + 1)):
        item: dict[str, Any] = {
            "pk": {"S": "p"},
            "sk": {"S": sort_key},
            "exp": {"N": str(expires)},
            "d": {"B": b"\x00\xff"},
        }
        DYNAMODB.put_item(TableName=table, Item=item)
    stream = names.attributes["JobsTable", "StreamArn"]
    (page,) = OutboxBacklog(DYNAMODB, table, stream, "O#", lambda: times.add_seconds(times.EPOCH, NOW)).records()
    keys = [change(record)["Keys"] for record in page]
    assert keys == [{"pk": {"S": "p"}, "sk": {"S": "O#1"}}, {"pk": {"S": "p"}, "sk": {"S": "O#2"}}]
    assert all(set(record) == set(SAMPLE) and set(change(record)) == set(change(SAMPLE)) for record in page)
    assert '"d": {"B": "AP8="}' in json.dumps(change(page[0])["NewImage"])
    assert len({events.sequence_number(record) for record in page}) == 2
    assert {events.created_at(record) for record in page} == {times.add_seconds(times.EPOCH, NOW)}


def test_a_record_of_the_stream_gets_lambdas_shape() -> None:
    given = {
        **SAMPLE,
        "dynamodb": {
            **change(SAMPLE),
            "ApproximateCreationDateTime": datetime.fromtimestamp(NOW, UTC),
            "NewImage": {"d": {"B": b"\x00\xff"}, "l": {"L": [{"B": b"\x00"}]}},
        },
    }
    del given["eventSourceARN"]
    shown = events.stream_record(given, SAMPLE["eventSourceARN"])
    image = {"d": {"B": "AP8="}, "l": {"L": [{"B": "AA=="}]}}
    assert shown == {**SAMPLE, "dynamodb": {**change(SAMPLE), "NewImage": image}}
    json.dumps(shown)


def change(record: events.Record) -> dict[str, object]:
    found = record["dynamodb"]
    assert isinstance(found, dict)
    return found
