"""The contents of template.yaml: functions, routes and scopes, triggers, tables, queues and keys."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from jobtrack_local.errors import LocalError
from jobtrack_local.stack import ROOT
from jobtrack_local.template import intrinsics, websocket_api
from jobtrack_local.template.cloudformation import (
    Document,
    FunctionProperties,
    KeySettings,
    QueueProperties,
    QueueSettings,
    QueueTrigger,
    Route,
    RouteProperties,
    ScheduleProperties,
    ScheduleTrigger,
    StreamProperties,
    StreamTrigger,
    TableProperties,
    Trigger,
)
from jobtrack_local.template.websocket_api import WebSocketApi

PATH = ROOT / "template.yaml"
ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(frozen=True)
class Template:
    """The parts of template.yaml that the local service uses, by logical id."""

    defaults: Mapping[str, str]
    functions: Mapping[str, FunctionProperties]
    tables: Mapping[str, TableProperties]
    queues: Mapping[str, QueueSettings]
    keys: Mapping[str, KeySettings]
    websocket: WebSocketApi

    @property
    def routes(self) -> list[RouteProperties]:
        """All routes of all functions."""
        return [route for function in self.functions for route in self.routes_of(function)]

    def routes_of(self, function: str) -> list[RouteProperties]:
        """Return the routes of a function."""
        events = self.functions[function].events
        return [trigger.properties for trigger in events.values() if isinstance(trigger, Route)]

    @property
    def streams(self) -> list[tuple[str, StreamProperties]]:
        """The functions with a stream trigger, and the trigger's properties."""
        return [(name, trigger.properties) for name, trigger in self._triggers() if isinstance(trigger, StreamTrigger)]

    @property
    def consumers(self) -> list[tuple[str, QueueProperties]]:
        """The functions with a queue trigger, and the trigger's properties."""
        return [(name, trigger.properties) for name, trigger in self._triggers() if isinstance(trigger, QueueTrigger)]

    @property
    def schedules(self) -> list[tuple[str, ScheduleProperties]]:
        """The functions with a schedule, and its properties."""
        return [
            (name, trigger.properties) for name, trigger in self._triggers() if isinstance(trigger, ScheduleTrigger)
        ]

    def variables(self, function: str, names: intrinsics.Names, own: Mapping[str, str] = {}) -> dict[str, str]:
        """Return a function's environment variables; `own` overrides the template."""
        stated = self.functions[function].environment.variables
        return {name: own[name] if name in own else names.resolve(value) for name, value in stated.items()}

    def environment(self, names: intrinsics.Names, own: Mapping[str, str] = {}) -> dict[str, str]:
        """Return the variables of all functions together; `own` overrides the template.

        Raises:
            LocalError: two functions need different values of a variable.
        """
        resolved: dict[str, str] = dict(own)
        for function in self.functions:
            for name, text in self.variables(function, names, own).items():
                if resolved.setdefault(name, text) != text:
                    raise LocalError(f"template.yaml gives {name} two values, but all functions run in one process")
        return resolved

    def _triggers(self) -> Iterator[tuple[str, Trigger]]:
        for name, function in self.functions.items():
            for trigger in function.events.values():
                yield name, trigger


def load(path: Path = PATH, parameters: Mapping[str, str] = {}) -> Template:
    """Read the template; `parameters` override its defaults.

    Raises:
        LocalError: the template is invalid, or uses something that the local service does not support.
    """
    try:
        document = Document.model_validate(intrinsics.read(path))
        given = {name: str(each.default) for name, each in document.parameters.items() if each.default is not None}
        names = intrinsics.Names({**given, **parameters})
        return Template(
            defaults=names.refs,
            functions=_all(document, "AWS::Serverless::Function", FunctionProperties, document.globals.function, names),
            tables=_all(document, "AWS::DynamoDB::Table", TableProperties),
            queues=_all(document, "AWS::SQS::Queue", QueueSettings),
            keys=_all(document, "AWS::KMS::Key", KeySettings),
            websocket=websocket_api.read_websocket_api(document.resources),
        )
    except ValidationError as error:
        raise LocalError(f"{path} does not fit the local service: {error}") from error


def _all(
    document: Document,
    kind: str,
    model: type[ModelT],
    shared: Mapping[str, object] | None = None,
    names: intrinsics.Names | None = None,
) -> dict[str, ModelT]:
    """Return all resources of a kind. A resource's own properties override the `shared` ones."""
    return {
        name: model.model_validate(_merged(shared or {}, resource.properties), context=names)
        for name, resource in document.resources.items()
        if resource.type == kind
    }


def _merged(shared: Mapping[str, object], own: Mapping[str, object]) -> dict[str, object]:
    """Merge properties like SAM's Globals: mappings are merged, everything else is replaced."""
    merged = dict(shared)
    for name, value in own.items():
        before = merged.get(name)
        merged[name] = _merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return merged
