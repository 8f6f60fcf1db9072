"""Unauthorized callers are refused: every route of template.yaml, every wrong token, existing objects or not."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import httpx
import pytest

from jobtrack_demo.receiver import Receiver
from jobtrack_local.tokens import load_signing_key
from tests.e2e.forging import FOREIGN, UNKNOWN, UNSCOPED, Forgery, Target
from tests.e2e.receiving import Recorder
from tests.e2e.reporting import problem
from tests.e2e.running import Service
from tests.e2e.tenants import KEY, ROUTES, Project, ask, populated, stored, told

TAKEN_BY_MINISTACK = {"not said to be borne", "no expiry"}
"""The gateway of a deployed stack accepts them; `jobtrack_local.gateway.authorizer` does not."""


@dataclass(frozen=True)
class Scene:
    """A project, an attacker, and the stored items before the attack."""

    service: Service
    project: Project
    target: Target
    before: Mapping[str, Any]

    def held(self) -> dict[str, Any]:
        """Return the stored items of both tenants."""
        return held(self.service, self.project, self.target)


def held(service: Service, project: Project, target: Target) -> dict[str, Any]:
    return stored(service, target.tenant, target.other_tenant, project.ids["subscriptionId"], project.socket)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with Receiver(Recorder()) as receiver:
        yield receiver.url


@pytest.fixture(scope="module")
def scene(service: Service, url: str) -> Scene:
    project = populated(service, url)
    ids, key = project.ids, load_signing_key(service.home)
    target = Target(key, ids["tenantId"], ids["projectId"], str(uuid4()), str(uuid4()), service.issuer)
    before = held(service, project, target)
    assert len(before) > 20
    return Scene(service, project, target, before)


@pytest.mark.parametrize(
    ("forgeries", "status", "code"),
    [(UNKNOWN, 401, "unauthorized"), (FOREIGN, 403, "forbidden"), (UNSCOPED, 403, "forbidden")],
    ids=["unknown", "foreign", "unscoped"],
)
@pytest.mark.parametrize("key", ROUTES)
def test_who_may_not_is_refused_alike_whether_or_not_it_exists(
    scene: Scene, key: str, forgeries: Mapping[str, Forgery], status: int, code: str, tally: Callable[[int, str], None]
) -> None:
    (scope,) = ROUTES[key].auth.authorization_scopes
    asked = [scene.project, scene.project.missing(), scene.project.elsewhere(), scene.project.shouted()]
    with httpx.Client(base_url=scene.service.url, timeout=30, trust_env=False) as api:
        for name, forge in forgeries.items():
            if scene.service.stack and name in TAKEN_BY_MINISTACK:
                continue
            header = forge(replace(scene.target, scope=scope))
            headers = {**KEY, "If-None-Match": "*", **({} if header is None else {"Authorization": header})}
            answers = [ask(api, key, project, headers) for project in asked]
            for answer in answers:
                assert answer.status_code == status, f"{name}: {answer.status_code} {answer.text}"
                problem(answer, status, code)
            assert len({str(told(answer)) for answer in answers}) == 1, name
            tally(len(asked), "requests with a wrong token: all refused, alike for what there is and what not")


def test_nothing_was_written(scene: Scene) -> None:
    assert scene.held() == scene.before


@pytest.mark.parametrize("scope", ["jobs:write", "jobs:write jobs:read", "jobs:write subscriptions:writer"])
def test_a_job_is_not_made_with_subscriptions_by_who_may_not_subscribe(scene: Scene, scope: str) -> None:
    webhook = {"subscriptionType": "webhook", "webhookUrl": "https://hook.example/"}
    body = {"jobName": "n", "jobType": "t", "subscriptions": [webhook]}
    with scene.service.client(scene.project.ids["tenantId"], scene.project.ids["projectId"]) as api:
        api.headers["Authorization"] = scene.target.bearing({"scope": scope})
        problem(api.post("/jobs", json=body), 403, "forbidden")
    assert scene.held() == scene.before


def test_who_may_is_let_in_however_the_ids_are_written(service: Service, url: str) -> None:
    project = populated(service, url)
    signing, ids = load_signing_key(service.home), project.ids
    target = Target(signing, ids["tenantId"], ids["projectId"], issuer=service.issuer)
    with httpx.Client(base_url=service.url, timeout=30, trust_env=False) as api:
        for key in sorted(ROUTES, key=lambda key: key.startswith("DELETE")):
            claims = {"tenant_id": target.tenant.upper(), "project_ids": [str(uuid4()), target.project.upper()]}
            scopes = {"scope": None, "scp": [*ROUTES[key].auth.authorization_scopes, "openid"]}
            headers = {**KEY, "Authorization": target.bearing({**claims, **scopes})}
            answer = ask(api, key, project.shouted(), headers)
            assert answer.is_success, f"{key}: {answer.text}"
            # populated() sent this before, with the same key.
            assert ("idempotency-replayed" in answer.headers) == key.startswith("POST")
