"""A refused token ends nothing: a new job requests another once, an existing job waits until one is accepted."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

import jobtrack_client as jt
from jobtrack_client._api import token_command
from jobtrack_client._api.token_command import TokenCommand
from tests.unit.client.service import GUID, QUICK, TOKEN_REFUSED, Failure, Service, problem

REFUSED = pytest.mark.parametrize("refused", TOKEN_REFUSED, ids=["401", "403"])
OTHER = "11111111-2222-4333-8444-555555555555"
GOOD = "good"
Token = str | Callable[[], str]


def client(service: Callable[[httpx.Request], httpx.Response], token: Token = GOOD) -> jt.Client:
    return jt.Client("http://service.test", token, GUID, GUID, transport=httpx.MockTransport(service))


class Tokens:
    """A token callable that raises the exceptions among its values; the last token is repeated."""

    def __init__(self, *tokens: str | Exception) -> None:
        self.asked = 0
        self._tokens: Iterator[str | Exception] = iter(tokens)
        self._last: str | Exception = ""

    def __call__(self) -> str:
        self.asked += 1
        self._last = next(self._tokens, self._last)
        if isinstance(self._last, Exception):
            raise self._last
        return self._last


class Guarded:
    """A service that accepts one token only."""

    def __init__(self, status: int, token: str = GOOD) -> None:
        self.service = Service()
        self.seen: list[str] = []
        self.token = token
        self._status = status

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request.headers["Authorization"].removeprefix("Bearer "))
        return self.service(request) if self.seen[-1] == self.token else problem(self._status)


@REFUSED
@pytest.mark.parametrize("token", ["fixed", lambda: "asked-for"], ids=["fixed", "callable"])
def test_a_job_that_exists_waits_until_its_token_is_accepted(refused: Failure, token: Token) -> None:
    refusals = [refused] * 7
    service = Service([None, *refusals, None, *refusals])
    with client(service, token).job("Import", job_type="import", options=QUICK) as job:
        assert job.flush(20)
        job.log("INFO", "here")
    assert [*service.statuses.values()] == ["Completed"]
    assert service.lines() == ["here"]
    assert job.stats.dropped == {}


@REFUSED
@pytest.mark.parametrize("how", ["attached", "resumed"])
def test_so_does_one_that_was_attached_to_or_resumed(refused: Failure, how: str) -> None:
    service = Service([refused] * 4 if how == "attached" else [None, *[refused] * 4])
    api = client(service)
    if how == "attached":
        job = api.attach(GUID, options=QUICK)
    else:
        job = api.job("Import", job_type="import", job_id=GUID, resume=True, options=QUICK)
    with job:
        job.log("INFO", "here")
    assert service.lines() == ["here"]
    assert job.stats.dropped == {}


@REFUSED
def test_so_does_a_forked_process_whose_parent_may_have_created_the_job(refused: Failure) -> None:
    service = Service([refused] * 4)
    job = client(service).job("Import", job_type="import", options=QUICK)
    job._reporter.forked()
    with job:
        job.log("INFO", "here")
        assert job.flush(20)
    assert service.lines() == ["here"]


@pytest.mark.parametrize("status", [401, 403])
def test_a_new_job_asks_for_another_token_once(status: int, caplog: pytest.LogCaptureFixture) -> None:
    tokens, guarded = Tokens("old", "good"), Guarded(status)
    with client(guarded, tokens).job("Import", job_type="import", options=QUICK):
        pass
    assert guarded.seen[:2] == ["old", "good"]
    assert [*guarded.service.statuses.values()] == ["Completed"]
    assert caplog.records == []


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(("token", "requests"), [("fixed", 1), (lambda: "bad", 2)], ids=["fixed", "callable"])
def test_a_new_job_is_not_tracked_if_that_is_refused_too(
    status: int, token: Token, requests: int, caplog: pytest.LogCaptureFixture
) -> None:
    guarded = Guarded(status)
    with client(guarded, token).job("Import", job_type="import", options=QUICK):
        pass
    assert len(guarded.seen) == requests
    assert f"is not tracked: {status}" in caplog.text


@pytest.mark.parametrize(("status", "kind"), [(401, jt.Unauthorized), (403, jt.Forbidden)])
def test_a_new_job_that_must_be_tracked_raises_then(status: int, kind: type[jt.ApiError]) -> None:
    job = client(Guarded(status), lambda: "bad").job("Import", job_type="import", options=QUICK, required=True)
    with pytest.raises(kind), job:
        pytest.fail("it began")


def test_one_that_must_be_tracked_raises_why_it_has_no_token() -> None:
    options = replace(QUICK, close_seconds=0.05)
    tokens = Tokens(OSError("issuer away"))
    job = client(Service(), tokens).job("Import", job_type="import", options=options, required=True)
    with pytest.raises(jt.TokenUnavailable, match="the token callable failed: OSError"), job:
        pytest.fail("it began")


@pytest.mark.parametrize("trouble", [OSError("issuer away"), KeyError("access_token")])
def test_a_callable_that_raises_is_called_again_later(trouble: Exception) -> None:
    guarded = Guarded(401)
    tokens = Tokens("good", "good", trouble, trouble, "no token", "good")
    with client(guarded, tokens).job("Import", job_type="import", options=QUICK) as job:
        assert job.flush(20)
        job.log("INFO", "here")
    assert guarded.service.types() == ["jobStarted", "log", "jobCompleted"]
    assert job.stats.dropped == {}


@pytest.mark.parametrize("status", [401, 403])
def test_a_read_asks_for_another_token_once_and_then_fails(status: int) -> None:
    guarded = Guarded(status)
    guarded.service.statuses[GUID] = "Running"
    assert client(guarded, Tokens("old", "good")).get_job(GUID)["status"] == "Running"
    with pytest.raises(jt.ApiError) as caught:
        client(guarded, Tokens("old", "older", "good")).get_job(GUID)
    assert caught.value.status == status
    assert guarded.seen == ["old", "good", "old", "older"]


@pytest.mark.parametrize("status", [401, 403])
def test_so_does_an_asynchronous_one(status: int) -> None:
    guarded = Guarded(status)
    guarded.service.statuses[GUID] = "Running"

    async def status_of(tokens: Tokens) -> Any:
        async def token() -> str:
            return tokens()

        transport = httpx.MockTransport(guarded)
        async with jt.AsyncClient("http://service.test", token, GUID, GUID, transport=transport) as api:
            return (await api.get_job(GUID))["status"]

    assert asyncio.run(status_of(Tokens("old", "good"))) == "Running"
    with pytest.raises(jt.ApiError):
        asyncio.run(status_of(Tokens("old", "older", "good")))
    assert guarded.seen == ["old", "good", "old", "older"]


@pytest.mark.parametrize("status", [401, 403])
def test_a_walk_over_events_asks_for_another_token_once_for_its_ticket(status: int) -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["Authorization"].removeprefix("Bearer "))
        subscribed = httpx.Response(201, json={"subscriptionId": OTHER, "websocketUrl": "ws://there"})
        return subscribed if seen[-1] == GOOD else problem(status)

    def lost(url: str, since: int | None, timeout: float) -> Iterator[dict[str, Any]]:
        yield from ()
        raise jt.Unreachable("lost")

    given: dict[str, Any] = {"messages": lost, "sleep": lambda seconds: None}
    api = jt.Client(
        "http://x", Tokens(GOOD, "old", "older"), GUID, GUID, transport=httpx.MockTransport(answer), **given
    )
    with pytest.raises(jt.ApiError) as caught:
        next(iter(api.events(GUID)))
    assert caught.value.status == status
    assert seen[:3] == [GOOD, "old", "older"]


@pytest.mark.parametrize(("refusals", "fails"), [(1, False), (2, True)])
def test_a_walk_over_events_asks_for_another_ticket_once(refusals: int, fails: bool) -> None:
    refused = iter([jt.Unauthorized(401, "the ticket was refused")] * refusals)
    ended = {"type": "jobCompleted", "data": {"sequence": 2}}

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(201, json={"subscriptionId": OTHER, "websocketUrl": "ws://there"})

    def messages(url: str, since: int | None, timeout: float) -> Iterator[dict[str, Any]]:
        if error := next(refused, None):
            raise error
        yield ended

    given: dict[str, Any] = {"messages": messages, "sleep": lambda seconds: None}
    api = jt.Client("http://x", GOOD, GUID, GUID, transport=httpx.MockTransport(answer), **given)
    if fails:
        with pytest.raises(jt.Unauthorized):
            list(api.events(GUID))
    else:
        assert list(api.events(GUID)) == [ended]


def command(tmp_path: Path, program: str) -> list[str]:
    """Runs a program that knows how often it ran (`runs`)."""
    count = tmp_path / "count"
    head = f"import sys, time\nopen({str(count)!r}, 'a').write('x')\nruns = len(open({str(count)!r}).read())\n"
    return [sys.executable, "-c", head + program]


@pytest.mark.parametrize("status", [401, 403])
def test_a_command_runs_again_after_its_token_was_refused(status: int, tmp_path: Path) -> None:
    guarded = Guarded(status, "token2")
    with client(guarded, TokenCommand(command(tmp_path, "print(f'token{runs}')"))).job(
        "Import", job_type="import", options=QUICK
    ) as job:
        assert job.flush(20)
        guarded.token = "token4"
        job.log("INFO", "here")
    assert guarded.service.types() == ["jobStarted", "log", "jobCompleted"]
    assert [*dict.fromkeys(guarded.seen)] == ["token1", "token2", "token3", "token4"]


def test_a_token_that_was_replaced_meanwhile_is_kept(tmp_path: Path) -> None:
    ask = TokenCommand(command(tmp_path, "print(f'token{runs}')"))
    assert ask() == "token1"
    ask.forget("token1")
    assert ask() == "token2"
    ask.forget("token1")
    assert ask() == "token2"


@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        ("sys.exit(3)", "failed with exit code 3"),
        ("time.sleep(600)", "no token within 2 s"),
        ("print()", "printed something other than a token"),
        ("print('Please log in')", "printed something other than a token"),
    ],
    ids=["fails", "hangs", "prints nothing", "prints something else"],
)
def test_a_command_that_fails_once_is_run_again(
    trouble: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(token_command, "REPEAT_SECONDS", 2.0)
    guarded = Guarded(401, "token1")
    ask = TokenCommand(command(tmp_path, f"if runs == 2: {trouble}\nelse: print(f'token{{runs}}')"))
    with client(guarded, ask).job("Import", job_type="import", options=QUICK) as job:
        assert job.flush(20)
        guarded.token = "token3"
        job.log("INFO", "here")
    assert guarded.service.types() == ["jobStarted", "log", "jobCompleted"]
    assert job.stats.dropped == {}
    assert says in caplog.text
