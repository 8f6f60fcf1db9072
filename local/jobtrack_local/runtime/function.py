"""Loads a function and calls its handler as Lambda does, with a context and a deadline."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Protocol, TypeVar
from uuid import uuid4

from jobtrack_local import stack
from jobtrack_local.errors import LocalError
from jobtrack_local.runtime import call_recorder
from jobtrack_local.runtime.events import Record
from jobtrack_local.template.cloudformation import FunctionProperties

ResultT = TypeVar("ResultT")


class Handler(Protocol):
    """The entry point of a function."""

    def __call__(self, event: dict[str, object], context: object, /) -> object:
        """Handle one event."""


class HandlerFailed(Exception):
    """The handler raised an exception, or returned something invalid: the whole batch counts as failed."""


@dataclass(frozen=True)
class Context:
    """The context that a handler receives. `deadline` is in seconds of `clock`, which is monotonic."""

    function_name: str
    memory_limit_in_mb: int
    deadline: float
    clock: Callable[[], float]
    aws_request_id: str = field(default_factory=lambda: str(uuid4()))
    function_version: str = "$LATEST"
    log_group_name: str = "local"
    log_stream_name: str = "local"

    @property
    def invoked_function_arn(self) -> str:
        """The function's ARN in the form of AWS."""
        return function_arn(self.function_name)

    def get_remaining_time_in_millis(self) -> int:
        """Return the time until the invocation times out."""
        return max(0, int((self.deadline - self.clock()) * 1000))


class Function:
    """A function of template.yaml with its handler loaded."""

    def __init__(
        self, name: str, handler: Handler, properties: FunctionProperties, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = name
        self._handler = handler
        self._properties = properties
        self._clock = clock

    def invoke_with_records(self, records: Sequence[Record]) -> object:
        """Invoke with the records of a stream or queue and return the response.

        Raises:
            HandlerFailed: the handler raised an exception.
        """
        return self.invoke({"Records": list(records)}, lambda response: response)

    def invoke(self, event: dict[str, object], parse: Callable[[object], ResultT]) -> ResultT:
        """Invoke with the event and return the parsed response.

        Raises:
            HandlerFailed: the handler or `parse` raised an exception.
        """
        try:
            return parse(self._handler(event, self._context()))
        except Exception as error:  # any exception fails the event, as in Lambda
            raise HandlerFailed(f"{self.name}: {type(error).__name__}: {error}") from error

    def _context(self) -> Context:
        deadline = self._clock() + self._properties.timeout
        return Context(self.name, self._properties.memory_size, deadline, self._clock)


def function_arn(name: str) -> str:
    """Return a function's ARN in the form of AWS."""
    return f"arn:aws:lambda:us-east-1:000000000000:function:{name}"


def load_function(name: str, properties: FunctionProperties) -> Function:
    """Import a function's module and return the function.

    Raises:
        LocalError: the module has no handler.
    """
    handler = getattr(load_module(properties), "handler", None)
    if handler is None:
        raise LocalError(f"{properties.code_uri}/app.py has no handler")
    return Function(name, handler, properties)


def load_module(properties: FunctionProperties) -> ModuleType:
    """Load and return a function's module `app`, so that the call recorder recognizes its AWS clients."""
    with call_recorder.clients_of(properties.code_uri):
        return stack.load_function(properties.code_uri)
