"""Every response about one job has an ETag, and 304 if nothing changed."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from botocore.model import OperationModel

from jobtrack_local.runtime.function import load_module
from tests.functions.conftest import TEMPLATE, Invoke
from tests.stack import triggers

Sample = Callable[[str], dict[str, Any]]

# The list of subscriptions contains no reports: it changes without the job.
ABOUT_ONE_JOB = re.compile(r".*/job/\{jobId\}(/(?!subscriptions)\w+)?")
READS = {
    f"get-{route['Path'].rpartition('/')[2].replace('{jobId}', 'job')}": function
    for function, route in triggers("HttpApi")
    if route["Method"] == "GET" and ABOUT_ONE_JOB.fullmatch(route["Path"])
}


@pytest.fixture
def job(invoke: Invoke, sample: Sample) -> None:
    assert invoke("JobsFunction", sample("create-job"))["statusCode"] == 201
    assert invoke("EventsFunction", sample("report-events"))["statusCode"] == 202


def test_every_answer_about_one_job_is_covered() -> None:
    about = {"job", "progress", "logs", "timeline", "metrics", "dependencies"}
    assert {name.removeprefix("get-") for name in READS} == about


@pytest.mark.parametrize("name", READS)
def test_what_is_known_is_304_until_something_is_reported(invoke: Invoke, sample: Sample, job: None, name: str) -> None:
    asked = sample(name)
    first = invoke(READS[name], asked)
    tag = first["headers"]["etag"]
    assert (first["statusCode"], tag[:3]) == (200, 'W/"')
    asked["headers"]["if-none-match"] = f'"another", {tag}'
    known = invoke(READS[name], asked)
    assert (known["statusCode"], known["body"], known["headers"]["etag"]) == (304, "", tag)
    heartbeat = sample("report-events")
    heartbeat["body"] = json.dumps({"events": [{"type": "heartbeat"}]})
    heartbeat["headers"]["idempotency-key"] = "another"
    assert invoke("EventsFunction", heartbeat)["statusCode"] == 202
    later = invoke(READS[name], asked)
    assert later["statusCode"] == 200
    assert later["headers"]["etag"] != tag


@pytest.mark.parametrize("name", READS)
def test_each_language_has_its_tag(invoke: Invoke, sample: Sample, job: None, name: str) -> None:
    tags = set()
    for language in ("ja", "en", "fr"):
        asked = sample(name)
        asked["headers"]["accept-language"] = language
        tags.add(invoke(READS[name], asked)["headers"]["etag"])
    assert len(tags) == 2


@pytest.mark.parametrize("name", READS)
def test_a_job_that_does_not_exist_is_404_whatever_is_known(invoke: Invoke, sample: Sample, name: str) -> None:
    asked = sample(name)
    asked["headers"]["if-none-match"] = "*"
    assert invoke(READS[name], asked)["statusCode"] == 404


@pytest.mark.parametrize("name", sorted(set(READS) - {"get-dependencies"}))
def test_304_costs_only_the_read_of_the_job(invoke: Invoke, sample: Sample, name: str) -> None:
    created = sample("create-job")
    created["body"] = json.dumps({**json.loads(created["body"]), "metadata": {"text": "x" * 1000}})
    assert invoke("JobsFunction", created)["statusCode"] == 201
    asked = sample(name)
    whole = calls(READS[name], lambda: invoke(READS[name], asked))
    asked["headers"]["if-none-match"] = "*"
    assert calls(READS[name], lambda: invoke(READS[name], asked)) == ["GetItem"] == whole[:1]
    assert len(whole) == (2 if name in ("get-job", "get-progress") else 1)  # metadata have their own item


def calls(function: str, run: Callable[[], object]) -> list[str]:
    """Record the function's calls of DynamoDB while it runs."""
    module = load_module(TEMPLATE.functions[function])
    made: list[str] = []

    def note(model: OperationModel, **_: object) -> None:
        made.append(model.name)

    events = module.jobs.dynamodb.meta.events
    events.register("before-call.dynamodb", note)
    run()
    events.unregister("before-call.dynamodb", note)
    return made
