"""`POST /jobs` and `GET /job/{jobId}`."""

from uuid import uuid4

import httpx
import pytest

from jobtrack import times
from tests.e2e.reporting import create, event, faults, got, problem, report, reported
from tests.e2e.running import Service

NEEDED = {"jobName": "Customer Journey Analysis", "jobType": "ProcessMining"}
FULL = {
    **NEEDED,
    "jobDescription": "顧客の旅 🚄",
    "priority": "High",
    "submittedBy": "user123",
    "stages": [
        {"stageName": "Data Loading", "labels": {"ja": "データローディング"}, "expectedSeconds": 150, "weight": 1},
        {"stageName": "Process Discovery"},
    ],
    "totalRecords": 192850,
    "resources": [{"resourceType": "Dataset", "resourceId": "d", "lastModified": "2024-01-20T19:25:00+09:00"}],
    "blockingConditions": [{"condition": "Memory allocation below 2GB", "status": "Active"}],
    "heartbeatSeconds": 60,
    "metadata": {"team": "分析", "run": 7, "nested": {"list": [1, None, True]}},
}
READS = ("progress", "logs", "timeline", "metrics", "dependencies", "events")
SUBSCRIPTION = {"subscriptionType": "webhook", "webhookUrl": "https://your-app.example/hook"}


def test_a_job_with_all_that_may_be_said(api: httpx.Client) -> None:
    job_id, before = str(uuid4()), create(api)
    wanted = {**FULL, "jobId": job_id, "prerequisites": [{"jobId": before, "dependency": "Dataset must be validated"}]}
    answer = api.post("/jobs", json=wanted)
    made = answer.json()
    base = f"{api.base_url.path.rstrip('/')}/job/{job_id}"
    assert answer.status_code == 201
    assert answer.headers["location"] == base
    assert made["links"] == {"self": base, **{name: f"{base}/{name}" for name in READS}}
    assert (made["jobId"], made["jobName"], made["status"]) == (job_id, NEEDED["jobName"], "Queued")
    assert (made["queuePosition"], made["subscriptions"]) == (1, [])
    assert made["createdAt"].endswith("Z")
    assert times.parse(made["createdAt"]) > 0


def test_what_is_left_out_has_its_default(api: httpx.Client) -> None:
    shown = got(api, f"/job/{create(api)}")
    assert {name: shown[name] for name in ("jobDescription", "priority", "metadata", "stalled", "error")} == {
        "jobDescription": None,
        "priority": "Normal",
        "metadata": None,
        "stalled": False,
        "error": None,
    }
    assert shown["submittedBy"]  # the token's `sub`


def test_null_is_as_good_as_left_out(api: httpx.Client) -> None:
    left_out = set(FULL) - set(NEEDED) | {"jobId", "prerequisites", "subscriptions"}
    shown = got(api, f"/job/{create(api, **dict.fromkeys(left_out))}")
    assert (shown["priority"], shown["status"]) == ("Normal", "Queued")


def test_get_job_tells_every_field_from_queued_to_ended(api: httpx.Client) -> None:
    job = create(api, **FULL)
    waiting = got(api, f"/job/{job}")
    assert waiting["lastUpdated"] >= waiting["createdAt"]
    assert waiting == {
        "jobId": job,
        "projectId": api.base_url.path.split("/")[3],
        "jobType": "ProcessMining",
        "jobName": "Customer Journey Analysis",
        "jobDescription": FULL["jobDescription"],
        "status": "Queued",
        "stalled": False,
        "priority": "High",
        "submittedBy": "user123",
        "progress": {"percentage": 0, "currentStage": None, "estimatedCompletion": None, "elapsedTime": None},
        "createdAt": waiting["createdAt"],
        "startedAt": None,
        "endedAt": None,
        "lastUpdated": waiting["lastUpdated"],
        "lastSequence": 1,
        "error": None,
        "metadata": FULL["metadata"],
    }
    reported(
        api,
        job,
        event("jobStarted", "2024-01-20T10:30:00Z"),
        event("stageStarted", "2024-01-20T10:30:00Z", stageName="Data Loading"),
        event("progressUpdate", progress=50),
    )
    running = got(api, f"/job/{job}")
    assert (running["status"], running["startedAt"], running["lastSequence"]) == ("Running", "2024-01-20T10:30:00Z", 4)
    assert (running["progress"]["percentage"], running["progress"]["currentStage"]) == (25, "Data Loading")
    reported(api, job, event("jobFailed", "2024-01-20T11:31:01Z", error={"message": "boom", "code": 7}))
    ended = got(api, f"/job/{job}")
    assert (ended["status"], ended["endedAt"]) == ("Failed", "2024-01-20T11:31:01Z")
    assert ended["error"] == {"message": "boom", "code": 7}
    assert ended["progress"] == {
        "percentage": 25,
        "currentStage": None,
        "estimatedCompletion": "2024-01-20T11:31:01Z",
        "elapsedTime": "1 hour 1 minute 1 second",
    }


def test_the_same_job_again_is_answered_the_same_and_another_is_a_conflict(api: httpx.Client) -> None:
    wanted = {**FULL, "jobId": str(uuid4()), "subscriptions": [SUBSCRIPTION]}
    first, again = (api.post("/jobs", json=wanted) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert first.json()["subscriptions"][0]["signingSecret"].startswith("whsec_")
    problem(api.post("/jobs", json={**wanted, "jobName": "Another"}), 409, "conflict")
    assert got(api, f"/job/{wanted['jobId']}")["jobName"] == FULL["jobName"]


def test_an_idempotency_key_brings_the_first_answer_again(api: httpx.Client) -> None:
    wanted = {**NEEDED, "subscriptions": [SUBSCRIPTION]}
    key = {"Idempotency-Key": str(uuid4())}
    first, again = (api.post("/jobs", json=wanted, headers=key) for _ in range(2))
    assert first.json() == again.json()
    assert first.headers["location"] == again.headers["location"]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    reordered = dict(reversed(wanted.items()))
    assert api.post("/jobs", json=reordered, headers=key).json() == first.json()
    problem(api.post("/jobs", json=NEEDED, headers=key), 409, "idempotency_mismatch")
    assert api.post("/jobs", json=NEEDED).json()["queuePosition"] == 2, "the refused and the repeated made no job"


def test_a_key_is_bound_to_tenant_project_and_path(service: Service) -> None:
    key, tenant = {"Idempotency-Key": "1"}, str(uuid4())
    with service.client(tenant) as one, service.client(tenant) as other, service.client() as stranger:
        made = {client.post("/jobs", json=NEEDED, headers=key).json()["jobId"] for client in (one, other, stranger)}
        assert len(made) == 3
        job = create(one)
        assert report(one, job, event("heartbeat"), key="1").json()["lastSequence"] == 2


@pytest.mark.parametrize("key", ["", "k" * 256, "a\tb"])
def test_a_key_that_is_none_is_refused(api: httpx.Client, key: str) -> None:
    answer = api.post("/jobs", json=NEEDED, headers={"Idempotency-Key": key})
    assert list(faults(answer)) == ["/header/Idempotency-Key"]


def test_prerequisites_must_be_jobs_of_the_project(service: Service, api: httpx.Client) -> None:
    known, unknown = create(api), str(uuid4())
    with service.client() as stranger:
        strange = create(stranger)
    wanted = {**NEEDED, "jobId": str(uuid4()), "prerequisites": [{"jobId": each} for each in (known, unknown, strange)]}
    answer = api.post("/jobs", json=wanted)
    assert set(faults(answer)) == {"/prerequisites/1/jobId", "/prerequisites/2/jobId"}
    problem(api.get(f"/job/{wanted['jobId']}"), 404, "not_found")


@pytest.mark.parametrize("twice", [True, False])
def test_prerequisites_are_different_jobs_and_not_the_job_itself(api: httpx.Client, twice: bool) -> None:
    known, own = create(api), str(uuid4())
    wanted = {**NEEDED, "jobId": own, "prerequisites": [{"jobId": known if twice else own}, {"jobId": known.upper()}]}
    assert set(faults(api.post("/jobs", json=wanted))) == {""}


def test_the_queue_goes_by_priority_then_by_submission(api: httpx.Client) -> None:
    order = ["Normal", "Low", "Critical", "High", "Normal", "Critical"]
    places = [api.post("/jobs", json={**NEEDED, "priority": each}).json()["queuePosition"] for each in order]
    assert places == [1, 2, 1, 2, 4, 2]


def test_a_job_that_runs_waits_no_more(api: httpx.Client) -> None:
    reported(api, create(api, priority="Critical"), event("jobStarted"))
    assert api.post("/jobs", json=NEEDED).json()["queuePosition"] == 1


def test_subscriptions_need_their_own_scope(service: Service) -> None:
    tenant = str(uuid4())
    with service.client(tenant) as client:
        client.headers["Authorization"] = f"Bearer {service.token(tenant, scope='jobs:read jobs:write')}"
        wanted = {**NEEDED, "jobId": str(uuid4()), "subscriptions": [SUBSCRIPTION]}
        problem(client.post("/jobs", json=wanted), 403, "forbidden")
        problem(client.get(f"/job/{wanted['jobId']}"), 404, "not_found")
        assert client.post("/jobs", json={**wanted, "subscriptions": []}).status_code == 201


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("jobId", "not-a-guid"), ("jobId", 5), ("jobName", ""), ("jobName", None), ("jobType", 7),
        ("priority", "high"), ("priority", ["High"]), ("totalRecords", -1), ("totalRecords", 1.5),
        ("totalRecords", True), ("totalRecords", "192850"), ("totalRecords", 2**53 + 1),
        ("heartbeatSeconds", 9), ("heartbeatSeconds", 86401), ("metadata", []), ("stages", {}),
    ],
)  # fmt: skip
def test_a_value_out_of_contract_is_named(api: httpx.Client, member: str, value: object) -> None:
    assert set(faults(api.post("/jobs", json={**NEEDED, member: value}))) == {f"/{member}"}


@pytest.mark.parametrize(
    ("wanted", "pointers"),
    [
        ({"stages": [{"stageName": "A"}, {}]}, {"/stages/1/stageName"}),
        ({"stages": [{"stageName": "A", "labels": {"ja": 1}}]}, {"/stages/0/labels/ja"}),
        ({"stages": [{"stageName": 1, "weight": -1}]}, {"/stages/0/stageName", "/stages/0/weight"}),
        ({"stages": [{"stageName": "A"}, {"stageName": "A"}]}, {""}),
        ({"prerequisites": [{"jobId": "x"}]}, {"/prerequisites/0/jobId"}),
        ({"resources": [{"resourceId": "x"}]}, {"/resources/0/resourceType"}),
        (
            {"resources": [{"resourceType": "t", "resourceId": "x", "lastModified": "today"}]},
            {"/resources/0/lastModified"},
        ),
        ({"blockingConditions": [{"condition": "c", "status": "Gone"}]}, {"/blockingConditions/0/status"}),
        ({"subscriptions": [{"subscriptionType": "pigeon"}]}, {"/subscriptions/0/subscriptionType"}),
        (
            {"subscriptions": [SUBSCRIPTION, {**SUBSCRIPTION, "webhookUrl": "http://x.example/"}]},
            {"/subscriptions/1/webhookUrl"},
        ),
        ({"jobName": None, "job_name": "by our own name", "jobType": None}, {"/jobName", "/jobType"}),
    ],
)  # fmt: skip
def test_each_wrong_value_is_pointed_at(api: httpx.Client, wanted: dict[str, object], pointers: set[str]) -> None:
    assert set(faults(api.post("/jobs", json={**NEEDED, **wanted}))) == pointers
