"""The live page's subscriptions are short, end when the page is left, and leave room for others."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from jobtrack import times
from tests.e2e.browsing import Project, Visit
from tests.e2e.reporting import event, reported

pytestmark = pytest.mark.one_engine("dynamodb-local", "the page uses only the API, which is the same on all engines")
PATIENCE_SECONDS = 30


def live(project: Project) -> list[dict[str, Any]]:
    """Return the job's subscriptions that have not ended."""
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
