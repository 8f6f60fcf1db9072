"""The live page, as users see it, in a headless Chromium."""

import re
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from jobtrack_local import tokens
from tests.e2e.browsing import Project, Visit, visiting
from tests.e2e.reporting import create, event, line, reported
from tests.e2e.running import Service

pytestmark = pytest.mark.one_engine("dynamodb-local", "the page uses only the API, which is the same on all engines")
LINES = 10_000
TABS = ("overview", "logs", "metrics", "dependencies", "subscriptions")
HOSTILE = "<img src=x onerror=alert(1)><b>bold</b>"


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


def test_the_metrics_of_a_job_are_shown_as_figures(visit: Visit, project: Project) -> None:
    page = visit.open(project.token(), project.id, f"/job/{project.job}/metrics")
    figures = page.locator(".figures")
    for name, value in (
        ("CPU", "67 %"),
        ("Memory", "1.0 GB"),
        ("Throughput", "125 /s"),
        ("Disk", "↓ 1 MB ↑ 2 MB"),
        ("Network", "↓ 4 MB ↑ 8 MB"),
    ):
        expect(figures.locator("div").filter(has_text=name)).to_contain_text(value)


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
    expect(page.get_by_role("alert")).to_have_text("This is not a token that names a tenant.")
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
    expect(page.get_by_role("alert")).to_contain_text("does not respond")
    page.unroute("**/tracking/batch*")
    expect(page.get_by_role("alert")).to_be_hidden()


def test_a_failed_delivery_is_pushed_again_from_the_page(visit: Visit, project: Project) -> None:
    wanted = {"subscriptionType": "webhook", "webhookUrl": "http://127.0.0.1:9/none", "events": ["milestone"]}
    assert project.api.post(f"/job/{project.job}/subscribe", json=wanted).status_code == 201
    reported(project.api, project.job, event("milestone"))
    page = visit.open(project.token(), project.id, f"/job/{project.job}/subscriptions")
    card = page.locator(".subscriptions > li").filter(has_text="http://127.0.0.1:9/none")
    card.get_by_text("Deliveries").click()
    expect(card.get_by_role("cell", name="milestone")).to_be_visible()
    card.get_by_role("button", name="Send again").click()
    expect(card.get_by_text("The message will be sent again.")).to_be_visible()


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
