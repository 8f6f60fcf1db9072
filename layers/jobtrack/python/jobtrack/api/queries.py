"""Query strings, checked as a whole."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from jobtrack import limits
from jobtrack.fields import Moment
from jobtrack.store.reader import EARLIEST, LATEST


class Query(BaseModel):
    """The parameters of a query string: texts outside, camelCase."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, validate_by_name=True)


class LogQuery(Query):
    """What `GET …/logs` takes."""

    level: Literal["DEBUG", "INFO", "WARN", "ERROR"] = "INFO"
    from_time: Moment = EARLIEST
    to_time: Moment = LATEST
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
            raise ValueError("cursor and sinceSequence exclude each other")
        return self
