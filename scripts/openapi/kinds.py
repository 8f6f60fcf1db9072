"""What the fields of answers are made of."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """A part of an answer; named as it is answered, for documentation only: functions answer what their views make."""

    model_config = ConfigDict(json_schema_extra=lambda schema: schema.pop("title", None))


def _text(about: str, **more: Any) -> Any:
    return Field(description=about, json_schema_extra=more or None)


Id = Annotated[str, Field(json_schema_extra={"format": "uuid"})]
Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""RFC 3339 in UTC with `Z`."""
Duration = Annotated[str, _text("A duration in words, such as `15 minutes 33 seconds`")]
MeanTime = Annotated[str, _text("A mean time, such as `5.75 minutes`")]
Size = Annotated[str, _text("A size in binary units, such as `2.3 GB`, `890 MB`")]
Rate = Annotated[str, _text("Such as `1250 records/second`")]
Percent = Annotated[float, Field(ge=0)]
Whole = Annotated[int, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=0)]
Members = dict[str, Any]
Cursor = Annotated[str | None, _text("Give it back as `cursor` to go on; `null` at the end")]
Sequence = Annotated[int, _text("Place in the job's total order of events")]
JobStatus = Literal["Queued", "Running", "Completed", "Failed", "Cancelled"]
StageStatus = Literal["Pending", "Running", "Completed", "Failed", "Skipped"]
Priority = Literal["Critical", "High", "Normal", "Low"]
