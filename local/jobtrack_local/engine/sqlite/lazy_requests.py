"""Clients that build an HTTP request only for a handler that reads it.

The engine needs no HTTP request. To build its address, user agent and body would take half of the time of a call.
"""

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ParamValidationError
from botocore.model import OperationModel
from botocore.validate import ParamValidator

_validator = ParamValidator()


def build_requests_lazily(base_classes: list[type], **_: Any) -> None:
    """Change the class of a client that is about to be created; a handler of `creating-client-class`.

    https://docs.aws.amazon.com/boto3/latest/guide/clients.html#creating-client-class
    """
    base_classes.insert(0, _LazyRequests)


class _LazyRequests:
    """Replaces two methods that botocore's `BaseClient` calls before it emits `before-call`."""

    _serializer: Any

    def _resolve_endpoint_ruleset(self, *_: Any, **__: Any) -> tuple[str, dict[str, str], dict[str, str]]:
        return "", {}, {}

    def _convert_to_request_dict(
        self, api_params: Mapping[str, Any], operation_model: OperationModel, context: Mapping[str, Any], **_: Any
    ) -> "_Request":
        """Return the request with valid parameters.

        Raises:
            ParamValidationError: a parameter is missing, unknown or of another type.
        """
        shape: Any = operation_model.input_shape  # None only for operations without parameters
        report = _validator.validate(api_params, shape)
        if report.has_errors():
            raise ParamValidationError(report=report.generate_report())
        return _Request(context, lambda: self._serializer.serialize_to_request(api_params, operation_model))


class _Request(dict[str, Any]):
    """A request with botocore's context; its body, path and method are built when they are read."""

    def __init__(self, context: Mapping[str, Any], build: Callable[[], Mapping[str, Any]]) -> None:
        super().__init__(context=context, headers={})
        self._build = build

    def __missing__(self, name: str) -> Any:
        self.update(self._build())
        return self[name]
