"""The schemas of the document, generated from the types of requests, responses and messages."""

from collections.abc import Collection, Iterable, Mapping
from enum import EnumType
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, create_model
from typing_extensions import get_original_bases, is_typeddict

from jobtrack.api.problems import Problem
from jobtrack.domain import dependencies, event_text, events, job_queue, queue_forecast, subscription_states, timeline
from jobtrack.domain.job import JobStatus, Json, Priority, StageStatus
from jobtrack.domain.journal.records import LogLevel
from jobtrack.views import metrics
from jobtrack.views.responses import metrics as metrics_response

REFERENCE = "#/components/schemas/{model}"

_ENUMERATIONS: Mapping[str, Any] = {
    "JobStatus": JobStatus,
    "StageStatus": StageStatus,
    "Priority": Priority,
    "LogLevel": LogLevel,
    "Language": event_text.Language,
    "EventName": events.EventName,
    "Granularity": timeline.Granularity,
    "ConditionStatus": dependencies.ConditionStatus,
    "QueueHealth": queue_forecast.Health,
    "Availability": job_queue.Availability,
    "MetricGroup": metrics.Group,
    "Efficiency": metrics_response.Efficiency,
    "Trend": metrics_response.Direction,
    "SubscriptionType": subscription_states.SubscriptionType,
    "SubscriptionStatus": subscription_states.SubscriptionStatus,
    "EndReason": subscription_states.EndReason,
    "DeliveryStatus": subscription_states.DeliveryStatus,
}
"""Sets of values that have a schema of their own, so that clients can name them."""


def _values(kind: Any) -> list[str]:
    return [str(value) for value in (kind if isinstance(kind, EnumType) else get_args(kind))]


def _enumeration(kind: Any) -> Json:
    description = {"description": kind.__doc__} if isinstance(kind, EnumType) else {}
    return {"type": "string", "enum": _values(kind), **description}


_NAMES = {tuple(_values(kind)): name for name, kind in _ENUMERATIONS.items()}


def component_schemas(requests: Mapping[str, Json], responses: Iterable[type]) -> Json:
    """Return all schemas by name: FastAPI's of the requests, ours of the responses, and the enumerations.

    Raises:
        ValueError: a request and a response have the same name.
    """
    bodies = {name: schema for name, schema in requests.items() if name not in _UNUSED}
    returned = _response_schemas({*responses, Problem})
    named = {name: _enumeration(kind) for name, kind in _ENUMERATIONS.items()}
    if twice := sorted(_structures(bodies) & _structures(returned)):
        raise ValueError(f"requests and responses both have a schema {', '.join(twice)}")
    schemas = {name: plain(schema) for name, schema in {**bodies, **returned}.items() if not _is_enumeration(schema)}
    return dict(sorted((schemas | named).items()))


_UNUSED = ("HTTPValidationError", "ValidationError")
"""FastAPI's own error bodies, which the service replaces."""


def _structures(schemas: Mapping[str, Json]) -> set[str]:
    return {name for name, schema in schemas.items() if not _is_enumeration(schema)}


def _is_enumeration(schema: Json) -> bool:
    return tuple(schema.get("enum", ())) in _NAMES


def _response_schemas(types: Collection[type]) -> Json:
    """Return the schemas of TypedDicts and of everything they contain, described by their docstrings."""
    fields: Any = {response.__name__: (response, ...) for response in types}
    config = ConfigDict(use_attribute_docstrings=True)
    model: type[BaseModel] = create_model("Responses", __config__=config, **fields)
    schemas: Json = model.model_json_schema(ref_template=REFERENCE)["$defs"]
    for response in types:
        _inherit_descriptions(response, schemas)
    return schemas


def _inherit_descriptions(response: type, schemas: Json) -> None:
    """Copy the docstrings of members that are declared in a base class, which pydantic leaves out."""
    for base in filter(is_typeddict, get_original_bases(response)):
        for name, member in schemas[base.__name__]["properties"].items():
            schemas[response.__name__]["properties"][name] = member


def plain(schema: Any) -> Any:
    """Return a schema with references to enumerations, and without pydantic's titles, decimals and inner defaults."""
    if isinstance(schema, list):
        return [plain(part) for part in schema]
    if isinstance(schema, float) and schema.is_integer():
        return int(schema)
    if not isinstance(schema, dict):
        return schema
    if _is_enumeration(schema):
        return _reference(schema)
    return {name: plain(value) for name, value in schema.items() if name not in _dropped(schema)}


def _reference(schema: Json) -> Json:
    others = {name: value for name, value in schema.items() if name not in ("enum", "type", "title")}
    return {"$ref": REFERENCE.format(model=_NAMES[tuple(schema["enum"])]), **others}


def _dropped(schema: Json) -> set[str]:
    """Return the keywords that are useless to a client: titles, and defaults that are the service's own values."""
    dropped = {"title"} if isinstance(schema.get("title"), str) else set()
    default = schema.get("default")
    if default is None or (schema.get("type") == "string" and not isinstance(default, str)):
        dropped.add("default")
    return dropped
