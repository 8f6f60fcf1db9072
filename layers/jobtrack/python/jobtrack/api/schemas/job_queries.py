"""The query strings of the reads about one job."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic.alias_generators import to_camel

from jobtrack import limits, times
from jobtrack.api.schemas.fields import Moment
from jobtrack.domain.journal.records import LogLevel
from jobtrack.domain.timeline import Granularity
from jobtrack.views.metrics import GROUPS, Group


def _flag(value: object) -> object:
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if isinstance(value, bool):
        return value
    raise ValueError("must be true or false")


def _groups(value: object) -> object:
    """Parse one or several comma-separated lists."""
    if not isinstance(value, list):
        return value
    names = [name.strip() for part in value for name in part.split(",")]
    if unknown := [name for name in names if name not in GROUPS]:
        raise ValueError(f"must be a comma-separated list of {', '.join(GROUPS)}, not {unknown[0]!r}")
    return names


Flag = Annotated[bool, BeforeValidator(_flag)]
Groups = Annotated[
    frozenset[Group],
    BeforeValidator(_groups),
    WithJsonSchema({"type": "array", "items": {"enum": list(GROUPS)}, "minItems": 1}),
]


class Query(BaseModel):
    """The parameters of a query string, in camelCase."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, validate_by_name=True)


class LogQuery(Query):
    """The query string of `GET …/logs`."""

    level: LogLevel = "INFO"
    from_time: Moment = times.EARLIEST
    to_time: Moment = times.LATEST
    limit: Annotated[int, Field(ge=1, le=limits.LOG_ENTRIES)] = limits.LOG_ENTRIES_DEFAULT
    direction: Literal["backward", "forward"] = "backward"
    cursor: str | None = None
    since_sequence: Annotated[int, Field(ge=0, le=2**53)] | None = None
    format: Literal["structured", "raw"] = "structured"

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.from_time > self.to_time:
            raise ValueError("fromTime is after toTime")
        if self.cursor is not None and self.since_sequence is not None:
            raise ValueError("cursor cannot be combined with sinceSequence")
        return self


class TimelineQuery(Query):
    """The query string of `GET …/timeline`."""

    granularity: Granularity = "minutes"
    include_sub_events: Flag = False
    limit: Annotated[int, Field(ge=1, le=limits.TIMELINE_ENTRIES)] = limits.TIMELINE_ENTRIES_DEFAULT
    cursor: str | None = None


class MetricsQuery(Query):
    """The query string of `GET …/metrics`; `metrics` is a comma-separated list."""

    interval: Literal["1m", "5m", "15m"] = "5m"
    metrics: Groups = frozenset(GROUPS)
    include_history: Flag = False

    @property
    def minutes(self) -> int:
        """The interval in minutes."""
        return int(self.interval.removesuffix("m"))
