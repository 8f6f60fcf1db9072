"""How the live page is signed in: a code for a token, once, only from this machine's own page."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobtrack.api import create_app
from jobtrack.errors import NotFound
from jobtrack_local import signin
from jobtrack_local.gateway.http_api import Gateway
from jobtrack_local.signin import CODE_SECONDS, MOST_CODES, Codes, Session
from jobtrack_local.tokens import Verifier, issue, load_signing_key

TENANT = "7d1c3b5e-2f4a-4c8e-9b6d-0a1f2e3d4c5b"
PROJECT = "1f0e8400-e29b-41d4-a716-446655440000"
OTHER = "2f0e8400-e29b-41d4-a716-446655440000"
URL = "http://127.0.0.1:8080"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Service:
    """The routes behind the gateway, without a socket."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.clock = Clock()
        self._app = Gateway(
            create_app(signin.router(Codes(self.clock), URL)), signin.ROUTES, Verifier(load_signing_key(home))
        )

    def post(self, path: str, body: object, **headers: str) -> httpx.Response:
        return self.ask("POST", path, json.dumps(body), **{"content-type": "application/json", **headers})

    def ask(self, method: str, path: str, content: str = "", **headers: str) -> httpx.Response:
        async def exchange() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self._app), base_url=URL) as client:
                return await client.request(method, path, content=content, headers=headers)

        return asyncio.run(exchange())

    def token(self, tenant: str = TENANT, project: str | None = None) -> str:
        return issue(tenant, project, home=self.home)

    def code(self, token: str | None = None, **changes: Any) -> httpx.Response:
        body = {"tenant": TENANT, "project": PROJECT, "job": None, **changes}
        return self.post(signin.CODES, body, Authorization=f"Bearer {token or self.token()}")

    def session(self, code: object, **headers: str) -> httpx.Response:
        return self.post(signin.SESSIONS, {"code": code}, **headers)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def service(home: Path) -> Service:
    return Service(home)


def code_of(answer: httpx.Response) -> str:
    assert answer.status_code == 201, answer.text
    assert answer.json()["expiresInSeconds"] == CODE_SECONDS == 60
    return str(answer.json()["code"])


@pytest.mark.parametrize("job", [None, OTHER])
def test_a_code_is_worth_its_token_once(service: Service, job: str | None) -> None:
    token = service.token()
    made = service.code(token, job=job)
    code = code_of(made)
    assert re.fullmatch(r"[\w-]{43}", code), "256 random bits"
    assert made.headers["cache-control"] == "no-store"
    answer = service.session(code)
    assert answer.json() == {"token": token, "tenant": TENANT, "project": PROJECT, "url": URL, "job": job}
    assert answer.headers["cache-control"] == "no-store"
    again = service.session(code)
    assert (again.status_code, again.headers["content-type"]) == (404, "application/problem+json")


def test_a_code_is_good_for_a_minute(service: Service) -> None:
    early, late = code_of(service.code()), code_of(service.code())
    service.clock.now += CODE_SECONDS - 0.1
    assert service.session(early).status_code == 200
    service.clock.now += 0.1
    assert service.session(late).status_code == 404


@pytest.mark.parametrize("code", ["", "x", "A" * 43, "é", "\0", "x" * 100_000])
def test_an_unknown_code_is_404(service: Service, code: str) -> None:
    code_of(service.code())
    assert service.session(code).status_code == 404


@pytest.mark.parametrize("body", [{}, {"code": None}, {"code": 1}, [], None, "x"])
def test_what_is_no_code_is_422(service: Service, body: object) -> None:
    assert service.post(signin.SESSIONS, body).status_code == 422


def test_codes_are_bounded_in_number_and_the_oldest_gives_way() -> None:
    codes = Codes()
    issued = [codes.issue(Session("t", TENANT, PROJECT, URL, None)) for _ in range(MOST_CODES + 1)]
    with pytest.raises(NotFound):
        codes.redeem(issued[0])
    assert all(codes.redeem(each) for each in issued[1:])


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 200), st.floats(0, 40)), max_size=300))
def test_no_code_is_ever_redeemed_twice_or_late(steps: list[tuple[bool, int, float]]) -> None:
    clock = Clock()
    codes = Codes(clock)
    issued: list[tuple[str, float]] = []
    redeemed: set[str] = set()
    for issues, index, seconds in steps:
        clock.now += seconds
        if issues or not issued:
            issued.append((codes.issue(Session("t", TENANT, PROJECT, URL, str(len(issued)))), clock.now))
            continue
        place = index % len(issued)
        code, since = issued[place]
        newer = len(issued) - place - 1
        try:
            session = codes.redeem(code)
        except NotFound:
            assert code in redeemed or clock.now - since >= CODE_SECONDS or newer >= MOST_CODES - len(redeemed)
        else:
            assert code not in redeemed
            assert clock.now - since < CODE_SECONDS
            assert session.job == str(place)
            redeemed.add(code)


@pytest.mark.parametrize(("header", "status"), [("", 401), ("Bearer", 401), ("Bearer x.y.z", 401), ("Basic eDp5", 401)])
def test_a_code_needs_a_valid_token(service: Service, header: str, status: int) -> None:
    body = {"tenant": TENANT, "project": PROJECT}
    answer = service.post(signin.CODES, body, **({"Authorization": header} if header else {}))
    assert (answer.status_code, answer.headers["www-authenticate"]) == (status, "Bearer")


@pytest.mark.parametrize(
    ("tenant", "project", "status"),
    [(TENANT, None, 201), (TENANT, PROJECT, 201), (OTHER, None, 403), (TENANT, OTHER, 403), (OTHER, PROJECT, 403)],
)
def test_a_code_is_for_what_its_token_is_for(service: Service, tenant: str, project: str | None, status: int) -> None:
    assert service.code(service.token(tenant, project)).status_code == status


@pytest.mark.parametrize(
    "changes", [{"tenant": "x"}, {"project": "../.."}, {"job": "..%5cjobs"}, {"job": 1}, {"tenant": None}]
)
def test_ids_are_guids(service: Service, changes: dict[str, Any]) -> None:
    answer = service.code(**changes)
    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == [f"/{name}" for name in changes]


OWN = ["127.0.0.1:8080", "localhost:8080", "LOCALHOST", "[::1]:9", "127.0.0.1"]


@pytest.mark.parametrize("host", OWN)
def test_the_page_itself_may_ask(service: Service, host: str) -> None:
    assert service.session(code_of(service.code()), Host=host).status_code == 200
    assert service.session(code_of(service.code()), Host=host, Origin=f"http://{host}").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://127.0.0.1:8081"},
        {"Origin": "https://127.0.0.1:8080"},
        {"Origin": "http://127.0.0.1:8080.evil.example"},
        {"Host": "evil.example:8080"},
        {"Host": "evil.example:8080", "Origin": "http://evil.example:8080"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "127.0.0.1:8080@evil.example"},
        {"Host": ""},
        {"Host": "0x7f.1"},
        {"Host": "127.0.0.1:"},
    ],
)
def test_no_other_site_may(service: Service, headers: dict[str, str]) -> None:
    code = code_of(service.code())
    refused = service.session(code, **headers)
    assert refused.status_code == 403
    assert service.session(code).status_code == 200, "nor does it use the code up"


def test_no_site_is_let_in_by_cors(service: Service) -> None:
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    for path in (signin.CODES, signin.SESSIONS):
        for answer in (service.ask("OPTIONS", path, **asked), service.session("x", Origin="https://evil.example")):
            assert answer.status_code in (403, 404)
            assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_what_a_site_can_send_without_asking_is_not_read(service: Service, kind: str) -> None:
    code = code_of(service.code())
    answer = service.ask("POST", signin.SESSIONS, json.dumps({"code": code}), **{"content-type": kind})
    assert answer.status_code == 415


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_only_posts_are_taken(service: Service, method: str) -> None:
    assert service.ask(method, signin.SESSIONS).status_code == 404
