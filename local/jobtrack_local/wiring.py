"""Builds what template.yaml asks for: a poller for each trigger, and the gateway of the WebSocket API."""

import os
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.config import Config

from jobtrack import aws
from jobtrack_local.engine.engines import Engine
from jobtrack_local.engine.sqlite.engine import SqliteEngine
from jobtrack_local.pollers.control import PollerControl
from jobtrack_local.pollers.engine_stream import EngineStream
from jobtrack_local.pollers.outbox_backlog import OutboxBacklog
from jobtrack_local.pollers.pollers import (
    IDLE_SECONDS,
    EngineQueue,
    OnFailureDestination,
    Poller,
    QueuePoller,
    StreamPoller,
)
from jobtrack_local.pollers.purge_poller import PURGE_RATE, PurgePoller
from jobtrack_local.pollers.queue_mapping import QueueMapping
from jobtrack_local.pollers.scheduler import SchedulePoller, interval_seconds
from jobtrack_local.pollers.stream_mapping import StreamMapping
from jobtrack_local.pollers.write_events import wake_after_writes
from jobtrack_local.runtime.function import Function, function_arn, load_function
from jobtrack_local.template import intrinsics
from jobtrack_local.template.cloudformation import QueueProperties, ScheduleProperties, StreamProperties
from jobtrack_local.template.filter_patterns import any_match
from jobtrack_local.template.intrinsics import Names
from jobtrack_local.template.template import Template
from jobtrack_local.websocket.connections import Connections
from jobtrack_local.websocket.gateway import Target, WebSocketGateway

if TYPE_CHECKING:
    from types_boto3_dynamodbstreams import DynamoDBStreamsClient


def build_pollers(template: Template, names: Names, engine: Engine) -> list[Poller]:
    """Return one poller for each trigger that is a stream, a queue or a schedule, and one that purges the engine."""
    embedded = engine.embedded
    embedded.sqs.release()  # the consumers of the last process are gone, and those of this one have not started
    return [
        *(
            _dynamodb_local_poller(template, names, name, trigger)
            if engine.dynamodb
            else _stream_poller(template, names, name, trigger, embedded)
            for name, trigger in template.streams
        ),
        *(_queue_poller(template, names, name, trigger, embedded) for name, trigger in template.consumers),
        *(_schedule_poller(template, name, trigger) for name, trigger in template.schedules),
        PurgePoller(embedded.purge, interval_seconds(PURGE_RATE, os.environ), PollerControl()),
    ]


def build_websocket_gateway(template: Template, connections: Connections) -> WebSocketGateway:
    """Return the gateway of the WebSocket API; it keeps open connections in `connections`."""
    api = template.websocket
    names = {route.function for route in api.routes.values()}
    functions = {name: _load(template, name) for name in names}
    routes = {key: Target(functions[route.function], route.has_response) for key, route in api.routes.items()}
    return WebSocketGateway(api.selection, routes, connections)


def _stream_poller(
    template: Template, names: Names, name: str, trigger: StreamProperties, engine: SqliteEngine
) -> StreamPoller:
    """Return the poller of a stream of the embedded engine, which keeps records until they were handled.

    AWS drops records after a day, so the template limits their age. On one machine, this limit would lose the records
    that waited while the service was not running.
    """
    arn, control, patterns = names.resolve(trigger.stream), PollerControl(), trigger.filter_criteria.patterns
    engine.streams.add_consumer(arn, lambda record: any_match(patterns, record), control.wake)
    mapping = StreamMapping(
        EngineStream(_streams_client(), arn),
        _load(template, name).invoke_with_records,
        trigger.model_copy(update={"maximum_record_age_in_seconds": -1}),
        _on_failure_destination(names, trigger, arn, name).send,
        lambda shard, position: engine.streams.trim(arn, int(position)),
    )
    return StreamPoller(mapping, control)


def _dynamodb_local_poller(template: Template, names: Names, name: str, trigger: StreamProperties) -> StreamPoller:
    """Return the poller of a stream of DynamoDB Local, which keeps no position.

    On `kill -9`, DynamoDB Local can lose its last acknowledged write. A later record would get the number of the lost
    record, and a stored position would skip it. So the poller starts with the items that are still in the table.
    """
    arn, control = names.resolve(trigger.stream), PollerControl()
    wake_after_writes(aws.session(), control.wake)
    stream, table = EngineStream(_streams_client(), arn), names.refs[intrinsics.target(trigger.stream)]
    destination = _on_failure_destination(names, trigger, arn, name)
    mapping = StreamMapping(stream, _load(template, name).invoke_with_records, trigger, destination.send)
    backlogs = [
        OutboxBacklog(aws.client("dynamodb"), table, arn, prefix)
        for pattern in trigger.filter_criteria.patterns
        if (prefix := pattern.prefix("dynamodb", "Keys", "sk", "S"))
    ]

    def begin() -> None:
        stream.start()  # before the backlog is read, so that no record is missed between the two
        for backlog in backlogs:
            for records in backlog.records():
                mapping.add_backlog(records)

    return StreamPoller(mapping, control, begin, IDLE_SECONDS)


def _on_failure_destination(names: Names, trigger: StreamProperties, arn: str, function: str) -> OnFailureDestination:
    destination = trigger.destination_config.on_failure
    url = names.refs[intrinsics.target(destination.destination)] if destination else None
    return OnFailureDestination(aws.client("sqs"), url, arn, function_arn(function))


def _queue_poller(
    template: Template, names: Names, name: str, trigger: QueueProperties, engine: SqliteEngine
) -> QueuePoller:
    url, control = names.refs[intrinsics.target(trigger.queue)], PollerControl()
    engine.sqs.subscribe(url, control.wake)
    source = EngineQueue(aws.client("sqs"), url, names.resolve(trigger.queue))
    mapping = QueueMapping(source, _load(template, name).invoke_with_records, trigger)
    concurrency = trigger.scaling_config.maximum_concurrency
    return QueuePoller(mapping, concurrency, partial(engine.sqs.seconds_to_next, url), control)


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
