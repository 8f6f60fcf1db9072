"""What an address can do to the live page: sign it in once, and nothing else without a question."""

from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.e2e.browsing import Project, Visit, code_address
from tests.e2e.reporting import create

pytestmark = pytest.mark.one_engine("dynamodb-local", "the page uses only the API, which is the same on all engines")


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
