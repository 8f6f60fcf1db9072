"""Types of the members of requests, each with the kind of value that is sent and its limit in the HTTP contract."""

from collections.abc import Mapping
from typing import Annotated, TypeAlias

from jobtrack_client._values.json_values import Json
from jobtrack_client._values.kinds import (
    guid,
    json_object,
    name,
    needed_name,
    real,
    string,
    text,
    whole,
)
from jobtrack_client._values.shorten import MESSAGE_BYTES, cut

NUMBER = 2**53
"""The largest integer that every JSON parser reads exactly."""
TEXT = 2048
"""Bytes of a description; characters of a URL or a token."""
_ALLOCATED = 2**32
_DETAILS_BYTES = 16 * 1024
_METRICS_BYTES = 4 * 1024


def _metrics(value: object) -> Json:
    return json_object(_METRICS_BYTES)(value) or None


def _error(value: object) -> Json:
    given = dict(value) if isinstance(value, Mapping) else {"message": value}
    message = cut(string(given.pop("message", "")), MESSAGE_BYTES)
    more = json_object(_DETAILS_BYTES)(given) if given else {}
    return {"message": message, **(more if isinstance(more, dict) else {})}


def _job_id(value: object) -> Json:
    return guid(value, "job_id")


description = text(TEXT)
details = json_object(_DETAILS_BYTES)
_positive = real(0, _ALLOCATED, above=True)

JobId: TypeAlias = Annotated[str, _job_id]
Name: TypeAlias = Annotated[str, needed_name]
OptionalName: TypeAlias = Annotated[str | None, name]
Description: TypeAlias = Annotated[str, description]
OptionalDescription: TypeAlias = Annotated[str | None, description]
Message: TypeAlias = Annotated[str, text(MESSAGE_BYTES)]
Count: TypeAlias = Annotated[int | None, whole(0, NUMBER)]
Amount: TypeAlias = Annotated[float | None, real(0, NUMBER)]
Percent: TypeAlias = Annotated[float | None, real(0, 100, clamp=True)]
Positive: TypeAlias = Annotated[float | None, _positive]
Slots: TypeAlias = Annotated[int | None, whole(0, _ALLOCATED)]
Details: TypeAlias = Annotated[Mapping[str, object] | None, details]
Metrics: TypeAlias = Annotated[Mapping[str, object] | None, _metrics]
Error: TypeAlias = Annotated[Mapping[str, object] | str, _error]
