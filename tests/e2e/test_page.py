"""The live page, as people see it, in a headless Chromium."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from jobtrack import times
from local import tokens
from tests.e2e.browsing import Visit, chromium, code_address, visiting
from tests.e2e.reporting import create, event, line, reported
from tests.e2e.running import Service

pytestmark = pytest.mark.one_engine(
    "the page asks the API alone, which the other tests hold to be alike on all engines"
)
LINES = 10_000
PATIENCE_SECONDS = 30
TABS = ("overview", "logs", "metrics", "dependencies", "pushes")
HOSTILE = "<img src=x onerror=alert(1)><b>bold</b>"
SAMPLE = event("metricSample", cpuUsage=67, memoryBytes=2**30, recordsPerSecond=125)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@dataclass(frozen=True)
class Project:
    """A project with a job that has come half way."""

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


@pytest.mark.parametrize(("scope", "way"), [(tokens.SCOPES, "Live"), ("jobs:read", "Every 2 s")])
def test_a_job_is_shown_to_its_end(visit: Visit, project: Project, scope: str, way: str) -> None:
    visit.expected = [] if way == "Live" else ["403"]
    page = visit.open(project.token(scope), project.id)
    page.get_by_role("link", name="Import").click()
    expect(page.get_by_text(way, exact=True)).to_be_visible()
    bar = page.get_by_role("progressbar", name="Progress of Import")
    expect(bar).to_have_attribute("aria-valuenow", "25")
    reported(project.api, project.job, event("progressUpdate", progress=100), event("stageCompleted", stageName="Load"))
    expect(bar).to_have_attribute("aria-valuenow", "50")
    reported(project.api, project.job, event("stageStarted", stageName="Check"), event("jobCompleted"))
    expect(bar).to_have_attribute("aria-valuenow", "100")
    expect(page.locator("header.job .status")).to_have_text("Completed")
    expect(page.get_by_text("Job completed")).to_be_visible()
    expect(page.get_by_text(way, exact=True)).to_be_hidden()
    expect(page).to_have_title("100 % Import")


def test_a_job_that_failed_says_why(visit: Visit, project: Project) -> None:
    reported(project.api, project.job, event("jobFailed", error={"message": "disk full"}))
    page = visit.open(project.token(), project.id, f"/job/{project.job}")
    expect(page.get_by_role("alert")).to_have_text("disk full")
    expect(page.locator("header.job .status")).to_have_text("Failed")


def test_ten_thousand_lines_scroll_while_few_are_drawn(visit: Visit, project: Project) -> None:
    for start in range(0, LINES, 500):
        reported(project.api, project.job, *(line(f"line {at}") for at in range(start, start + 500)))
    page = visit.open(project.token(), project.id, f"/job/{project.job}/logs")
    expect(page.get_by_text(f"line {LINES - 1}", exact=True)).to_be_visible()
    for pages in range(2, 11):
        page.get_by_role("button", name="Load older lines").click()
        expect(page.get_by_text(f"{1000 * pages:,} of ")).to_be_visible()
    frames, most, gaps = page.evaluate(SCROLL)
    assert frames == 300
    assert most <= 80, "rows in the document at once"
    assert gaps == 0, "frames in which a part of the view was empty"
    expect(page.locator(".rows li")).not_to_have_count(0)


SCROLL = """async () => {
  const box = document.querySelector(".rows");
  let frames = 0, most = 0, gaps = 0;
  const frame = () => new Promise(requestAnimationFrame);
  for (let step = 0; step < 300; step++) {
    box.scrollTop = (box.scrollHeight - box.clientHeight) * step / 299;
    await frame(); await frame(); await frame();
    frames++;
    const rows = [...box.querySelectorAll("li")];
    most = Math.max(most, rows.length);
    const view = box.getBoundingClientRect();
    const places = rows.map((row) => row.getBoundingClientRect());
    const from = Math.min(...places.map((place) => place.top));
    const to = Math.max(...places.map((place) => place.bottom));
    if (from > view.top + 2 || to < view.bottom - 24) gaps++;
  }
  return [frames, most, gaps];
}"""


def test_lines_follow_are_filtered_and_stay_where_one_reads(visit: Visit, project: Project) -> None:
    reported(project.api, project.job, *(line(f"line {at}") for at in range(200)))
    page = visit.open(project.token(), project.id, f"/job/{project.job}/logs")
    rows = page.get_by_role("region", name="Log lines")
    expect(page.get_by_text("line 199", exact=True)).to_be_visible()
    reported(project.api, project.job, line("the newest"))
    expect(page.get_by_text("the newest", exact=True)).to_be_visible()
    rows.evaluate("box => box.scrollTo(0, 300)")
    expect(page.get_by_role("checkbox", name="Follow")).not_to_be_checked()
    reported(project.api, project.job, line("one more"))
    expect(page.get_by_text("204 of 204 lines")).to_be_visible()
    assert rows.evaluate("box => box.scrollTop") == 300
    page.get_by_role("searchbox").fill("LINE 19")
    expect(page.get_by_text("11 of 204 lines")).to_be_visible()
    page.get_by_role("searchbox").fill("")
    page.get_by_label("Level").select_option("WARN")
    expect(page.locator(".rows li")).to_have_count(1)
    page.get_by_text("a warning", exact=True).click()
    expect(page.get_by_role("complementary", name="Details")).to_contain_text("a warning")


def test_a_workers_markup_stays_text(visit: Visit, service: Service, project: Project) -> None:
    job = create(project.api, jobName=HOSTILE, stages=[{"stageName": HOSTILE}])
    told = (
        event("stageStarted", stageName=HOSTILE),
        line(HOSTILE, level="ERROR", component=HOSTILE, details={HOSTILE: 1}),
    )
    reported(project.api, job, event("jobStarted"), *told, event("jobFailed", error={"message": HOSTILE}))
    page = visit.open(project.token(), project.id)
    expect(page.get_by_role("link", name=HOSTILE)).to_be_visible()
    for tab in TABS:
        visit.go(f"/job/{job}/{tab}")
        expect(page.get_by_role("heading", name=HOSTILE, level=1)).to_be_visible()
    visit.go(f"/job/{job}/logs")
    page.locator(".rows .text").click()
    expect(page.locator("aside pre").first).to_have_text(HOSTILE)
    assert page.locator("img").count() == 1, "the mark alone"


def test_an_expired_token_is_asked_for_again_and_one_goes_on_where_one_was(visit: Visit, project: Project) -> None:
    visit.expected = ["401"]
    page = visit.open(project.token(ttl=4), project.id, f"/job/{project.job}/metrics")
    expect(page.get_by_role("img", name="CPU (%)")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("The token has expired or was refused")
    page.get_by_label("Token", exact=True).fill("nonsense")
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("alert")).to_have_text("This is not a token with a tenant.")
    page.get_by_label("Token", exact=True).fill(project.token())
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("img", name="CPU (%)")).to_be_visible()
    assert page.url.endswith(f"#/job/{project.job}/metrics")


def test_a_token_leaves_no_trace_in_the_address(visit: Visit, project: Project) -> None:
    page = visit.open(project.token(), project.id)
    expect(page.get_by_role("link", name="Import")).to_be_visible()
    assert page.url == f"{project.service.url}/#/"
    assert page.evaluate("Object.keys(localStorage)") == []
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert "jobtrack.token" not in page.evaluate("Object.keys(sessionStorage)")


def test_a_code_opens_the_job_once_and_leaves_no_trace(visit: Visit, project: Project) -> None:
    visit.expected = ["404"]
    address = code_address(project.service, project.token(), project.id, project.job)
    page = visit.page
    page.goto(address)
    expect(page.get_by_role("heading", name="Import", level=1)).to_be_visible()
    assert page.url == f"{project.service.url}/#/job/{project.job}"
    page.go_back()
    expect(page.get_by_role("heading", name="Jobs", level=1)).to_be_visible()
    assert page.url == f"{project.service.url}/#/"
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto(address)
    expect(page.get_by_role("alert")).to_contain_text("was used already or has expired")
    assert page.url == f"{project.service.url}/#/"


@pytest.mark.parametrize("answer", ["Stay signed in as local-developer", "Sign in as local-developer"])
def test_a_link_does_not_replace_who_is_signed_in_unless_they_say_so(
    visit: Visit, project: Project, answer: str
) -> None:
    tenant, other = str(uuid4()), str(uuid4())
    page = visit.open(project.token(), project.id)
    expect(page.get_by_role("link", name="Import")).to_be_visible()
    page.goto(code_address(project.service, project.service.token(tenant, other), other))
    dialog = page.get_by_role("alertdialog")
    expect(dialog).to_contain_text("instead?")
    for name in (tenant, other, project.tenant, project.id, project.service.url.removeprefix("http://")):
        expect(dialog).to_contain_text(name)
    expect(page.get_by_role("button", name="Stay signed in as local-developer")).to_be_focused()
    expect(page.locator("header .project")).to_have_text(project.id)
    page.get_by_role("button", name=answer, exact=True).click()
    expect(page.locator("header .project")).to_have_text(project.id if answer.startswith("Stay") else other)
    expect(page.get_by_role("link", name="Import")).to_have_count(1 if answer.startswith("Stay") else 0)


@pytest.mark.parametrize("link", ["/?project={other}&token={token}", "/?project={other}"])
def test_a_link_with_a_token_or_a_project_changes_nothing_by_itself(visit: Visit, project: Project, link: str) -> None:
    other = str(uuid4())
    page = visit.open(project.token(), project.id)
    expect(page.get_by_role("link", name="Import")).to_be_visible()
    visit.go(link.format(other=other, token=project.service.token(str(uuid4()), other)))
    expect(page.get_by_role("alertdialog")).to_contain_text(project.tenant)
    assert page.url == f"{project.service.url}/#/"
    page.reload()
    expect(page.get_by_role("link", name="Import")).to_be_visible()
    expect(page.locator("header .project")).to_have_text(project.id)


def test_a_link_without_a_session_signs_nobody_in(visit: Visit, project: Project) -> None:
    other = str(uuid4())
    page = visit.go(f"/job/{project.job}?project={other}&token={project.token()}")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert page.url == f"{project.service.url}/#/job/{project.job}"
    expect(page.get_by_label("Project")).to_have_value(other)


def test_an_id_that_is_none_is_told_without_a_request(visit: Visit, project: Project) -> None:
    page = visit.open(project.token(), project.id)
    expect(page.get_by_role("link", name="Import")).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for name in NO_IDS:
        visit.go(f"/job/{name}")
        expect(page.get_by_text("a job id is a GUID")).to_be_visible()
        visit.go(f"/job/{name}/logs")
        expect(page.get_by_text("a job id is a GUID")).to_be_visible()
        visit.go("/jobs/Queued")
        expect(page.get_by_role("link", name="Report")).to_be_visible()
    assert not [url for url in asked if "/execution/" in url and "/tracking/batch" not in url]


NO_IDS = (
    *("..", "%2e%2e", "..%5cjobs", "..%2fjobs", "%2e%2e%2fjobs", ".%2e", "%252e%252e", "x", "%00", "%", "%ff"),
    *("..\\jobs", "constructor", "1a2b3c4d-0000-4000-8000-00000000000", "1a2b3c4d-0000-4000-8000-000000000001%20"),
)


def test_any_other_address_is_the_list_of_jobs(visit: Visit, project: Project) -> None:
    page = visit.open(project.token(), project.id)
    for place in ("/jobs/constructor", "/jobs/..%2f", "/nothing/at/all", "//", "/%2e%2e/job/x"):
        visit.go(place)
        expect(page.get_by_role("link", name="Import")).to_be_visible()


def test_a_tab_that_is_none_and_a_workers_word_that_javascript_knows(visit: Visit, project: Project) -> None:
    words = [{"resourceType": "x", "resourceId": each, "status": each} for each in ("constructor", "toString", "{x}")]
    job = create(project.api, jobName="Words", resources=words)
    page = visit.open(project.token(), project.id, f"/job/{job}/constructor")
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()
    visit.go(f"/job/{job}/dependencies")
    for word in words:
        expect(page.locator(".status", has_text=word["status"])).to_be_visible()


def live(project: Project) -> list[dict[str, Any]]:
    """The job's subscriptions that have not ended."""
    found = project.api.get(f"/job/{project.job}/subscriptions").json()["subscriptions"]
    return [each for each in found if each["status"] == "Active"]


def until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def test_pages_that_are_reloaded_left_or_come_back_to_leave_no_subscription(visit: Visit, project: Project) -> None:
    page = visit.open(project.token(), project.id, f"/job/{project.job}")
    for _ in range(10):
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        page.reload()
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    until(lambda: len(live(project)) == 1, "one page, one subscription")
    page.goto("about:blank")
    until(lambda: live(project) == [], "nobody looks")
    page.go_back()
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    until(lambda: len(live(project)) == 1, "one page, one subscription")


def test_a_page_that_is_kept_to_go_back_to_leaves_and_comes(visit: Visit, project: Project) -> None:
    """As with the back-forward cache, which headless Chromium does not use under a debugger."""
    page = visit.open(project.token(), project.id, f"/job/{project.job}")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))")
    until(lambda: live(project) == [], "nobody looks")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    until(lambda: len(live(project)) == 1, "somebody looks")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()


def test_a_page_whose_browser_is_killed_leaves_a_subscription_for_minutes(visit: Visit, project: Project) -> None:
    page = visit.open(project.token(), project.id, f"/job/{project.job}")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    (subscription,) = live(project)
    lifetime = times.parse(subscription["expiresAt"]) - times.parse(subscription["createdAt"])
    assert lifetime <= 3 * times.MINUTE


def test_a_page_that_is_looked_at_renews_its_subscription(visit: Visit, project: Project) -> None:
    visit.page.clock.install()
    page = visit.open(project.token(), project.id, f"/job/{project.job}")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    (before,) = live(project)
    with page.expect_response(re.compile("/renew$")) as renewed:
        page.clock.run_for(61_000)
    assert renewed.value.status == 200
    (after,) = live(project)
    assert (after["subscriptionId"], after["expiresAt"] >= before["expiresAt"]) == (before["subscriptionId"], True)


def test_a_page_polls_where_many_listen_already(visit: Visit, project: Project) -> None:
    visit.expected = ["422"]
    wanted = {"subscriptionType": "websocket", "expiresInSeconds": 600}
    for _ in range(20):
        assert project.api.post(f"/job/{project.job}/subscribe", json=wanted).status_code == 201
    with visit.page.expect_response(re.compile("/subscribe$")) as refused:
        page = visit.open(project.token(), project.id, f"/job/{project.job}")
    assert refused.value.status == 422
    expect(page.get_by_text("Every 2 s", exact=True)).to_be_visible()
    reported(project.api, project.job, event("progressUpdate", progress=100))
    expect(page.get_by_role("progressbar", name="Progress of Import")).to_have_attribute("aria-valuenow", "50")
    assert project.api.post(f"/job/{project.job}/subscribe", json=wanted).status_code == 201


def test_an_empty_project_and_a_job_that_is_not_there(visit: Visit, project: Project) -> None:
    visit.expected = ["404"]
    other = str(uuid4())
    page = visit.open(project.service.token(project.tenant), other)
    expect(page.get_by_text("No jobs yet")).to_be_visible()
    visit.go(f"/job/{uuid4()}")
    expect(page.get_by_text("There is no such job in this project.")).to_be_visible()


def test_a_service_that_is_away_is_told_of_until_it_is_back(visit: Visit, project: Project) -> None:
    visit.expected = ["ERR_FAILED", "503"]
    page = visit.open(project.token(), project.id)
    expect(page.get_by_role("link", name="Import")).to_be_visible()
    page.route("**/tracking/batch*", lambda route: route.abort())
    expect(page.get_by_role("alert")).to_contain_text("does not answer")
    page.unroute("**/tracking/batch*")
    expect(page.get_by_role("alert")).to_be_hidden()


def test_a_failed_delivery_is_pushed_again_from_the_page(visit: Visit, project: Project) -> None:
    wanted = {"subscriptionType": "webhook", "webhookUrl": "http://127.0.0.1:9/none", "events": ["milestone"]}
    assert project.api.post(f"/job/{project.job}/subscribe", json=wanted).status_code == 201
    reported(project.api, project.job, event("milestone"))
    page = visit.open(project.token(), project.id, f"/job/{project.job}/pushes")
    card = page.locator(".pushes > li").filter(has_text="http://127.0.0.1:9/none")
    card.get_by_text("Deliveries").click()
    expect(card.get_by_role("cell", name="milestone")).to_be_visible()
    card.get_by_role("button", name="Push again").click()
    expect(card.get_by_text("It will be pushed again.")).to_be_visible()


def test_the_page_speaks_japanese(browser: Browser, project: Project) -> None:
    with visiting(browser, project.service, locale="ja-JP") as visit:
        page = visit.open(project.token(), project.id, f"/job/{project.job}")
        expect(page.get_by_role("heading", name="ステージ")).to_be_visible()
        expect(page.get_by_text("ジョブ実行開始")).to_be_visible()
        expect(page.locator("html")).to_have_attribute("lang", "ja")
        page.get_by_role("button", name="English").click()
        expect(page.get_by_text("Job started")).to_be_visible()
        expect(page.locator("html")).to_have_attribute("lang", "en")


def test_a_phone_never_scrolls_sideways(browser: Browser, project: Project) -> None:
    create(project.api, jobName="長い名前のジョブ" * 20, stages=[{"stageName": "x" * 200}])
    with visiting(browser, project.service, viewport={"width": 360, "height": 740}) as visit:
        page = visit.open(project.token(), project.id)
        expect(page.get_by_role("link", name="Import")).to_be_visible()
        for place in ("/", *(f"/job/{project.job}/{tab}" for tab in TABS)):
            visit.go(place)
            page.wait_for_load_state("networkidle")
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, place


def test_the_keyboard_alone_is_enough(visit: Visit, project: Project) -> None:
    page = visit.open(project.token(), project.id)
    expect(page.get_by_role("link", name="Import")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="All", exact=True)).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#/jobs/Running$"))
    link = page.get_by_role("link", name="Import")
    expect(link).to_be_visible()
    for _ in range(8):
        page.keyboard.press("Tab")
        if link.evaluate("link => link === document.activeElement"):
            break
    assert link.evaluate("link => getComputedStyle(link).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Import", level=1)).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_stands_in_the_way_of_a_screen_reader(browser: Browser, project: Project, scheme: str) -> None:
    with visiting(browser, project.service, color_scheme=scheme, bypass_csp=True) as visit:
        page = visit.open(project.token(), project.id)
        expect(page.get_by_role("link", name="Import")).to_be_visible()
        for place in ("/", *(f"/job/{project.job}/{tab}" for tab in TABS)):
            visit.go(place)
            expect(page.get_by_role("heading", level=1, name="Jobs" if place == "/" else "Import")).to_be_visible()
            page.wait_for_load_state("networkidle")
            found = Axe().run(page)
            assert found.violations_count == 0, f"{place}: {found.generate_report()}"
