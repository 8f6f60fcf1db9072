"""Builds what template.yaml asks for: a poller for each trigger, and the gateway of the WebSocket API."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.config import Config

from jobtrack import aws
from jobtrack_local.pollers.control import PollerControl
from jobtrack_local.pollers.engine_stream import EngineStream
from jobtrack_local.pollers.outbox_backlog import OutboxBacklog
from jobtrack_local.pollers.pollers import EngineQueue, OnFailureDestination, Poller, QueuePoller, StreamPoller
from jobtrack_local.pollers.queue_mapping import QueueMapping
from jobtrack_local.pollers.scheduler import SchedulePoller, interval_seconds
from jobtrack_local.pollers.stream_mapping import StreamMapping
from jobtrack_local.runtime.function import Function, function_arn, load_function
from jobtrack_local.template import intrinsics
from jobtrack_local.template.cloudformation import QueueProperties, ScheduleProperties, StreamProperties
from jobtrack_local.template.filter_patterns import Pattern
from jobtrack_local.template.intrinsics import Names
from jobtrack_local.template.template import Template
from jobtrack_local.websocket.connections import Connections
from jobtrack_local.websocket.gateway import Target, WebSocketGateway

if TYPE_CHECKING:
    from types_boto3_dynamodbstreams import DynamoDBStreamsClient


def build_pollers(template: Template, names: Names) -> list[Poller]:
    """Return one poller for each trigger that is a stream, a queue or a schedule."""
    return [
        *(_stream_poller(template, names, name, trigger) for name, trigger in template.streams),
        *(_queue_poller(template, names, name, trigger) for name, trigger in template.consumers),
        *(_schedule_poller(template, name, trigger) for name, trigger in template.schedules),
    ]


def build_websocket_gateway(
    template: Template, connections: Connections, after_write: Callable[[], None]
) -> WebSocketGateway:
    """Return the gateway of the WebSocket API; it keeps open connections in `connections`."""
    api = template.websocket
    names = {route.function for route in api.routes.values()}
    functions = {name: _load(template, name) for name in names}
    routes = {key: Target(functions[route.function], route.has_response) for key, route in api.routes.items()}
    return WebSocketGateway(api.selection, routes, connections, after_write)


def _stream_poller(template: Template, names: Names, name: str, trigger: StreamProperties) -> StreamPoller:
    table, arn = names.refs[intrinsics.target(trigger.stream)], names.resolve(trigger.stream)
    backlogs = [
        OutboxBacklog(aws.client("dynamodb"), table, arn, prefix)
        for criteria in trigger.filter_criteria.filters
        if (prefix := Pattern(criteria.pattern).prefix("dynamodb", "Keys", "sk", "S"))
    ]
    function, stream = _load(template, name), EngineStream(_streams_client(), arn)
    destination = _on_failure_destination(names, trigger, arn, name)
    return StreamPoller(
        stream,
        lambda: (records for backlog in backlogs for records in backlog.records()),
        StreamMapping(stream, function.invoke_with_records, trigger, destination.send),
        PollerControl(),
    )


def _on_failure_destination(names: Names, trigger: StreamProperties, arn: str, function: str) -> OnFailureDestination:
    destination = trigger.destination_config.on_failure
    url = names.refs[intrinsics.target(destination.destination)] if destination else None
    return OnFailureDestination(aws.client("sqs"), url, arn, function_arn(function))


def _queue_poller(template: Template, names: Names, name: str, trigger: QueueProperties) -> QueuePoller:
    queue = intrinsics.target(trigger.queue)
    source = EngineQueue(aws.client("sqs"), names.refs[queue], names.resolve(trigger.queue))
    mapping = QueueMapping(source, _load(template, name).invoke_with_records, trigger)
    return QueuePoller(mapping, trigger.scaling_config.maximum_concurrency, PollerControl())


def _schedule_poller(template: Template, name: str, trigger: ScheduleProperties) -> SchedulePoller:
    interval = interval_seconds(trigger.schedule_expression, os.environ)
    return SchedulePoller(_load(template, name), interval, PollerControl())


def _load(template: Template, name: str) -> Function:
    return load_function(name, template.functions[name])


def _streams_client() -> "DynamoDBStreamsClient":
    config = Config(connect_timeout=2, read_timeout=10)
    client: Any = aws.session().create_client("dynamodbstreams", config=config)
    streams: DynamoDBStreamsClient = client
    return streams
