"""The counters of a real engine, seen through the API: a new job's position counts all jobs that wait, exactly."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx

from tests.e2e.reporting import Json, event, got
from tests.e2e.running import Service

PRIORITIES = ("Critical", "High", "Normal", "Low")
CLIENTS, JOBS = 6, 10


def post(api: httpx.Client, path: str, body: Json) -> Json:
    """Post twice with one key, as a client that lost the first response; a busy job is tried again."""
    headers = {"Idempotency-Key": str(uuid4())}
    answers = list[httpx.Response]()
    while len(answers) < 2:
        answer = api.post(path, json=body, headers=headers)
        if answer.status_code != 429:
            assert answer.is_success, answer.text
            answers.append(answer)
    assert answers[0].json() == answers[1].json()
    found: Json = answers[1].json()
    return found


def test_a_new_position_counts_all_that_wait_after_many_clients_wrote_at_once(service: Service) -> None:
    tenant, project = str(uuid4()), str(uuid4())

    def live(number: int) -> Counter[str]:
        """Create jobs and move some of them on; return the priorities of those that wait."""
        rng, waiting = random.Random(number), Counter[str]()
        with service.client(tenant, project) as api:
            for place in range(JOBS):
                priority = rng.choice(PRIORITIES)
                job = post(api, "/jobs", {"jobName": "Job", "jobType": "Test", "priority": priority})["jobId"]
                moves = (["jobStarted"], ["jobStarted", "jobCompleted"], ["jobCancelled"], ["heartbeat"])[place % 4]
                for kind in moves:
                    post(api, f"/job/{job}/events", {"events": [event(kind)]})
                waiting[priority] += moves == ["heartbeat"]
        return waiting

    with ThreadPoolExecutor(CLIENTS) as pool:
        waiting = sum(pool.map(live, range(CLIENTS)), Counter[str]())
    with service.client(tenant, project) as api:
        summary = got(api, "/queue")["summary"]
        assert {each: summary[f"{each.lower()}PriorityJobs"] for each in PRIORITIES} == {
            each: waiting[each] for each in PRIORITIES
        }
        for place in reversed(range(len(PRIORITIES))):
            new = post(api, "/jobs", {"jobName": "New", "jobType": "Test", "priority": PRIORITIES[place]})
            assert new["queuePosition"] == 1 + sum(waiting[each] for each in PRIORITIES[: place + 1])
