"""`logs -f` prints existing and then new lines: each once, with a slow service and late lines too."""

from datetime import datetime

import httpx
from hypothesis import example, given
from hypothesis import strategies as st

from jobtrack_client import Client
from jobtrack_client.commands.logs import _entries
from jobtrack_client.types import LogLevel
from tests.unit.client.growing import LEVELS, Growing, Line, Step, moment
from tests.unit.client.service import GUID

steps = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(1, 9), st.sampled_from([0, 0, 5, 400])),
        st.tuples(st.sampled_from(["fail", "cut", "quiet"]), st.just(0), st.just(0)),
    ),
    max_size=20,
)
BETWEEN: list[Step] = [("write", 2, 0), ("write", 3, 0), ("write", 4, 400), ("write", 5, 0)]


def read(job: Growing, level: LogLevel, since: str | None, lines: int, *, follow: bool = True) -> list[int]:
    transport = httpx.MockTransport(job)
    time = None if since is None else datetime.fromisoformat(since)
    with Client("http://x", "t", GUID, GUID, transport=transport, attempts=50, sleep=lambda seconds: None) as client:
        return [entry["sequence"] for entry in _entries(client, GUID, follow, level, time, lines)]


def there(job: Growing, level: str, since: str | None, lines: int) -> list[Line]:
    """Return the expected output of the first half: all lines, or the newest, at the time of the first response."""
    found = sorted(job.wanted(job.first_answer or [], level, since or ""), key=lambda line: line.place)
    return found[-lines:] if lines and since is None else found


@given(steps, st.integers(1, 5), st.sampled_from(LEVELS), st.none() | st.sampled_from([moment(601), moment(300)]))
@example(BETWEEN, 2, "DEBUG", None)
@example(BETWEEN, 2, "DEBUG", moment(601))
def test_each_line_once_first_those_there_then_those_that_come(
    steps: list[Step], page: int, level: LogLevel, since: str | None
) -> None:
    for lines in (0, 1, 4, 1000):
        job = Growing(steps, page)
        found = read(job, level, since, lines)
        first = [line.sequence for line in there(job, level, since, lines)]
        seen = max((line.sequence for line in job.first_answer or []), default=0)
        later = [line.sequence for line in job.wanted(job.lines, level, since or "") if line.sequence > seen]
        assert found == [*first, *later]


@given(steps, st.integers(1, 5))
def test_so_many_of_the_newest_are_printed_though_a_page_holds_fewer(steps: list[Step], page: int) -> None:
    job = Growing(steps, page)
    found = read(job, "DEBUG", None, 7, follow=False)
    assert found == [line.sequence for line in there(job, "DEBUG", None, 7)]
