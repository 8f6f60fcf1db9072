"""Each limit of the contract: accepted at the limit, refused beyond it with the limit named; and invalid JSON."""

import json
import random
from collections.abc import Callable
from uuid import uuid4

import httpx
import pytest

from tests.e2e.reporting import (
    Json,
    create,
    encoded,
    event,
    faults,
    got,
    line,
    messages,
    post,
    problem,
    report,
    reported,
    started,
)

KIB = 1024
NEEDED = {"jobName": "n", "jobType": "t"}


def object_of(size: int) -> Json:
    """Return an object of a size in bytes of JSON, with characters of three bytes and of one."""
    text = "界" * ((size - 8) // 3)
    return {"a": text + "x" * (size - len(encoded({"a": text})))}


def nested(levels: int) -> Json:
    """Return an object with a number of nested levels."""
    value: Json = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


def event_of(size: int) -> Json:
    """Return a log line of a size in bytes, with members that have a limit of their own and one without."""
    made = line("m" * 20 * KIB, more="")
    made["data"]["more"] = "x" * (size - len(encoded(made)))
    return made


def log(**data: object) -> Json:
    return {"type": "log", "data": {"level": "INFO", "message": "m", **data}}


EVENTS: dict[str, tuple[Callable[[int], Json], int, str]] = {
    "message": (lambda size: line("界" * (size // 3) + "x" * (size % 3)), 32 * KIB, "/data/message"),
    "error message": (lambda size: event("jobFailed", error={"message": "x" * size}), 32 * KIB, "/data/error/message"),
    "description": (
        lambda size: event("milestone", description="é" * (size // 2) + "x" * (size % 2)), 2 * KIB, "/data/description"
    ),
    "condition": (lambda size: event("blocked", condition="x" * size), 2 * KIB, "/data/condition"),
    "log details": (lambda size: log(details=object_of(size)), 16 * KIB, "/data/details"),
    "note details": (
        lambda size: event("warning", description="d", details=object_of(size)), 16 * KIB, "/data/details"
    ),
    "progress details": (
        lambda size: event("progressUpdate", progress=1, details=object_of(size)), 16 * KIB, "/data/details"
    ),
    "progress text": (lambda size: event("progressUpdate", progress=1, details="x" * size), 2 * KIB, "/data/details"),
    "depth of details": (lambda levels: log(details=nested(levels)), 32, "/data/details"),
    "component": (lambda size: log(component="界" * size), 200, "/data/component"),
    "stage": (lambda size: log(stage="😀" * size), 200, "/data/stage"),
    "stage name": (lambda size: event("stageStarted", stageName="界" * size), 200, "/data/stageName"),
    "operation": (lambda size: event("progressUpdate", progress=1, operation="x" * size), 200, "/data/operation"),
    "worker node": (
        lambda size: event("resourceAllocated", resourceType="t", resourceId="x" * size), 200, "/data/resourceId"
    ),
    "stage metrics": (
        lambda size: event("stageCompleted", stageName="A", metrics=object_of(size)), 4 * KIB, "/data/metrics"
    ),
    "event": (event_of, 64 * KIB, ""),
}  # fmt: skip


@pytest.mark.parametrize("name", EVENTS)
def test_a_limit_of_an_event(api: httpx.Client, name: str) -> None:
    make, limit, pointer = EVENTS[name]
    job = started(api)
    ((at, detail),) = faults(report(api, job, line("good"), make(limit + 1))).items()
    assert at == f"/events/1{pointer}"
    assert str(limit) in detail
    assert reported(api, job, make(limit)) == 3


JOBS: dict[str, tuple[Callable[[int], Json], int, str]] = {
    "jobName": (lambda size: {"jobName": "界" * size}, 200, "/jobName"),
    "jobType": (lambda size: {"jobType": "x" * size}, 200, "/jobType"),
    "submittedBy": (lambda size: {"submittedBy": "x" * size}, 200, "/submittedBy"),
    "jobDescription": (lambda size: {"jobDescription": "x" * size}, 2 * KIB, "/jobDescription"),
    "metadata": (lambda size: {"metadata": object_of(size)}, 8 * KIB, "/metadata"),
    "stages": (lambda count: {"stages": [{"stageName": f"{n}"} for n in range(count)]}, 200, "/stages"),
    "labels": (
        lambda size: {"stages": [{"stageName": "A", "labels": {"ja": "界" * size}}]}, 200, "/stages/0/labels/ja"
    ),
    "resources": (
        lambda count: {"resources": [{"resourceType": "t", "resourceId": f"{n}"} for n in range(count)]},
        100,
        "/resources",
    ),
    "blockingConditions": (
        lambda count: {"blockingConditions": [{"condition": f"{n}", "status": "Active"} for n in range(count)]},
        100,
        "/blockingConditions",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", JOBS)
def test_a_limit_of_a_job(api: httpx.Client, name: str) -> None:
    make, limit, pointer = JOBS[name]
    ((at, detail),) = faults(api.post("/jobs", json={**NEEDED, **make(limit + 1)})).items()
    assert at == pointer
    assert str(limit) in detail
    create(api, **make(limit))


def test_prerequisites_are_at_most_100(api: httpx.Client) -> None:
    known = [{"jobId": create(api)} for _ in range(100)]
    assert (
        "100"
        in faults(api.post("/jobs", json={**NEEDED, "prerequisites": [*known, {"jobId": str(uuid4())}]}))[
            "/prerequisites"
        ]
    )
    create(api, prerequisites=known)


def test_a_batch_is_at_most_500_events(api: httpx.Client) -> None:
    job = create(api)
    assert "500" in faults(report(api, job, *[event("heartbeat")] * 501))["/events"]
    assert reported(api, job, *[event("heartbeat")] * 500) == 501


def test_a_request_is_at_most_a_mebibyte(api: httpx.Client) -> None:
    job = create(api)
    body = encoded({"events": [line("x")]})
    problem_ = problem(post(api, f"/job/{job}/events", body.ljust(KIB * KIB + 1)), 413, "too_large")
    assert str(KIB * KIB) in problem_["detail"]
    assert post(api, f"/job/{job}/events", body.ljust(KIB * KIB)).status_code == 202


def test_500_events_of_2_kb_each_are_one_batch(api: httpx.Client) -> None:
    job = create(api)
    texts = [f"{number:03d} {random.Random(number).getrandbits(4 * 1986):01986x}" for number in range(500)]
    assert reported(api, job, *map(line, texts)) == 501
    assert messages(api, job) == texts


def test_a_stage_more_than_200_is_refused_and_those_there_are_go_on(api: httpx.Client) -> None:
    names = [f"{number:03d}".ljust(200, chr(0x4E00 + number)) for number in range(200)]
    job = started(api, stages=[{"stageName": name, "labels": {"ja": name, "en": name}} for name in names[:150]])
    reported(api, job, *(event("stageStarted", stageName=name) for name in names))
    for kind in ("stageStarted", "progressUpdate"):
        answer = report(api, job, line("lost"), event(kind, stageName="one more", progress=1))
        ((at, detail),) = faults(answer).items()
        assert at == "/events/1/data/stageName"
        assert "200" in detail
    reported(api, job, *(event("progressUpdate", stageName=name, progress=50, operation=name) for name in names))
    reported(api, job, *(event("stageCompleted", stageName=name) for name in names))
    reported(api, job, event("jobCompleted"))
    stages = got(api, f"/job/{job}/progress")["stages"]
    assert [(stage["stageName"], stage["status"], stage["stageOrder"]) for stage in stages] == [
        (name, "Completed", order) for order, name in enumerate(names, 1)
    ]


MALFORMED = {
    "no JSON": b"hello",
    "nothing": b"",
    "cut off": b'{"events": [',
    "not a number": b'{"events": [{"type": "progressUpdate", "data": {"progress": NaN}}]}',
    "infinity": b'{"events": [{"type": "progressUpdate", "data": {"progress": Infinity}}]}',
    "10^400": b'{"events": [{"type": "metricSample", "data": {"memoryBytes": 1' + b"0" * 400 + b"}}]}",
    "1e400": b'{"events": [{"type": "log", "data": {"level": "INFO", "message": "m", "details": {"a": 1e400}}}]}',
    "lone surrogate": b'{"events": [{"type": "log", "data": {"level": "INFO", "message": "\\ud83d"}}]}',
    "surrogate as a name": b'{"events": [{"type": "log", "data": {"level": "INFO", "message": "m", "\\ude00": 1}}]}',
    "no UTF-8": b'{"events": [{"type": "log", "data": {"level": "INFO", "message": "\xff"}}]}',
    "raw control character": b'{"events": [{"type": "log", "data": {"level": "INFO", "message": "\x00"}}]}',
    "5,000 levels": b'{"events": ' + b"[" * 5000 + b"]" * 5000 + b"}",
}


NOT_SEEN = {"no UTF-8": pytest.mark.not_deployed("ministack replaces what is no UTF-8 before a function sees it")}


@pytest.mark.parametrize("name", [pytest.param(name, marks=NOT_SEEN.get(name, ())) for name in MALFORMED])
def test_what_is_no_json_is_400(api: httpx.Client, name: str) -> None:
    job = create(api)
    for path in ("/jobs", f"/job/{job}/events"):
        problem(post(api, path, MALFORMED[name], key="a key"), 400, "invalid_request")
    assert got(api, f"/job/{job}")["lastSequence"] == 1


@pytest.mark.parametrize("levels", [70, 300, 900])
@pytest.mark.parametrize("place", ["body", "event", "data", "error"])
def test_what_is_nested_without_end_is_422_wherever_it_is(api: httpx.Client, levels: int, place: str) -> None:
    job, deep = started(api), json.loads("[" * levels + "]" * levels)
    failed = event("stageFailed", stageName="A", error={"message": "m"})
    body: Json = {"events": [failed], **NEEDED}
    {"body": body, "event": failed, "data": failed["data"], "error": failed["data"]["error"]}[place]["deep"] = deep
    for path in ("/jobs", f"/job/{job}/events"):
        assert "64" in faults(post(api, path, encoded(body), key="a key"))[""]
    assert got(api, f"/job/{job}")["lastSequence"] == 2


TEXTS = [
    "\x00 \x1f \x7f",
    "分析ステージ 🚄👩‍🔬",
    "\U0010ffff\ufffe\ufeff",
    "\u2028\u2029\r\n\t",
    "e\u0301 é",
    "\u202eright",
    "'; DROP",
    " ",
]


def test_text_is_stored_as_it_came(api: httpx.Client) -> None:
    job = started(api, jobDescription=TEXTS[0], stages=[{"stageName": text} for text in TEXTS], metadata={"t": TEXTS})
    sent = [line(text, component=text, stage=text, details={text: [text]}) for text in TEXTS]
    reported(api, job, *sent)
    for text, entry in zip(TEXTS, got(api, f"/job/{job}/logs")["logs"], strict=True):
        assert (entry["message"], entry["component"], entry["stage"], entry["details"]) == (
            text,
            text,
            text,
            {text: [text]},
        )
    shown = got(api, f"/job/{job}")
    assert (shown["jobDescription"], shown["metadata"]) == (TEXTS[0], {"t": TEXTS})
    assert [stage["stageName"] for stage in got(api, f"/job/{job}/progress")["stages"]] == TEXTS


def test_numbers_in_details_are_kept_as_json_has_them(api: httpx.Client) -> None:
    job = create(api)
    numbers = {
        "big": 2**64 - 1,
        "small": -(2**63),
        "float": 0.1,
        "tiny": 5e-324,
        "bool": True,
        "null": None,
        "text": "1",
    }
    reported(api, job, log(details=numbers))
    (entry,) = got(api, f"/job/{job}/logs")["logs"]
    assert encoded(entry["details"]) == encoded(numbers)
