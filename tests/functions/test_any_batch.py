"""Any batch is either stored as a whole under the next sequences and readable, or not stored at all."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobtrack import limits
from tests.e2e.reporting import SAMPLES
from tests.functions.conftest import Invoke
from tests.functions.hostile import READS, Client, Json, leads, stored

KINDS = ["jobStarted", "heartbeat", "jobCompleted", "jobCancelled", *SAMPLES]
names = st.text(min_size=1, max_size=limits.NAME_CHARACTERS)
counts = st.integers(0, limits.NUMBER)
amounts = st.floats(0, limits.NUMBER) | counts
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(st.text(max_size=9), anything, max_size=4)
clocks = st.sampled_from(
    ["00:00:00Z", "23:59:60Z", "23:59:59.999999999999Z", "12:00:00.000001+14:00", "12:00:00-23:59"]
)
days = st.dates().map(str) | st.sampled_from(["0001-01-02", "9999-12-30", "2024-02-29", "1970-01-01"])
moments = st.builds("{}T{}".format, days, clocks)
MEMBERS: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(["stageName", "component", "operation", "stage", "resourceName", "status"], names),
    **dict.fromkeys(["recordsProcessed", "totalRecords", "memoryBytes", "diskReadBytes", "retries"], counts),
    **dict.fromkeys(["validationsPassed", "validationsFailed", "networkOutBytes", "connections"], counts),
    **dict.fromkeys(["estimatedSeconds", "cpuUsage", "recordsPerSecond", "iops"], amounts),
    **dict.fromkeys(["progress", "dataQualityScore"], st.floats(0, 100) | st.integers(0, 100)),
    **dict.fromkeys(["details", "metrics"], objects),
    "error": st.builds(lambda more, message: {**more, "message": message}, objects, st.text()),
    "resourcesAllocated": st.fixed_dictionaries({}, optional={"cpuUnits": st.floats(0.01, 2**32), "workerNode": names}),
    "level": st.sampled_from(["DEBUG", "INFO", "WARN", "ERROR"]),
    **dict.fromkeys(["message", "description", "condition", "resolution"], st.text()),
}
members = st.fixed_dictionaries({}, optional=MEMBERS)


@st.composite
def events(draw: st.DrawFn) -> Json:
    """Draw an event of the contract with any valid values."""
    kind = draw(st.sampled_from(KINDS))
    made: Json = {"type": kind, "data": {**SAMPLES.get(kind, {}), **draw(members)}}
    return {**made, "time": draw(moments)} if draw(st.booleans()) else made


@st.composite
def batches(draw: st.DrawFn) -> Any:
    """Draw a batch, often with an arbitrary value in some place."""
    batch: Json = {"events": draw(st.lists(events(), min_size=1, max_size=6))}
    if draw(st.integers(0, 2)):
        return batch
    event = draw(st.sampled_from(batch["events"]))
    place: Json = draw(st.sampled_from([batch, event, event["data"]]))
    place[draw(st.sampled_from([*place, *MEMBERS, "type", "time"]))] = draw(anything)
    return draw(st.sampled_from([batch, batch, batch, [batch], batch["events"]]))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches(), st.booleans())
def test_a_batch_is_stored_whole_and_readable_or_not_at_all(
    invoke: Invoke, sample: Callable[[str], Json], batch: Any, running: bool
) -> None:
    client = Client(invoke, sample)
    client.start(*([{"type": "jobStarted"}] if running else []))
    last, before = client.read("JobsFunction")["lastSequence"], stored()
    status, answer = client.report(batch)
    if status == 202:
        assert answer == {"accepted": len(batch["events"]), "lastSequence": last + len(batch["events"])}
        told = {function: client.read(function) for function in READS}
        assert told["JobsFunction"]["lastSequence"] == answer["lastSequence"]
        assert logged(told["LogsFunction"]) == sent(batch["events"], last)
    else:
        assert status in (400, 409, 422)
        assert stored() == before
        assert status == 400 or answer["errors"]
        assert all(leads(each["pointer"], batch) for each in answer.get("errors", []))


def logged(answer: Json) -> list[tuple[int, str, str, Json]]:
    """Return the log lines of a response, in order of sequence."""
    return sorted((each["sequence"], each["level"], each["message"], each["details"] or {}) for each in answer["logs"])


def sent(batch: list[Json], last: int) -> list[tuple[int, str, str, Json]]:
    """Return the log lines of a batch, with their expected sequences."""
    return [
        (sequence, event["data"]["level"], event["data"]["message"], event["data"].get("details") or {})
        for sequence, event in enumerate(batch, last + 1)
        if event["type"] == "log"
    ]
