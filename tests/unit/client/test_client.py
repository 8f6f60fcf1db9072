"""Blocking calls: what they send, when they retry, what they raise."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import jobtrack_client as jt
from tests.unit.client.service import GUID, OUTAGES, Failure, Service, client, fail_with, refuse_connection

Answer = dict[str, Any]
ROOT = f"/api/{GUID}/{GUID}/execution"


class Sleep:
    def __init__(self) -> None:
        self.slept: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)


class Reader:
    """Responds to reads, and records the requests."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["Authorization"] == "Bearer secret"
        self.asked.append(f"{request.method} {request.url.raw_path.decode()}")
        return httpx.Response(200, json={"jobId": GUID})


@pytest.mark.parametrize(
    ("call", "asked"),
    [
        (lambda api: api.get_job(GUID), f"GET {ROOT}/job/{GUID}"),
        (lambda api: api.get_job(GUID.upper()), f"GET {ROOT}/job/{GUID}"),
        (lambda api: api.progress(GUID), f"GET {ROOT}/job/{GUID}/progress"),
        (lambda api: api.logs(GUID), f"GET {ROOT}/job/{GUID}/logs"),
        (
            lambda api: api.logs(GUID, level="WARN", from_time="2024-01-20T10:30:00+09:00", limit=5, since_sequence=0),
            f"GET {ROOT}/job/{GUID}/logs?level=WARN&fromTime=2024-01-20T10%3A30%3A00%2B09%3A00&sinceSequence=0&limit=5",
        ),
        (lambda api: api.logs(GUID, cursor="a/b=", direction="forward", to_time="2024-01-20T10:30:00Z"), None),
    ],
)
def test_reads_ask_for_what_the_contract_names(call: Callable[[jt.Client], Any], asked: str | None) -> None:
    reader = Reader()
    with client(reader) as api:
        assert call(api) == {"jobId": GUID}
    assert reader.asked[0] == (
        asked or f"GET {ROOT}/job/{GUID}/logs?toTime=2024-01-20T10%3A30%3A00Z&direction=forward&cursor=a%2Fb%3D"
    )


def test_a_job_gets_an_id_unless_it_has_one() -> None:
    service = Service()
    with client(service, key=lambda: "11111111-2222-3333-4444-555555555555") as api:
        assert api.create_job("Import", job_type="import")["jobId"] == "11111111-2222-3333-4444-555555555555"
        assert api.create_job("Import", job_type="import", job_id=GUID, idempotency_key="mine")["jobId"] == GUID
    assert service.requests[1].headers["Idempotency-Key"] == "mine"


def test_events_are_reported() -> None:
    service = Service()
    with client(service) as api:
        answer = api.report_events(
            GUID, [{"type": "heartbeat"}, {"type": "log", "data": {"level": "INFO", "message": "m"}}]
        )
    assert answer == {"accepted": 2, "lastSequence": 2}
    assert service.types() == ["heartbeat", "log"]


def test_a_subscription_is_posted_with_the_names_of_the_contract() -> None:
    requests: list[httpx.Request] = []
    url = "https://there.test/"

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(201, json={"subscriptionId": "s", "signingSecret": "whsec_x"})

    with client(answer) as api:
        made = api.subscribe(GUID, subscription_type="webhook", webhook_url=url, filters={"notify_on_errors": True})
    assert made["signingSecret"] == "whsec_x"
    assert requests[0].url.path == f"{ROOT}/job/{GUID}/subscribe"
    assert json.loads(requests[0].content) == {
        "subscriptionType": "webhook",
        "webhookUrl": url,
        "filters": {"notifyOnErrors": True},
    }


@given(outages=st.lists(st.sampled_from(OUTAGES), max_size=4))
def test_an_outage_shorter_than_the_attempts_is_not_seen(outages: list[Failure]) -> None:
    service, sleep = Service(outages), Sleep()
    with client(service, sleep=sleep) as api:
        api.create_job("Import", job_type="import")
    assert len(service.jobs) == 1
    assert len({request.headers["Idempotency-Key"] for request in service.requests}) == 1
    assert len(sleep.slept) == len(outages)


def test_a_longer_one_is_raised_after_the_attempts() -> None:
    service, sleep = Service([refuse_connection] * 9), Sleep()
    with (
        client(service, attempts=3, sleep=sleep) as api,
        pytest.raises(jt.Unreachable, match=r"service\.test.*refused"),
    ):
        api.create_job("Import", job_type="import")
    assert len(service.requests) == 3
    assert len(sleep.slept) == 2


def test_no_answer_in_time_is_told_apart() -> None:
    def late(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("", request=request)

    with client(late, attempts=1) as api, pytest.raises(jt.TimedOut, match=r"service\.test in time \(ReadTimeout\)"):
        api.progress(GUID)


def test_retry_after_is_waited_for() -> None:
    service, sleep = Service([fail_with(429, **{"Retry-After": "7"})]), Sleep()
    with client(service, sleep=sleep, backoff=jt.Backoff(random=lambda: 0.5)) as api:
        api.create_job("Import", job_type="import")
    assert sleep.slept == [pytest.approx(7.35)]


def test_a_wait_beyond_patience_is_raised_instead() -> None:
    service = Service([fail_with(503, **{"Retry-After": "3600"})])
    with client(service) as api, pytest.raises(jt.ServerError) as caught:
        api.create_job("Import", job_type="import")
    assert caught.value.retry_after == 3600
    assert len(service.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 415, 422])
def test_a_refusal_is_raised_at_once(status: int) -> None:
    service = Service([fail_with(status)])
    with client(service) as api, pytest.raises(jt.ApiError):
        api.create_job("Import", job_type="import")
    assert len(service.requests) == 1


@pytest.mark.parametrize("job_id", ["..", "a/b", "", GUID + "/events"])
def test_a_job_id_that_is_no_guid_is_refused_before_it_is_sent(job_id: str) -> None:
    reader = Reader()
    with client(reader) as api, pytest.raises(jt.ConfigurationError, match="job_id must be a GUID"):
        api.get_job(job_id)
    assert reader.asked == []


def tokens(*answers: str | Exception) -> Callable[[], str]:
    given = iter(answers)

    def token() -> str:
        answer = next(given)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return token


def guarded(request: httpx.Request) -> httpx.Response:
    allowed = request.headers["Authorization"] == "Bearer new"
    return httpx.Response(200, json={}) if allowed else httpx.Response(401, json={"message": "Unauthorized"})


def with_token(token: Callable[[], str], attempts: int = 1) -> jt.Client:
    transport = httpx.MockTransport(guarded)
    return jt.Client("http://x", token, GUID, GUID, transport=transport, attempts=attempts, sleep=Sleep())


def test_a_refused_token_is_asked_for_once_more() -> None:
    with with_token(tokens("old", "new\n")) as api:
        assert api.get_job(GUID) == Answer()
    with with_token(tokens("old", "old", "new")) as api, pytest.raises(jt.Unauthorized):
        api.get_job(GUID)


def test_a_token_that_cannot_be_had_is_asked_for_again() -> None:
    with with_token(tokens(OSError("issuer away"), "new"), attempts=2) as api:
        assert api.get_job(GUID) == Answer()
    with with_token(tokens(OSError("secret"))) as api, pytest.raises(jt.TokenUnavailable) as caught:
        api.get_job(GUID)
    assert str(caught.value) == "the token callable failed: OSError"
