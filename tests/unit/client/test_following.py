"""Reading pages and following a job: each entry once and in order, whatever fails."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
from hypothesis import given
from hypothesis import strategies as st

import jobtrack_client as jt
from tests.unit.client.service import GUID

steps = st.lists(st.sampled_from(["write", "write", "fail", "cut", "quiet"]), max_size=40)


class Job:
    """A job that changes and a service that fails, one step before each response."""

    def __init__(self, steps: list[str], page: int = 3) -> None:
        self._steps = iter(steps)
        self._page = page
        self.lines: list[int] = []
        self.ended = False
        self.reads = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        step = next(self._steps, "end")
        if step == "fail":
            return httpx.Response(503)
        if step == "cut":
            raise httpx.ReadError("cut off")
        if step == "write":
            self.lines.append(2 * len(self.lines) + 3)
        self.ended = self.ended or step == "end"
        self.reads += 1
        return self._progress(request) if request.url.path.endswith("progress") else self._logs(request.url.params)

    def _logs(self, asked: httpx.QueryParams) -> httpx.Response:
        start = int(asked.get("sinceSequence") or asked.get("cursor") or 0)
        found = [line for line in self.lines if line > start][: self._page]
        more = bool(found) and found[-1] != self.lines[-1]
        last = found[-1] if found else max([start, *self.lines])
        status = "Completed" if self.ended else "Running"
        cursor = str(found[-1]) if more and "sinceSequence" not in asked else None
        body = {"logs": [{"sequence": line} for line in found], "lastSequence": last, "jobStatus": status}
        return httpx.Response(200, json={**body, "nextCursor": cursor})

    def _progress(self, request: httpx.Request) -> httpx.Response:
        etag = f'W/"{len(self.lines)}{self.ended}"'
        if request.headers.get("If-None-Match") == etag:
            return httpx.Response(304)
        body = {"status": "Completed" if self.ended else "Running", "lines": len(self.lines)}
        return httpx.Response(200, content=json.dumps(body), headers={"ETag": etag})


def client(job: Job) -> jt.Client:
    transport = httpx.MockTransport(job)
    return jt.Client("http://x", "t", GUID, GUID, transport=transport, attempts=2, sleep=lambda seconds: None)


def sequences(entries: Iterator[Any]) -> list[int]:
    return [entry["sequence"] for entry in entries]


@given(steps)
def test_followed_lines_are_those_written_each_once_and_in_order(steps: list[str]) -> None:
    job = Job(steps)
    with client(job) as api:
        assert sequences(api.follow_logs(GUID)) == job.lines
    assert job.ended


@given(st.integers(0, 20), st.integers(1, 5))
def test_a_walk_gives_every_line_once(count: int, page: int) -> None:
    job = Job([], page)
    job.lines = list(range(1, count + 1))
    with client(job) as api:
        assert sequences(api.iter_logs(GUID)) == job.lines


@given(steps)
def test_followed_progress_is_told_when_it_changed_and_ends_with_the_job(steps: list[str]) -> None:
    job = Job(steps)
    with client(job) as api:
        told = list(api.follow_progress(GUID))
    counts: list[int] = [each["lines"] for each in told]  # type: ignore[typeddict-item]
    assert counts[:-1] == sorted(set(counts[:-1]))
    assert (told[-1]["status"], counts[-1]) == ("Completed", len(job.lines))
    assert [each["status"] for each in told[:-1]] == ["Running"] * (len(told) - 1)


def test_a_refusal_ends_what_is_followed() -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(404))
    api = jt.Client("http://x", "t", GUID, GUID, transport=transport)
    for followed in (api.follow_logs(GUID), api.follow_progress(GUID)):
        try:
            next(iter(followed))
        except jt.NotFound:
            continue
        raise AssertionError
