"""Each refusal is an error of its own, with the service's text."""

from datetime import UTC, datetime
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import jobtrack_client as jt
from jobtrack_client._api.responses import read_response, retry_after
from tests.unit.client.service import problem


def refusal(response: httpx.Response) -> jt.ApiError:
    with pytest.raises(jt.ApiError) as caught:
        read_response(response, lambda: 0.0)
    return caught.value


@pytest.mark.parametrize(
    ("status", "kind", "transient"),
    [
        (301, jt.UnexpectedResponse, True),
        (400, jt.BadRequest, False),
        (401, jt.Unauthorized, False),
        (403, jt.Forbidden, False),
        (404, jt.NotFound, False),
        (405, jt.ApiError, False),
        (408, jt.RequestTimeout, True),
        (409, jt.Conflict, False),
        (413, jt.TooLarge, False),
        (415, jt.UnsupportedMediaType, False),
        (422, jt.Unprocessable, False),
        (429, jt.TooManyRequests, True),
        (500, jt.ServerError, True),
        (503, jt.ServerError, True),
    ],
)
def test_each_status_has_its_error(status: int, kind: type[jt.ApiError], transient: bool) -> None:
    error = refusal(problem(status))
    assert type(error) is kind
    assert error.transient is transient
    assert (error.status, error.code, error.title, error.detail, error.request_id) == (
        status,
        "some_code",
        "Some",
        "no",
        "r1",
    )


def test_a_conflict_with_its_own_first_try_is_transient() -> None:
    error = refusal(problem(409, **{"Retry-After": "1"}))
    assert isinstance(error, jt.InProgress)
    assert error.transient
    assert error.retry_after == 1


def test_wrong_values_are_named() -> None:
    error = refusal(problem(422, "out of contract", ["/events/1/data/level", "/events/2/type"]))
    assert error.errors == (
        jt.Fault("/events/1/data/level", "is wrong"),
        jt.Fault("/events/2/type", "is wrong"),
    )
    assert str(error) == ("422 some_code: out of contract; /events/1/data/level is wrong; /events/2/type is wrong")


def test_a_wrong_value_is_named_once() -> None:
    error = refusal(problem(422, "/events/1/type is wrong", ["/events/1/type"]))
    assert str(error) == "422 some_code: /events/1/type is wrong"


@pytest.mark.parametrize(
    ("response", "text"),
    [
        (httpx.Response(403, json={"message": "Forbidden by the gateway"}), "403: Forbidden by the gateway"),
        (httpx.Response(502, text="<html>"), "502: Bad Gateway"),
        (httpx.Response(500, json=["odd"]), "500: Internal Server Error"),
        (httpx.Response(422, json={"detail": "no", "errors": "odd"}), "422: no"),
        (httpx.Response(599), "599: no explanation"),
        (httpx.Response(200, json=[1]), "200: the response is not a JSON object; is this the address of the service?"),
    ],
)
def test_answers_that_are_no_problem_documents(response: httpx.Response, text: str) -> None:
    assert str(refusal(response)) == text


@given(seconds=st.integers(0, 10**6), now=st.integers(0, 10**9))
def test_retry_after_as_a_number_or_a_date(seconds: int, now: int) -> None:
    date = format_datetime(datetime.fromtimestamp(now + seconds, UTC))
    assert retry_after(str(seconds), lambda: 0) == seconds
    assert retry_after(date, lambda: now) == seconds


@pytest.mark.parametrize("value", [None, "", "soon", "-1", "1.5", "²"])
def test_any_other_retry_after_is_none(value: str | None) -> None:
    assert retry_after(value, lambda: 0) is None


def test_a_date_that_is_over_asks_for_no_wait() -> None:
    assert retry_after("Thu, 01 Jan 1970 00:00:10 GMT", lambda: 100) == 0
