"""Ids, cursors, keys and tags of another project give no access, and do not reveal whether they exist."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest

from jobtrack_demo.receiver import Receiver
from tests.e2e.following import following, refused, ticket
from tests.e2e.receiving import Recorder
from tests.e2e.reporting import create, faults, got
from tests.e2e.running import Service
from tests.e2e.tenants import KEY, ROUTES, Project, ask, populated, stored, told
from tests.stack import ROOT

DOCUMENT = json.loads((ROOT / "functions" / "api" / "docs" / "openapi.json").read_text())
ASKED = ("jobId", "subscriptionId", "messageId")
IDENTIFYING = [key for key in ROUTES if any(f"{{{name}}}" in key for name in ASKED)]
PAGED = [
    key
    for key, route in ROUTES.items()
    if any(
        each["name"] == "cursor" for each in DOCUMENT["paths"][route.path][route.method.lower()].get("parameters", [])
    )
]
TAGGED = [
    key for key, route in ROUTES.items() if "304" in DOCUMENT["paths"][route.path][route.method.lower()]["responses"]
]


@dataclass(frozen=True)
class Scene:
    """Two projects of one or of two tenants, and the stored items of the first."""

    service: Service
    theirs: Project
    own: Project
    before: dict[str, Any]

    def client(self) -> httpx.Client:
        """The other project."""
        return self.service.client(self.own.ids["tenantId"], self.own.ids["projectId"])

    def held(self) -> dict[str, Any]:
        """Return the stored items of the first project."""
        return held(self.service, self.theirs)


def held(service: Service, project: Project) -> dict[str, Any]:
    return stored(service, *(project.ids[name] for name in ("projectId", "subscriptionId")))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with Receiver(Recorder()) as receiver:
        yield receiver.url


@pytest.fixture(scope="module", params=["another tenant", "another project of the tenant"])
def scene(request: pytest.FixtureRequest, service: Service, url: str) -> Scene:
    theirs = populated(service, url)
    tenant = None if request.param == "another tenant" else theirs.ids["tenantId"]
    own = populated(service, url, tenant)
    before = held(service, theirs)
    assert len(before) > 20
    return Scene(service, theirs, own, before)


@pytest.mark.parametrize("key", IDENTIFYING)
def test_another_ones_id_is_answered_like_none(scene: Scene, key: str, tally: Callable[[int, str], None]) -> None:
    theirs = {name: scene.theirs.ids[name] for name in ASKED}
    none = {name: scene.own.missing().ids[name] for name in ASKED}
    if key.endswith("/ticket"):
        theirs["subscriptionId"] = scene.theirs.socket
    with scene.client() as api:
        for names in _asked(key):
            answers = [
                told(ask(api, key, scene.own.having(**{name: ids[name] for name in names}), headers), *ids.values())
                for ids in (theirs, none, {name: text.upper() for name, text in theirs.items()})
                for headers in (KEY, {"Idempotency-Key": str(uuid4())}, {"If-None-Match": "*"})
            ]
            assert {status for status, _, _ in answers} == {404}
            assert len(set(map(str, answers))) == 1
            tally(len(answers), "requests for another's id, all answered like those for none")


def _asked(key: str) -> Iterator[tuple[str, ...]]:
    """Ids of the other project: all of a route, and the last one alone."""
    names = tuple(name for name in ASKED if f"{{{name}}}" in key)
    yield names
    if len(names) > 1:
        yield names[-1:]


@pytest.mark.parametrize("key", PAGED)
def test_another_ones_cursor_is_none(scene: Scene, key: str, tally: Callable[[int, str], None]) -> None:
    cursor, own = (_cursor(scene, key, project) for project in (scene.theirs, scene.own))
    wrong = (cursor, cursor[:-1], f"{cursor}A", "A" * len(cursor), own[::-1])
    with scene.client() as api:
        answers = [_page(api, scene, key, each) for each in wrong]
        assert set(faults(answers[0])) == {"/query/cursor"}
        assert len({str(told(answer)) for answer in answers}) == 1
        assert _page(api, scene, key, own).is_success
    tally(len(wrong), "cursors of others' lists, or changed: all refused alike")


def _page(api: httpx.Client, scene: Scene, key: str, cursor: str) -> httpx.Response:
    return api.get(scene.service.url + scene.own.path(key), params={"cursor": cursor, "limit": 1})


def _cursor(scene: Scene, key: str, project: Project) -> str:
    with scene.service.client(project.ids["tenantId"], project.ids["projectId"]) as api:
        cursor = got(api, scene.service.url + project.path(key), limit=1)["nextCursor"]
    assert isinstance(cursor, str), f"{key} has one page"
    return cursor


def test_another_ones_job_is_no_prerequisite(scene: Scene) -> None:
    own = scene.own.ids["jobId"]
    with scene.client() as api:
        before = _listed(api), got(api, f"/job/{own}/dependencies")
        answers = [
            api.post("/jobs", json={"jobName": "n", "jobType": "t", "prerequisites": [{"jobId": own}, {"jobId": each}]})
            for each in (scene.theirs.ids["jobId"], str(uuid4()))
        ]
        assert [set(faults(answer)) for answer in answers] == [{"/prerequisites/1/jobId"}] * 2
        assert told(answers[0]) == told(answers[1])
        assert (_listed(api), got(api, f"/job/{own}/dependencies")) == before


def _listed(api: httpx.Client) -> list[str]:
    return [each["jobId"] for each in got(api, "/jobs")["jobs"]]


def test_another_ones_job_is_not_found_in_a_batch(scene: Scene) -> None:
    own, theirs, none = scene.own.ids["jobId"], scene.theirs.ids["jobId"], str(uuid4())
    with scene.client() as api:
        for wanted in (f"{own},{theirs},{none}", f"{none},{theirs.upper()},{own}"):
            found = got(api, "/tracking/batch", jobIds=wanted, includeMetrics=True)
            assert [each["jobId"] for each in found["jobs"]] == [own]
            assert sorted(found["notFound"]) == sorted([theirs, none])


@pytest.mark.parametrize("path", ["/jobs", "/queue", "/tracking/batch"])
def test_lists_hold_nothing_of_others(scene: Scene, path: str) -> None:
    with scene.client() as api:
        shown = api.get(path, params={"jobType": "ProcessMining", "limit": 100})
        assert shown.is_success, shown.text
        assert scene.theirs.ids["jobId"] not in shown.text
        assert scene.theirs.ids["projectId"] not in shown.text


def test_a_worker_serves_its_own_project(scene: Scene) -> None:
    with scene.service.client(scene.own.ids["tenantId"]) as api:
        assert got(api, "/queue")["processingCapacity"]["activeWorkers"] == 0


def test_past_jobs_of_another_tenant_are_no_benchmark(scene: Scene) -> None:
    theirs = scene.theirs.ids["tenantId"]
    for tenant, known in ((theirs, True), (str(uuid4()), False)):
        with scene.service.client(tenant) as api:
            job = create(api)
            assert (got(api, f"/job/{job}/metrics")["benchmarks"] is not None) == known


def test_a_job_of_the_same_id_is_another_one(service: Service, scene: Scene) -> None:
    theirs = scene.theirs.ids["jobId"]
    with scene.service.client() as api, scene.service.client(*_owner(scene.theirs)) as owner:
        tags = {key: owner.get(service.url + scene.theirs.path(key)).headers["etag"] for key in TAGGED}
        assert create(api, jobId=theirs, jobName="mine") == theirs
        tenant, project = str(api.base_url).split("/")[4:6]
        mine = scene.theirs.having(tenantId=tenant, projectId=project)
        for key, tag in tags.items():
            answer = api.get(service.url + mine.path(key), headers={"If-None-Match": tag})
            assert answer.status_code == 200, f"{key}: {answer.text}"
        assert got(api, f"/job/{theirs}")["jobName"] == "mine"
        assert got(api, f"/job/{theirs}/logs")["logs"] == []
        assert got(api, f"/job/{theirs}/subscriptions")["subscriptions"] == []
        for key, tag in tags.items():
            answer = owner.get(service.url + scene.theirs.path(key), headers={"If-None-Match": tag})
            assert answer.status_code == 304, key


def _owner(project: Project) -> tuple[str, str]:
    return project.ids["tenantId"], project.ids["projectId"]


def test_nothing_of_theirs_was_changed(scene: Scene) -> None:
    assert scene.held() == scene.before


def test_no_ticket_but_a_fresh_one_connects(scene: Scene) -> None:
    with scene.service.client(*_owner(scene.theirs)) as owner:
        url = ticket(owner, scene.theirs.socket)
        base = url.partition("?")[0]
        with following(url):
            pass
        token = owner.headers["Authorization"].removeprefix("Bearer ")
        wrong = ["", "junk", token, scene.theirs.socket, scene.theirs.ids["jobId"], url.partition("ticket=")[2]]
        assert [refused(f"{base}?ticket={each}") for each in wrong] == [401] * len(wrong)
        assert refused(base) == 401
