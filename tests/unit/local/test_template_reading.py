"""template.yaml as the local service reads it."""

from pathlib import Path

import pytest

from jobtrack_local.errors import LocalError
from jobtrack_local.template import template
from jobtrack_local.template.cloudformation import TimeToLive
from jobtrack_local.template.intrinsics import Names, read, target

MINIMAL = """
Globals:
  Function:
    Timeout: 7
    Environment:
      Variables: {LOG_LEVEL: !Ref Level, SHARED: both}
Parameters:
  Level: {Type: String, Default: INFO}
  Nothing: {Type: String}
Resources:
  Reader:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/api/reader
      MemorySize: 512
      Environment:
        Variables: {TABLE: !Ref Things, KEY: !GetAtt Key.Arn, URL: !Sub "x/${Things}/${Key.Arn}"}
      Events:
        Get:
          Type: HttpApi
          Properties: {Method: GET, Path: "/thing/{id}", Auth: {AuthorizationScopes: [things:read]}}
        Open:
          Type: HttpApi
          Properties: {Method: GET, Path: /health, Auth: {Authorizer: NONE}}
        Nightly:
          Type: ScheduleV2
          Properties: {ScheduleExpression: rate(1 day)}
  Follower:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/stream/follower
      Timeout: 60
      Events:
        Stream:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Things.StreamArn
            FilterCriteria: {Filters: [{Pattern: '{"eventName":["INSERT"]}'}]}
            MaximumRetryAttempts: 3
        Queue:
          Type: SQS
          Properties: {Queue: !GetAtt Work.Arn, BatchSize: 5}
  Things:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      StreamSpecification: {StreamViewType: NEW_IMAGE}
      TimeToLiveSpecification: {AttributeName: exp, Enabled: true}
  Work:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 360
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 5}
  Dead: {Type: AWS::SQS::Queue}
  Key: {Type: AWS::KMS::Key, Properties: {Description: seals}}
  Role: {Type: AWS::IAM::Role, Properties: {Path: !Sub "${AWS::Partition}/x"}}
"""
NAMES = Names({"Things": "jobtrack-Things", "Level": "DEBUG"}, {("Key", "Arn"): "arn:key", ("Dead", "Arn"): "arn:dead"})


@pytest.fixture
def minimal(tmp_path: Path) -> template.Template:
    path = tmp_path / "template.yaml"
    path.write_text(MINIMAL)
    return template.load(path)


def test_functions_have_their_own_properties_over_the_shared_ones(minimal: template.Template) -> None:
    sizes = {name: (found.timeout, found.memory_size) for name, found in minimal.functions.items()}
    assert sizes == {"Reader": (7, 512), "Follower": (60, 128)}


def test_variables_are_resolved_to_local_names(minimal: template.Template) -> None:
    assert minimal.environment(NAMES) == {
        "LOG_LEVEL": "DEBUG",
        "SHARED": "both",
        "TABLE": "jobtrack-Things",
        "KEY": "arn:key",
        "URL": "x/jobtrack-Things/arn:key",
    }


def test_what_is_otherwise_on_one_machine_is_not_asked_of_the_template(minimal: template.Template) -> None:
    own = {"TABLE": "here", "KEY": "here", "URL": "here", "MORE": "here"}
    assert minimal.environment(Names({"Level": "DEBUG"}), own) == {**own, "LOG_LEVEL": "DEBUG", "SHARED": "both"}


def test_two_functions_cannot_want_one_variable_differently(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(MINIMAL.replace("Timeout: 60", "Environment: {Variables: {SHARED: mine}}"))
    with pytest.raises(LocalError, match="SHARED two values"):
        template.load(path).environment(NAMES)


def test_routes_carry_their_scopes(minimal: template.Template) -> None:
    routes = {route.path: (route.method, *route.auth.authorization_scopes) for route in minimal.routes}
    assert routes == {"/thing/{id}": ("GET", "things:read"), "/health": ("GET",)}
    assert [route.auth.authorizer for route in minimal.routes] == [None, "NONE"]


def test_triggers_carry_their_bounds_and_lambdas_defaults(minimal: template.Template) -> None:
    ((stream_function, stream),) = minimal.streams
    ((queue_function, queue),) = minimal.consumers
    assert (stream_function, queue_function) == ("Follower", "Follower")
    assert (stream.maximum_retry_attempts, stream.maximum_record_age_in_seconds, stream.batch_size) == (3, -1, 100)
    assert [found.pattern for found in stream.filter_criteria.filters] == ['{"eventName":["INSERT"]}']
    assert (target(queue.queue), queue.batch_size) == ("Work", 5)


def test_a_schedule_carries_its_rate(minimal: template.Template) -> None:
    assert [(name, found.schedule_expression) for name, found in minimal.schedules] == [("Reader", "rate(1 day)")]


def test_a_table_is_created_with_its_stream_and_has_its_time_to_live(minimal: template.Template) -> None:
    assert minimal.tables["Things"].arguments() == {
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "StreamSpecification": {"StreamViewType": "NEW_IMAGE", "StreamEnabled": True},
    }
    assert minimal.tables["Things"].time_to_live_specification == TimeToLive.model_validate(
        {"AttributeName": "exp", "Enabled": True}
    )


def test_a_queue_is_created_with_its_dead_letters(minimal: template.Template) -> None:
    wanted = minimal.queues["Work"].attributes(NAMES)
    assert wanted["VisibilityTimeout"] == "360"
    assert wanted["RedrivePolicy"] == '{"deadLetterTargetArn": "arn:dead", "maxReceiveCount": 5}'
    assert "RedrivePolicy" not in minimal.queues["Dead"].attributes(NAMES)


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ({"Ref": "Nobody"}, "refers to Nobody"),
        ({"Fn::GetAtt": ["Things", "Colour"]}, "refers to Things.Colour"),
        ({"Fn::Sub": "${Nobody}"}, "refers to Nobody"),
        ({"Fn::ImportValue": "x"}, "cannot resolve"),
    ],
)
def test_what_means_nothing_here_is_refused(value: object, complaint: str) -> None:
    with pytest.raises(LocalError, match=complaint):
        NAMES.resolve(value)


@pytest.mark.parametrize(("value", "text"), [(90, "90"), (True, "true"), ("x", "x")])
def test_scalars_are_their_text(value: object, text: str) -> None:
    assert NAMES.resolve(value) == text


@pytest.mark.parametrize("text", [": [", "- a\n- b", "!Unknown x"])
def test_what_is_no_template_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(text)
    with pytest.raises(LocalError):
        read(path)


def test_a_missing_template_is_told(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="cannot read"):
        template.load(tmp_path / "none.yaml")


def test_a_template_that_lacks_what_is_needed_is_told(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(MINIMAL.replace("      CodeUri: functions/api/reader\n", ""))
    with pytest.raises(LocalError, match="CodeUri"):
        template.load(path)
