"""Routes without a token: the API's description and its page."""

from urllib.parse import urljoin

import httpx
import pytest

from tests.e2e.running import Service
from tests.stack import ROOT


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/openapi.json", "application/json"),
        ("/docs", "text/html"),
        ("/docs/swagger-ui-bundle.js", "text/javascript"),
        ("/docs/swagger-ui.css", "text/css"),
        ("/docs/page.js", "text/javascript"),
    ],
)
def test_the_description_and_its_page_are_open_to_anyone(service: Service, path: str, kind: str) -> None:
    answer = httpx.get(urljoin(service.url, path), trust_env=False)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == f"{kind}; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_the_description_names_no_other_host_to_ask(service: Service) -> None:
    described = httpx.get(urljoin(service.url, "/openapi.json"), trust_env=False)
    assert described.content == (ROOT / "functions" / "api" / "docs" / "openapi.json").read_bytes()
    assert described.json()["servers"] == [{"url": "/"}]


def test_a_file_that_is_none_of_the_pages_is_not_found(service: Service) -> None:
    answer = httpx.get(urljoin(service.url, "/docs/app.py"), trust_env=False)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
