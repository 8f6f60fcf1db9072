"""When a response is 304 because the client has it already."""

from collections.abc import Mapping

import pytest
from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st

from jobtrack.api import etag_headers, language
from jobtrack.api.etags import NotModified
from jobtrack.domain.job import Job
from tests.unit.job_builders import queued, report


def request(headers: Mapping[str, str], query: str = "") -> Request:
    """Return a GET request; header names are in lower case."""
    fields = [(name.encode(), value.encode()) for name, value in headers.items()]
    path = {"type": "http", "path": "/", "query_string": query.encode(), "server": ("127.0.0.1", 80)}
    return Request({**path, "headers": fields})


def tag(*jobs: Job, query: str = "", spoken: str = "ja") -> str:
    return etag_headers(request({"accept-language": spoken}, query), *jobs)["ETag"]


@pytest.mark.parametrize("field", ["*", " * ", "{}", 'W/"other", {}', '"a,b" , {},"c"', "{strong}"])
def test_a_client_that_names_the_tag_is_not_answered_again(field: str) -> None:
    known = tag(queued())
    named = field.format(known, strong=known.removeprefix("W/"))
    with pytest.raises(NotModified) as found:
        etag_headers(request({"if-none-match": named}), queued())
    answer = found.value.response()
    assert (answer.status_code, answer.headers["etag"], answer.body) == (304, known, b"")


@pytest.mark.parametrize("field", ["", 'W/"other"', "**", '"', 'W/""', "other"])
def test_a_client_that_does_not_is_answered(field: str) -> None:
    assert etag_headers(request({"if-none-match": field}), queued())["ETag"] == tag(queued())


def test_a_report_changes_the_tag_and_the_clock_does_not() -> None:
    job = queued()
    before = tag(job)
    assert tag(job) == before
    report(job, "10:30:01", "heartbeat")
    assert tag(job) != before


def test_other_jobs_queries_and_languages_have_tags_of_their_own() -> None:
    first, second = queued(), queued()
    second.job_id = "ee0e8400-e29b-41d4-a716-446655440000"
    tags = [
        tag(first), tag(second), tag(first, second), tag(first, query="depth=2"), tag(first, spoken="en"),
    ]  # fmt: skip
    assert len(set(tags)) == len(tags)
    assert tag(first, second) == tag(second, first)


@pytest.mark.parametrize(
    ("field", "spoken"),
    [
        ("", "ja"), ("en", "en"), ("en-US,en;q=0.9,ja;q=0.8", "en"), ("ja;q=0.5, en;q=0.7", "en"), ("fr, de", "ja"),
        ("EN", "en"), ("en;q=0", "ja"), ("fr;q=1, en;q=0.1", "en"), ("*", "ja"), ("en;q=x", "ja"), ("ja,en", "ja"),
        ("en;q=nan", "ja"), ("ja;q=0, *", "en"), ("en;q=0.5, *", "ja"), ("en, *;q=0.5", "en"), ("*;q=0", "ja"),
    ],
)  # fmt: skip
def test_the_language_that_is_wished_most_of_those_spoken(field: str, spoken: str) -> None:
    assert language(request({"accept-language": field})) == spoken


@given(st.text(st.characters(codec="utf-8")))
def test_no_header_is_refused(field: str) -> None:
    assert language(request({"accept-language": field})) in ("ja", "en")
