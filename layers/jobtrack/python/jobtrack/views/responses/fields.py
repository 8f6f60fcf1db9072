"""The types of members that several responses share."""

from collections.abc import Callable
from typing import Annotated, Any


class Schema:
    """The JSON Schema of a value, beyond its Python type. Only `make openapi` reads it."""

    def __init__(self, **keywords: Any) -> None:
        self.keywords = keywords

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Callable[[Any], dict[str, Any]]) -> Any:
        return {**handler(core_schema), **self.keywords}


Id = Annotated[str, Schema(format="uuid")]
Time = Annotated[str, Schema(format="date-time")]
"""RFC 3339 in UTC with `Z`."""
Duration = Annotated[str, Schema(description="A duration in words, such as `15 minutes 33 seconds`")]
MeanTime = Annotated[str, Schema(description="A mean time, such as `5.75 minutes`")]
Size = Annotated[str, Schema(description="A size in binary units, such as `2.3 GB` or `890 MB`")]
Rate = Annotated[str, Schema(description="A rate, such as `1250 records/second`")]
Percent = Annotated[float, Schema(minimum=0)]
"""May exceed 100, such as a CPU usage above the cores allocated."""
WholePercent = Annotated[int, Schema(minimum=0, maximum=100)]
Count = Annotated[int, Schema(minimum=0)]
Position = Annotated[int, Schema(minimum=1)]
Stalled = Annotated[
    bool, Schema(description="Whether the job is running but has not reported for longer than its `heartbeatSeconds`")
]
Members = dict[str, Any]
"""Members that the worker chose."""
Cursor = Annotated[str | None, Schema(description="Send it as `cursor` to get the next page; `null` on the last page")]
Sequence = Annotated[int, Schema(description="Position in the total order of the job's events")]
