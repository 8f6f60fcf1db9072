"""The WebSocket API of template.yaml as the local service reads it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobtrack_local.errors import LocalError
from jobtrack_local.template import template
from jobtrack_local.template.websocket_api import Route, WebSocketApi
from jobtrack_local.websocket.events import DEFAULT, select_route

STACK = """
Resources:
  Sockets:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: x, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.order.name}
  Http:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: y, ProtocolType: HTTP}
  Connect:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Sockets, RouteKey: $connect, Target: !Sub "integrations/${ToGreeter}"}
  Talk:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Sockets
      RouteKey: talk
      RouteResponseSelectionExpression: $default
      Target: !Sub integrations/${ToGreeter}
  Elsewhere:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Http, RouteKey: $default, Target: !Sub "integrations/${ToGreeter}"}
  ToGreeter:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Sockets
      IntegrationUri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/functions/${Greeter.Arn}/invocations
  Greeter: {Type: AWS::Serverless::Function, Properties: {CodeUri: functions/websocket/greeter}}
"""


def read(tmp_path: Path, text: str) -> WebSocketApi:
    path = tmp_path / "template.yaml"
    path.write_text(text)
    return template.load(path).websocket


def test_routes_lead_to_functions(tmp_path: Path) -> None:
    found = read(tmp_path, STACK)
    assert found.selection == ("order", "name")
    assert found.routes == {
        "$connect": Route("Greeter", has_response=False),
        "talk": Route("Greeter", has_response=True),
    }


def test_without_a_websocket_api_there_are_no_routes(tmp_path: Path) -> None:
    assert read(tmp_path, STACK.replace("WEBSOCKET", "HTTP")) == WebSocketApi()


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ("ProtocolType: HTTP", "ProtocolType: WEBSOCKET", "Sockets, Http"),
        ("$request.body.order.name", "$request.header.x", r"\$request\.header\.x"),
        ("${Greeter.Arn}", "${Stranger.Arn}", "AWS::Serverless::Function"),
        ('"integrations/${ToGreeter}"', '"integrations/none"', "AWS::ApiGatewayV2::Integration"),
        ("AWS::ApiGatewayV2::Integration", "AWS::ApiGatewayV2::Model", "AWS::ApiGatewayV2::Integration"),
        ("RouteKey: talk", "RouteName: talk", "RouteKey"),
    ],
    ids=["two APIs", "another selection", "no function", "no integration", "another kind", "no key"],
)
def test_what_cannot_be_served_is_told(tmp_path: Path, before: str, after: str, complaint: str) -> None:
    assert before in STACK
    with pytest.raises(LocalError, match=complaint):
        read(tmp_path, STACK.replace(before, after))


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ('{"order": {"name": "talk"}}', "talk"),
        (b'{"order": {"name": "talk"}}', "talk"),
        ('{"order": "talk"}', DEFAULT),
        ('{"order": {"name": null}}', DEFAULT),
        ('{"name": "talk"}', DEFAULT),
        (b"\xff", DEFAULT),
    ],
    ids=["text", "bytes", "no such member", "null", "elsewhere", "no text"],
)
def test_the_route_stands_at_its_path_in_the_body(body: str | bytes, key: str) -> None:
    assert select_route(("order", "name"), body) == key


@given(st.text() | st.binary() | st.recursive(st.none() | st.text(), st.lists).map(str))
def test_whatever_a_client_sends_selects_a_route(body: str | bytes) -> None:
    assert isinstance(select_route(("action",), body), str)
