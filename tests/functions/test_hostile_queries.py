"""Invalid query strings and paths: errors have pointers, and cursors are valid only for the list that issued them."""

import json
from collections.abc import Callable
from itertools import permutations
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from tests.functions.conftest import Invoke
from tests.functions.hostile import Client, Json, refusal

SAMPLES = {
    "LogsFunction": "get-logs",
    "TimelineFunction": "get-timeline",
    "MetricsFunction": "get-metrics",
    "DependenciesFunction": "get-dependencies",
    "JobsFunction": "list-jobs",
    "BatchFunction": "get-batch",
    "QueueFunction": "get-queue",
    "SubscriptionsFunction": "list-subscriptions",
}


LINES: list[Json] = [{"type": "log", "data": {"level": "WARN", "message": "m"}}] * 3


@pytest.fixture
def client(invoke: Invoke, sample: Callable[[str], Json]) -> Client:
    found = Client(invoke, sample)
    found.start(*LINES)
    return found


def get(client: Client, function: str, query: str) -> tuple[int, Json]:
    """Return the response to a sample's read with this raw query string."""
    event = {**client.sample(SAMPLES[function]), "rawQueryString": query}
    event["headers"].pop("if-none-match", None)
    return client.ask(function, event)


@pytest.mark.parametrize(
    ("function", "query", "pointer"),
    [
        ("LogsFunction", "level=info", "/query/level"),
        ("LogsFunction", "level=", "/query/level"),
        ("LogsFunction", "level=INFO&level=", "/query/level"),
        ("LogsFunction", "limit=0", "/query/limit"),
        ("LogsFunction", "limit=10001", "/query/limit"),
        ("LogsFunction", "limit=", "/query/limit"),
        ("LogsFunction", "limit=1e3", "/query/limit"),
        ("LogsFunction", "limit=NaN", "/query/limit"),
        ("LogsFunction", "limit=-1", "/query/limit"),
        ("LogsFunction", f"limit={quote('５')}", "/query/limit"),
        ("LogsFunction", f"limit={'9' * 5000}", "/query/limit"),
        ("LogsFunction", "limit=1&limit=0", "/query/limit"),
        ("LogsFunction", "direction=Forward", "/query/direction"),
        ("LogsFunction", "format=xml", "/query/format"),
        ("LogsFunction", "fromTime=", "/query/fromTime"),
        ("LogsFunction", "fromTime=2024-01-20T10:30:00", "/query/fromTime"),
        ("LogsFunction", "fromTime=2024-01-20T10:30:00+09:00", "/query/fromTime"),  # a `+` is a space in a query
        ("LogsFunction", "toTime=0000-01-01T00:00:00Z", "/query/toTime"),
        ("LogsFunction", "fromTime=2024-01-20T10:30:01Z&toTime=2024-01-20T10:30:00Z", "/query"),
        ("LogsFunction", "sinceSequence=-1", "/query/sinceSequence"),
        ("LogsFunction", f"sinceSequence={2**53 + 1}", "/query/sinceSequence"),
        ("LogsFunction", "cursor=x&sinceSequence=0", "/query"),
        ("LogsFunction", "cursor=%00", "/query/cursor"),
        ("LogsFunction", "cursor=%ED%A0%80", "/query/cursor"),
        ("LogsFunction", "cursor=..%2F..", "/query/cursor"),
        ("LogsFunction", f"cursor={'A' * 8000}", "/query/cursor"),
        ("TimelineFunction", "granularity=hours", "/query/granularity"),
        ("TimelineFunction", "includeSubEvents=", "/query/includeSubEvents"),
        ("TimelineFunction", "includeSubEvents=1", "/query/includeSubEvents"),
        ("TimelineFunction", "cursor=x", "/query/cursor"),
        ("MetricsFunction", "interval=2m", "/query/interval"),
        ("MetricsFunction", "metrics=", "/query/metrics"),
        ("MetricsFunction", "metrics=cpu,", "/query/metrics"),
        ("MetricsFunction", "metrics=cpu&metrics=gpu", "/query/metrics"),
        ("DependenciesFunction", "depth=0", "/query/depth"),
        ("DependenciesFunction", "depth=11", "/query/depth"),
        ("JobsFunction", "status=running", "/query/status/0"),
        ("JobsFunction", "status=", "/query/status"),
        ("JobsFunction", "from=yesterday", "/query/from"),
        ("JobsFunction", "jobType=", "/query/jobType"),
        ("JobsFunction", f"submittedBy={'x' * 201}", "/query/submittedBy"),
        ("JobsFunction", "cursor=x", "/query/cursor"),
        ("BatchFunction", "jobIds=", "/query/jobIds"),
        ("BatchFunction", "jobIds=x", "/query/jobIds"),
        ("BatchFunction", "refreshInterval=0", "/query/refreshInterval"),
        ("BatchFunction", "includeMetrics=yes", "/query/includeMetrics"),
        ("QueueFunction", "limit=201", "/query/limit"),
        ("QueueFunction", "cursor=x", "/query/cursor"),
        ("SubscriptionsFunction", "limit=1000", "/query/limit"),
        ("SubscriptionsFunction", "cursor=x", "/query/cursor"),
    ],
)
def test_a_parameter_out_of_contract_is_pointed_at(client: Client, function: str, query: str, pointer: str) -> None:
    told = refusal(get(client, function, query))
    assert {found.removesuffix("/0") for found in told} == {pointer.removesuffix("/0")}
    assert all(told.values())


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", 3),
        ("limit=1&limit=2", 2),  # for a parameter with one value the last one counts
        ("LIMIT=1", 3),
        ("limit[]=1&__proto__=1&unknown=%00&=&&%ff=%zz", 3),
        ("cursor=", 3),
        ("fromTime=0001-01-01T00%3A00%3A00Z&toTime=9999-12-31T23:59:60.999999999999Z", 3),
        ("fromTime=9999-12-31T23:59:59.999999999999Z", 0),
    ],
)
def test_what_is_unknown_is_passed_over_and_what_is_repeated_counts_once(
    client: Client, query: str, shown: int
) -> None:
    status, answer = get(client, "LogsFunction", query)
    assert status == 200
    assert len(answer["logs"]) == shown


PAGED = {
    "logs, backward": ("LogsFunction", {"direction": "backward"}),
    "logs, forward": ("LogsFunction", {"direction": "forward"}),
    "timeline": ("TimelineFunction", {"includeSubEvents": "true"}),
    "jobs": ("JobsFunction", {}),
    "batch": ("BatchFunction", {}),
    "queue": ("QueueFunction", {}),
    "subscriptions": ("SubscriptionsFunction", {}),
}


def page(client: Client, name: str, **more: str) -> tuple[int, Json]:
    function, query = PAGED[name]
    return get(client, function, urlencode({**query, "limit": "1", **more}))


def several(client: Client) -> dict[str, str]:
    """Return a cursor of each list, all of one project."""
    hook = {"subscriptionType": "webhook", "webhookUrl": "https://hooks.example/"}
    client.start(*LINES, subscriptions=[hook, hook])
    Client(client.invoke, client.sample).start()
    return {name: page(client, name)[1]["nextCursor"] for name in PAGED}


def test_a_cursor_holds_only_for_the_list_and_the_direction_that_gave_it(
    invoke: Invoke, sample: Callable[[str], Json]
) -> None:
    client = Client(invoke, sample)
    given = several(client)
    assert all(page(client, name, cursor=cursor)[0] == 200 for name, cursor in given.items())
    for giver, taker in permutations(PAGED, 2):
        assert refusal(page(client, taker, cursor=given[giver])).keys() == {"/query/cursor"}, (giver, taker)


@pytest.mark.parametrize("name", ["logs, backward", "timeline", "subscriptions"])
def test_a_cursor_holds_only_for_its_job(invoke: Invoke, sample: Callable[[str], Json], name: str) -> None:
    one, other = Client(invoke, sample), Client(invoke, sample)
    given = several(one)[name]
    several(other)
    assert refusal(page(other, name, cursor=given)).keys() == {"/query/cursor"}


@pytest.mark.parametrize("name", ["logs, backward", "timeline"])
def test_a_cursor_holds_only_for_its_tenant_even_where_the_jobs_have_one_id(
    invoke: Invoke, sample: Callable[[str], Json], name: str
) -> None:
    stranger = "11111111-2222-4333-8444-555555555555"

    def strangers(sampled: str) -> Any:
        text = json.dumps(sample(sampled))
        return json.loads(text.replace(sample(sampled)["pathParameters"]["tenantId"], stranger))

    mine = Client(invoke, sample)
    theirs = Client(invoke, strangers, mine.job)
    given, own = several(mine)[name], several(theirs)[name]
    assert given != own
    assert page(theirs, name, cursor=own)[0] == 200
    assert refusal(page(theirs, name, cursor=given)).keys() == {"/query/cursor"}
