"""Which jobs a token gives access to, and how jobs are addressed."""

from uuid import uuid4

import httpx

from tests.e2e.reporting import create, event, faults, got, problem, report, reported
from tests.e2e.running import Service


def test_ids_are_taken_in_any_letter_case_and_answered_in_lower_case(service: Service) -> None:
    tenant, project, job = str(uuid4()), str(uuid4()), str(uuid4())
    with service.client(tenant.upper(), project.upper()) as shouting, service.client(tenant, project) as client:
        assert create(shouting, jobId=job.upper()) == job
        reported(shouting, job.upper(), event("jobStarted"))
        assert got(client, f"/job/{job}")["status"] == "Running"
        assert got(client, f"/job/{job.upper()}/progress")["jobId"] == job
        assert create(client, prerequisites=[{"jobId": job.upper()}])


def test_another_tenants_token_is_refused_alike_whether_or_not_the_job_exists(service: Service) -> None:
    tenant, project = str(uuid4()), str(uuid4())
    with service.client(tenant, project) as client:
        job = create(client)
        client.headers["Authorization"] = f"Bearer {service.token(str(uuid4()))}"
        told = [
            {name: body[name] for name in ("title", "status", "detail", "code")}
            for path in (f"/job/{each}{tail}" for each in (job, uuid4(), "x") for tail in ("", "/logs", "/progress"))
            for body in [problem(client.get(path), 403, "forbidden")]
        ]
        assert all(each == told[0] for each in told)
        problem(report(client, job, event("jobStarted")), 403, "forbidden")
        problem(client.post("/jobs", json={}), 403, "forbidden")


def test_a_path_that_names_no_guid_is_pointed_at(api: httpx.Client) -> None:
    assert faults(api.get("/job/0/progress")) == {"/path/jobId": "must be a GUID"}
