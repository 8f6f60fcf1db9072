"""`jobtrack open`: no address contains a token, because other processes and the browser's history see it."""

import json
import sys
import webbrowser
from collections.abc import Callable
from functools import partial

import httpx
import pytest

from jobtrack_client import Client, cli
from jobtrack_client._api.settings import Settings
from jobtrack_client.commands import open_page, service
from jobtrack_client.profiles import Profile
from tests.unit.client.service import GUID, problem

LOCAL, AWS, PAGE = "http://127.0.0.1:8080", "https://jobs.example.com", "https://page.example.com"
TOKEN = "the-very-token"
Answer = Callable[[httpx.Request], httpx.Response]


class Browser:
    def __init__(self) -> None:
        self.opened: list[str] = []
        self.there = True

    def __call__(self, address: str) -> bool:
        self.opened.append(address)
        return self.there


class Run:
    """Runs `jobtrack open` with a service that responds to requests for codes like this."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.browser = Browser()
        self.asked: list[httpx.Request] = []
        self.answer: Answer = lambda request: httpx.Response(201, json={"code": "c0-De", "expiresInSeconds": 60})
        self.terminal = False
        self._monkeypatch, self._capsys = monkeypatch, capsys
        monkeypatch.setattr(webbrowser, "open", self.browser)
        monkeypatch.setattr(open_page, "terminal", lambda: self.terminal)
        http = partial(httpx.Client, transport=httpx.MockTransport(self._note))
        monkeypatch.setattr(open_page, "_http", http)

    def __call__(self, url: str, *arguments: str, page: str | None = None) -> tuple[object, str, str]:
        profile = Profile(url, GUID, GUID, TOKEN, page=page)
        self._monkeypatch.delenv("JOBTRACK_URL", raising=False)
        for module in ("_api.settings.profiles.profile", "commands.open_page.profile"):
            self._monkeypatch.setattr(f"jobtrack_client.{module}", lambda *environ: profile)
        self._monkeypatch.setattr(service, "Client", partial(Client, url, TOKEN, GUID, GUID))
        self._monkeypatch.setattr(sys, "argv", ["jobtrack", "open", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = self._capsys.readouterr()
        assert TOKEN not in said.out + said.err + "".join(self.browser.opened)
        return ended.value.code, said.out, said.err

    def _note(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self.answer(request)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(monkeypatch, capsys)


@pytest.mark.parametrize("url", [LOCAL, f"{LOCAL}/", "http://localhost:8080", "http://[::1]:8080"])
def test_a_page_of_this_machine_is_signed_in_by_a_code(run: Run, url: str) -> None:
    run.terminal = True
    assert run(url, GUID) == (0, "", "")
    assert run.browser.opened == [f"{url.rstrip('/')}/#/code/c0-De"]
    (asked,) = run.asked
    assert (asked.method, str(asked.url)) == ("POST", f"{url.rstrip('/')}/page/codes")
    assert asked.headers["Authorization"] == f"Bearer {TOKEN}"
    assert json.loads(asked.content) == {"tenant": GUID, "project": GUID, "job": GUID}


@pytest.mark.parametrize("arguments", [(), ("--print",)])
def test_a_printed_address_says_how_long_it_is_good(run: Run, arguments: tuple[str, ...]) -> None:
    run.terminal = bool(arguments)
    code, out, err = run(LOCAL, *arguments)
    assert (code, out) == (0, f"{LOCAL}/#/code/c0-De\n")
    assert err == "jobtrack: the URL signs in once, within 60 seconds\n"
    assert run.browser.opened == []
    assert json.loads(run.asked[0].content)["job"] is None


@pytest.mark.parametrize(
    ("url", "page", "asks"),
    [
        (LOCAL, None, 1),
        (AWS, None, 0),
        (AWS, PAGE, 0),
        (AWS, LOCAL, 0),
        (LOCAL, PAGE, 0),
        ("http://127.0.0.1.nip.io", None, 0),
    ],
)
@pytest.mark.parametrize("terminal", [False, True])
def test_where_there_are_no_codes_the_page_asks_for_the_token(
    run: Run, url: str, page: str | None, asks: int, terminal: bool
) -> None:
    """A code is requested only if this machine's service serves the page, because only it can exchange one."""
    run.terminal, run.answer = terminal, lambda request: problem(404)
    code, out, err = run(url, GUID, page=page)
    address = f"{page or url}/#/job/{GUID}?project={GUID}"
    assert (code, [out.strip()] if out else run.browser.opened) == (0, [address])
    assert err == f"jobtrack: {open_page.SIGN_IN}\n"
    assert len(run.asked) == asks


def cut(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda request: problem(401), "401 some_code: no (the token has expired, or belongs to another service)"),
        (lambda request: httpx.Response(200, text="<html>"), "200: the response is not a JSON object"),
        (cut, f"{LOCAL} cannot be reached: refused (is the service running, and is the address correct?)"),
    ],
    ids=["refused", "another service", "away"],
)
def test_a_code_that_is_not_given_is_told_in_one_line(run: Run, answer: Answer, says: str) -> None:
    run.answer = answer
    code, out, err = run(LOCAL)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"jobtrack: {says}")


def test_without_a_browser_the_way_to_the_address_is_told(run: Run) -> None:
    run.terminal, run.browser.there = True, False
    assert run(LOCAL) == (1, "", "jobtrack: no browser was found (--print prints the URL)\n")


def test_a_profile_says_nothing_of_the_service_that_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBTRACK_URL", AWS)
    monkeypatch.setattr(open_page, "profile", lambda: Profile(LOCAL, GUID, GUID, TOKEN, page=PAGE))
    assert open_page._page(Settings(AWS, GUID, GUID, TOKEN)) == AWS
