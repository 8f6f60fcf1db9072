"""What template.yaml asks for: each trigger's source, each route of the WebSocket API, and the function it calls."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from jobtrack import aws
from jobtrack_local.engine.outbox import Outbox
from jobtrack_local.engine.streams import EngineStream
from jobtrack_local.pumps import clock, invocation
from jobtrack_local.pumps.clock import ClockPump
from jobtrack_local.pumps.halt import Halt
from jobtrack_local.pumps.pumps import Destination, EngineQueue, Pump, QueuePump, StreamPump
from jobtrack_local.pumps.queue_mapping import QueueMapping
from jobtrack_local.pumps.stream_mapping import StreamMapping
from jobtrack_local.template import intrinsics
from jobtrack_local.template.cloudformation import QueueProperties, ScheduleProperties, StreamProperties
from jobtrack_local.template.intrinsics import Names
from jobtrack_local.template.patterns import Pattern
from jobtrack_local.template.template import Template
from jobtrack_local.websocket.connections import Connections
from jobtrack_local.websocket.gateway import Target, WebSocketGateway

if TYPE_CHECKING:
    from types_boto3_dynamodbstreams import DynamoDBStreamsClient


def pumps(template: Template, names: Names) -> list[Pump]:
    """One pump for each trigger that is a stream, a queue or a schedule."""
    return [
        *(_stream_pump(template, names, name, trigger) for name, trigger in template.streams),
        *(_queue_pump(template, names, name, trigger) for name, trigger in template.consumers),
        *(_clock_pump(template, name, trigger) for name, trigger in template.schedules),
    ]


def websockets(template: Template, connections: Connections, ring: Callable[[], None]) -> WebSocketGateway:
    """The WebSocket API, whose open connections are kept in `connections`."""
    api = template.websocket
    names = {route.function for route in api.routes.values()}
    functions = {name: invocation.load(name, template.functions[name]) for name in names}
    routes = {key: Target(functions[route.function], route.answers) for key, route in api.routes.items()}
    return WebSocketGateway(api.selection, routes, connections, ring)


def _stream_pump(template: Template, names: Names, name: str, trigger: StreamProperties) -> StreamPump:
    table, arn = names.refs[intrinsics.target(trigger.stream)], names.resolve(trigger.stream)
    backlog = [
        Outbox(aws.client("dynamodb"), table, arn, prefix)
        for found in trigger.filter_criteria.filters
        if (prefix := Pattern(found.pattern).prefix("dynamodb", "Keys", "sk", "S"))
    ]
    function = invocation.load(name, template.functions[name])
    stream, destination = EngineStream(_streams_client(), arn), _destination(names, trigger, arn, name)
    return StreamPump(
        stream,
        lambda: (records for outbox in backlog for records in outbox.records()),
        StreamMapping(stream, function.serve, trigger, destination.give_up),
        Halt(),
    )


def _destination(names: Names, trigger: StreamProperties, arn: str, function: str) -> Destination:
    told = trigger.destination_config.on_failure
    url = names.refs[intrinsics.target(told.destination)] if told else None
    return Destination(aws.client("sqs"), url, arn, invocation.arn(function))


def _queue_pump(template: Template, names: Names, name: str, trigger: QueueProperties) -> QueuePump:
    queue = intrinsics.target(trigger.queue)
    source = EngineQueue(aws.client("sqs"), names.refs[queue], names.resolve(trigger.queue))
    function = invocation.load(name, template.functions[name])
    mapping = QueueMapping(source, function.serve, trigger)
    return QueuePump(mapping, trigger.scaling_config.maximum_concurrency, Halt())


def _clock_pump(template: Template, name: str, trigger: ScheduleProperties) -> ClockPump:
    seconds = clock.seconds_of(trigger.schedule_expression, os.environ)
    return ClockPump(invocation.load(name, template.functions[name]), seconds, Halt())


def _streams_client() -> "DynamoDBStreamsClient":
    client: DynamoDBStreamsClient = boto3.client("dynamodbstreams", config=Config(connect_timeout=2, read_timeout=10))
    return client
