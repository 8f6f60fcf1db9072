"""Values that fill a limit of the contract to the last byte are read back unchanged, whatever their characters."""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from tests.functions.conftest import Invoke
from tests.functions.hostile import Client, Json, refusal, stored

KIB = 1024


def ascii_of(size: int) -> str:
    return "x" * size


def cjk_of(size: int) -> str:
    """Characters of three bytes."""
    return "程" * (size // 3) + "x" * (size % 3)


def emoji_of(size: int) -> str:
    """Characters of four bytes."""
    return "\U0001f684" * (size // 4) + "x" * (size % 4)


def noise_of(size: int) -> str:
    """Text that no compression makes smaller than six bits per byte."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return "".join(random.Random(size).choices(alphabet, k=size))


def cjk_noise_of(size: int) -> str:
    """Characters of three bytes, each different from the one before."""
    drawn = random.Random(size).choices(range(0x4E00, 0x9FA5), k=size // 3)
    return "".join(map(chr, drawn)) + "x" * (size % 3)


TEXTS = [ascii_of, cjk_of, emoji_of, noise_of, cjk_noise_of]


def object_of(text: Callable[[int], str], size: int) -> Json:
    """Return an object of a size in bytes of JSON."""
    return {"a": text(size - len('{"a":""}'))}


def characters_of(text: Callable[[int], str], count: int) -> str:
    """Return a number of characters, however many bytes they take."""
    return text(4 * count)[:count]


@pytest.fixture
def client(invoke: Invoke, sample: Callable[[str], Json]) -> Client:
    return Client(invoke, sample)


@pytest.mark.parametrize("text", TEXTS)
def test_texts_of_events_are_kept_to_the_last_byte(client: Client, text: Callable[[int], str]) -> None:
    name, details = characters_of(text, 200), object_of(text, 16 * KIB)
    line = {"level": "ERROR", "message": text(32 * KIB), "component": name, "stage": name}
    client.start(
        {"type": "jobStarted"},
        {"type": "stageStarted", "data": {"stageName": name}},
        {"type": "log", "data": line},
        {"type": "log", "data": {**line, "message": "m", "details": details}},
        {"type": "milestone", "data": {"description": text(2 * KIB), "details": details}},
        {"type": "progressUpdate", "data": {"progress": 1, "operation": name, "component": name, "details": details}},
        {"type": "stageCompleted", "data": {"stageName": name, "metrics": object_of(text, 4 * KIB)}},
        {"type": "jobFailed", "data": {"error": {"message": text(32 * KIB)}}},
    )
    first, second = client.read("LogsFunction")["logs"]
    assert {member: first[member] for member in line} == line
    assert second["details"] == details
    told = {entry["eventType"]: entry for entry in client.read("TimelineFunction")["timeline"]}
    assert told["Milestone"]["description"] == text(2 * KIB)
    assert told["StageCompleted"]["details"]["stageName"] == name
    stage = client.read("ProgressFunction")["stages"][0]
    assert (stage["stageName"], stage["metrics"]["a"]) == (name, object_of(text, 4 * KIB)["a"])
    assert client.read("JobsFunction")["error"] == {"message": text(32 * KIB)}


@pytest.mark.parametrize("text", TEXTS)
def test_texts_of_a_job_are_kept_to_the_last_byte(client: Client, text: Callable[[int], str]) -> None:
    name, metadata = characters_of(text, 200), object_of(text, 8 * KIB)
    client.start(
        jobName=name,
        jobType=name,
        submittedBy=name,
        jobDescription=text(2 * KIB),
        metadata=metadata,
        stages=[{"stageName": name, "labels": {"ja": name, "en": name}}],
        resources=[{"resourceType": name, "resourceId": name, "resourceName": name, "status": name}],
        blockingConditions=[{"condition": text(2 * KIB), "status": "Active"}],
    )
    job = client.read("JobsFunction")
    assert (job["jobName"], job["jobType"], job["submittedBy"]) == (name, name, name)
    assert (job["jobDescription"], job["metadata"]) == (text(2 * KIB), metadata)
    needed = client.read("DependenciesFunction")
    (resource,) = needed["dependencies"]["resourceDependencies"]
    assert {resource[each] for each in ("resourceType", "resourceId", "resourceName", "status")} == {name}
    assert needed["blockingConditions"][0]["condition"] == text(2 * KIB)


def log(**data: Any) -> Json:
    return {"type": "log", "data": {"level": "INFO", "message": "m", **data}}


def note(**data: Any) -> Json:
    return {"type": "milestone", "data": {"description": "d", **data}}


def stage(**data: Any) -> Json:
    return {"type": "stageCompleted", "data": {"stageName": "A", **data}}


EVENT_LIMITS: dict[str, tuple[Callable[[Callable[[int], str], int], Json], int]] = {
    "/data/message": (lambda text, size: log(message=text(size)), 32 * KIB),
    "/data/description": (lambda text, size: note(description=text(size)), 2 * KIB),
    "/data/details": (lambda text, size: log(details=object_of(text, size)), 16 * KIB),
    "/data/metrics": (lambda text, size: stage(metrics=object_of(text, size)), 4 * KIB),
    "/data/component": (lambda text, count: log(component=characters_of(text, count)), 200),
    "/data/stageName": (lambda text, count: stage(stageName=characters_of(text, count)), 200),
    "/data/error/message": (
        lambda text, size: {"type": "jobFailed", "data": {"error": {"message": text(size)}}},
        32 * KIB,
    ),
    "": (lambda text, size: stage(more=text(size - len(json.dumps(stage(more=""), separators=(",", ":"))))), 64 * KIB),
}


@pytest.mark.parametrize("pointer", EVENT_LIMITS)
def test_one_more_than_a_limit_of_an_event_is_refused_and_nothing_is_lost(client: Client, pointer: str) -> None:
    make, limit = EVENT_LIMITS[pointer]
    client.start({"type": "jobStarted"})
    before = stored()
    for text in TEXTS:
        told = refusal(client.report({"events": [log(), make(text, limit + 1), log()]}))
        assert told.keys() == {f"/events/1{pointer}"}
        assert str(limit) in told[f"/events/1{pointer}"]
    assert stored() == before
    assert client.report({"events": [make(cjk_noise_of, limit)]})[0] == 202


JOB_LIMITS: dict[str, tuple[Callable[[Callable[[int], str], int], Any], int]] = {
    "jobName": (characters_of, 200),
    "jobType": (characters_of, 200),
    "submittedBy": (characters_of, 200),
    "jobDescription": (lambda text, size: text(size), 2 * KIB),
    "metadata": (object_of, 8 * KIB),
}


@pytest.mark.parametrize("member", JOB_LIMITS)
def test_one_more_than_a_limit_of_a_job_is_refused_and_no_job_made(client: Client, member: str) -> None:
    make, limit = JOB_LIMITS[member]
    before = stored()
    for text in TEXTS:
        told = refusal(client.create({"jobName": "n", "jobType": "t", member: make(text, limit + 1)}))
        assert told.keys() == {f"/{member}"}
        assert str(limit) in told[f"/{member}"]
    assert stored() == before


@pytest.mark.parametrize("count", [501, 1000])
def test_more_than_500_events_are_refused_whole(client: Client, count: int) -> None:
    client.start()
    before = stored()
    assert "500" in refusal(client.report({"events": [{"type": "heartbeat"}] * count}))["/events"]
    assert stored() == before


def test_500_events_of_incompressible_text_fill_a_request(client: Client) -> None:
    client.start()
    messages = [f"{number:03d}{noise_of(1950 + number % 7)}" for number in range(500)]
    assert client.report({"events": [log(message=message) for message in messages]})[1]["lastSequence"] == 501
    assert [entry["message"] for entry in client.read("LogsFunction")["logs"]] == messages


@pytest.mark.parametrize("opening", ["{", "["])
def test_details_are_kept_32_levels_deep_and_refused_at_33(client: Client, opening: str) -> None:
    inner: Any = "the innermost"
    for _ in range(31):
        inner = {"a": inner} if opening == "{" else [inner]
    client.start(log(details={"a": inner}))
    assert client.read("LogsFunction")["logs"][0]["details"] == {"a": inner}
    before = stored()
    told = refusal(client.report({"events": [log(details={"a": [inner]})]}))
    assert "32" in told["/events/0/data/details"]
    assert stored() == before
