"""The live page in a headless Chromium, opened for a project and checked for errors that no test may cause."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from jobtrack_local import tokens
from tests.e2e.reporting import create, event, line, reported
from tests.e2e.running import Service

FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
PATIENCE_MS = 30_000
SAMPLE = event(
    "metricSample",
    **{"cpuUsage": 67, "memoryBytes": 2**30, "recordsPerSecond": 125},
    **{"diskReadBytes": 2**20, "diskWriteBytes": 2**21, "networkInBytes": 2**22, "networkOutBytes": 2**23},
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's browser. Without it the test is skipped; in CI it fails."""
    path = shutil.which("chromium")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("CI has no chromium: .ci/run installs it")
        pytest.skip("there is no chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS])
        yield browser
        browser.close()


@dataclass
class Visit:
    """A page, and a record of its errors."""

    page: Page
    service: Service
    wrong: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    """Parts of console messages that the test causes."""

    def watch(self) -> None:
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("pageerror", lambda error: self.wrong.append(f"raised {error}"))
        self.page.on("dialog", lambda dialog: self.wrong.append(f"dialog {dialog.message}"))
        self.page.on("request", lambda request: self._same_host(request.url))
        self.page.on("websocket", lambda socket: self._same_host(socket.url))
        self.page.on("console", lambda said: self._hear(said.type, said.text))

    def open(self, token: str, project: str, place: str = "/") -> Page:
        """Sign in as `jobtrack open` does, and open the view."""
        self.page.goto(code_address(self.service, token, project))
        expect(self.page.locator("header .project")).to_have_text(project)
        return self.go(place) if place != "/" else self.page

    def go(self, place: str) -> Page:
        self.page.goto(f"{self.service.url}/#{place}")
        return self.page

    def _same_host(self, url: str) -> None:
        host = self.service.url.removeprefix("http://")
        if not url.startswith((f"http://{host}/", f"ws://{host}/", "data:")):
            self.wrong.append(f"asked {url}")

    def _hear(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not any(part in text for part in self.expected):
            self.wrong.append(f"console {kind}: {text}")


def code_address(service: Service, token: str, project: str, job: str | None = None) -> str:
    """Return an address that signs the page in, once."""
    tenant = jwt.decode(token, options={"verify_signature": False})["tenant_id"]
    answer = httpx.post(
        f"{service.url}/page/codes",
        json={"tenant": tenant, "project": project, "job": job},
        headers={"Authorization": f"Bearer {token}"},
        trust_env=False,
    )
    assert answer.status_code == 201, answer.text
    return f"{service.url}/#/code/{answer.json()['code']}"


@contextmanager
def visiting(browser: Browser, service: Service, **options: Any) -> Iterator[Visit]:
    """Open a visitor with an empty profile; errors of the page fail the test."""
    context = browser.new_context(**{"locale": "en-US", "viewport": {"width": 1200, "height": 850}, **options})
    visit = Visit(context.new_page(), service)
    visit.watch()
    yield visit
    context.close()
    assert not visit.wrong, visit.wrong


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@dataclass(frozen=True)
class Project:
    """Create a project with a job that is half done."""

    service: Service
    api: httpx.Client
    tenant: str
    id: str
    job: str

    def token(self, scope: str = tokens.SCOPES, ttl: float = 3600) -> str:
        return self.service.token(self.tenant, self.id, scope, ttl)


@pytest.fixture
def project(service: Service) -> Iterator[Project]:
    tenant, project = str(uuid4()), str(uuid4())
    with service.client(tenant, project) as api:
        first = create(api, jobName="Extract")
        plan = [{"stageName": "Load"}, {"stageName": "Check"}]
        job = create(api, jobName="Import", stages=plan, prerequisites=[{"jobId": first}])
        create(api, jobName="Report", prerequisites=[{"jobId": job}])
        begun = event("stageStarted", stageName="Load"), event("progressUpdate", progress=50)
        reported(api, job, event("jobStarted"), *begun, SAMPLE, line("a line"), line("a warning", level="WARN"))
        yield Project(service, api, tenant, project, job)


@pytest.fixture
def visit(browser: Browser, service: Service) -> Iterator[Visit]:
    with visiting(browser, service) as found:
        yield found
