"""The specification's example of dependencies, reported through the API; and ETags over HTTP."""

import uuid
from typing import Any

import httpx
import pytest

from tests.e2e.reporting import Json, create, event
from tests.example import body

DAY = "2024-01-20T"


def report(api: httpx.Client, job: str, *events: Json) -> None:
    answer = api.post(f"/job/{job}/events", json={"events": events})
    assert answer.status_code == 202, answer.text


def around(api: httpx.Client, job: str, depth: int = 1) -> Json:
    answer = api.get(f"/job/{job}/dependencies", params={"depth": depth})
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def within(shown: Any, wanted: Any) -> bool:
    """Whether everything in the example is there; other members are allowed."""
    if isinstance(wanted, dict):
        return all(name in shown and within(shown[name], value) for name, value in wanted.items())
    if isinstance(wanted, list):
        return len(shown) == len(wanted) and all(map(within, shown, wanted))
    return bool(shown == wanted)


def replayed(api: httpx.Client, wanted: Json) -> None:
    """Create and report what the example shows."""
    (first,), (later,) = (wanted["dependencies"][kind] for kind in ("prerequisiteJobs", "dependentJobs"))
    data, node = wanted["dependencies"]["resourceDependencies"]
    (condition,) = wanted["blockingConditions"]
    create(api, jobId=first["jobId"], jobName=first["jobName"])
    report(api, first["jobId"], event("jobStarted", f"{DAY}10:00:00Z"), event("jobCompleted", first["completedAt"]))
    prerequisites = [{"jobId": first["jobId"], "dependency": first["dependency"]}]
    blocking = [{"condition": condition["condition"], "status": "Active"}]
    job = create(api, jobId=wanted["jobId"], prerequisites=prerequisites, resources=[data], blockingConditions=blocking)
    resolved = {name: condition[name] for name in ("condition", "resolution")}
    allocated = {"resourcesAllocated": {"workerNode": node["resourceId"]}}
    report(
        api,
        job,
        event("unblocked", condition["resolvedAt"], **resolved),
        event("jobStarted", node["allocatedAt"], **allocated),
    )
    create(api, jobId=later["jobId"], jobName=later["jobName"], prerequisites=[{"jobId": job}])


def test_the_example_is_answered_word_for_word(api: httpx.Client) -> None:
    wanted = body("dependencies")
    replayed(api, wanted)
    shown = around(api, wanted["jobId"])
    assert within(shown, wanted), shown
    report(api, wanted["jobId"], event("jobCompleted", f"{DAY}10:50:00Z"))
    _, node = around(api, wanted["jobId"])["dependencies"]["resourceDependencies"]
    assert (node["status"], node["releasedAt"]) == ("Released", f"{DAY}10:50:00Z")


def test_a_chain_is_walked_in_both_directions(api: httpx.Client) -> None:
    chain: list[str] = []
    for number in range(12):
        chain.append(create(api, jobName=f"{number}", prerequisites=[{"jobId": each} for each in chain[-1:]]))
    for place, depth in ((0, 1), (0, 10), (6, 3), (11, 10)):
        nodes = around(api, chain[place], depth)["dependencyGraph"]["nodes"]
        shown = [node["jobName"] for node in nodes]
        assert sorted(map(int, shown)) == list(range(max(0, place - depth), min(11, place + depth) + 1))


def test_a_hundred_before_and_a_hundred_after(api: httpx.Client) -> None:
    before = [create(api, jobName=f"{number}") for number in range(100)]
    job = create(api, prerequisites=[{"jobId": each} for each in before])
    for _ in range(60):
        create(api, prerequisites=[{"jobId": job}, {"jobId": before[0]}])
    shown = around(api, job)
    assert [each["jobId"] for each in shown["dependencies"]["prerequisiteJobs"]] == before
    assert len(shown["dependencies"]["dependentJobs"]) == 60
    assert len(around(api, before[0], 2)["dependencyGraph"]["nodes"]) == 1 + 1 + 60


def test_resources_and_conditions_are_those_last_reported_whoever_reports(api: httpx.Client) -> None:
    job = create(api)
    for number in range(130):
        resource = {"resourceType": "GPU", "resourceId": f"{number}"}
        report(api, job, event("resourceAllocated", None, **resource))
        if number >= 10:
            report(api, job, event("resourceReleased", None, **resource))
    shown = around(api, job)["dependencies"]["resourceDependencies"]
    held = {each["resourceId"]: each["status"] for each in shown}
    assert len(held) == 100
    assert [name for name, status in held.items() if status == "Allocated"] == [f"{number}" for number in range(10)]
    assert list(held)[-1] == "129"


@pytest.mark.parametrize(
    "read", ["", "/progress", "/logs", "/logs?format=raw", "/timeline", "/metrics", "/dependencies"]
)
def test_what_is_known_is_304_until_something_is_reported(api: httpx.Client, read: str) -> None:
    job = create(api)
    first = api.get(f"/job/{job}{read}")
    known = {"If-None-Match": first.headers["etag"]}
    again = api.get(f"/job/{job}{read}", headers=known)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    report(api, job, event("heartbeat"))
    assert api.get(f"/job/{job}{read}", headers=known).status_code == 200
    assert api.get(f"/job/{uuid.uuid4()}{read}", headers=known).status_code == 404
