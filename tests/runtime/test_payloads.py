"""Requests and responses as API Gateway and Lambda carry them: payload format 2.0, base64, and 6 MB."""

import base64
import gzip
import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.runtime.conftest import Sample
from tests.runtime.process import ANSWER_BYTES, Process
from tests.stack import ROOT

LINES = 15
"""The number of largest lines that fit one request, whatever their characters."""
TEXTS = {
    "ascii": "m" * 30_000,
    "japanese": "進" * 10_000,
    "astral": "🚀" * 7_000,
    "quotes": '"\\' * 7_500,
    "control": "\x01" * 5_000,
}
"""Texts that are largest in one of the encodings; Lambda's response contains JSON within JSON."""


def encoded(event: Any, body: bytes) -> Any:
    """Return the event with a body in base64, as API Gateway sends it."""
    event["headers"]["content-length"] = str(len(body))
    return {**event, "body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def asked(event: Any, query: str, **parameters: str) -> Any:
    """Return the event with another query; API Gateway joins the values of repeated parameters."""
    return {**event, "rawQueryString": query, "queryStringParameters": parameters}


def reporting(sample: Sample, events: list[Any]) -> Any:
    """Return a request that reports these events, under a new key."""
    event = sample("report-events")
    event["body"] = json.dumps({"events": events}, ensure_ascii=False)
    del event["headers"]["idempotency-key"]
    return event


def test_a_body_in_base64_is_the_body(functions: Mapping[str, Process], sample: Sample, job: Any) -> None:
    again = sample("create-job")
    answer = functions["JobsFunction"].invoke(encoded(again, again["body"].encode())).json
    assert (answer["statusCode"], json.loads(answer["body"])) == (201, job)
    assert answer["headers"]["idempotency-replayed"] == "true"


@pytest.mark.parametrize("body", [b"\xff\xfe", b'{"jobName": "\xe9"}', b"\x1f\x8b\x08\x00"])
def test_a_body_that_is_no_text_is_refused(functions: Mapping[str, Process], sample: Sample, body: bytes) -> None:
    answer = functions["JobsFunction"].invoke(encoded(sample("create-job"), body)).json
    assert answer["statusCode"] == 400
    assert answer["headers"]["content-type"] == "application/problem+json"


def test_of_a_parameter_that_is_repeated_the_last_counts(
    functions: Mapping[str, Process], sample: Sample, job: Any
) -> None:
    found = {
        query: functions["LogsFunction"].invoke(asked(sample("get-logs"), query, **joined)).body["logs"]
        for query, joined in {
            "level=ERROR": {"level": "ERROR"},
            "level=DEBUG&level=ERROR": {"level": "DEBUG,ERROR"},
            "level=ERROR&level=DEBUG": {"level": "ERROR,DEBUG"},
        }.items()
    }
    assert found["level=DEBUG&level=ERROR"] == found["level=ERROR"] == []
    assert len(found["level=ERROR&level=DEBUG"]) == 2


def test_a_query_is_decoded_once(functions: Mapping[str, Process], sample: Sample, job: Any) -> None:
    batch, wanted = functions["BatchFunction"], sample("get-batch")
    once = asked(wanted, "submittedBy=user%40example.com&status=Running%2CQueued", submittedBy="user@example.com")
    assert [each["jobId"] for each in batch.invoke(once).body["jobs"]] == [job["jobId"]]
    twice = asked(wanted, "submittedBy=user%2540example.com", submittedBy="user%40example.com")
    assert batch.invoke(twice).body["jobs"] == []


def test_headers_may_hold_several_values(functions: Mapping[str, Process], sample: Sample, job: Any) -> None:
    event = sample("get-timeline")
    event["headers"]["accept-language"] = "fr, en;q=0.8,ja;q=0.5"
    told = functions["TimelineFunction"].invoke(event)
    assert "Job started" in [each["description"] for each in told.body["timeline"]]
    event["headers"]["if-none-match"] = f'"other", {told.json["headers"]["etag"]}'
    assert functions["TimelineFunction"].invoke(event).json["statusCode"] == 304


def test_a_path_may_hold_any_text(functions: Mapping[str, Process], sample: Sample) -> None:
    event = sample("put-worker")
    name = event["pathParameters"]["workerNode"]
    text = json.dumps(event).replace(name, "ノード 7%")
    assert functions["WorkersFunction"].invoke(json.loads(text)).json["statusCode"] == 204
    assert functions["QueueFunction"].invoke(sample("get-queue")).body["processingCapacity"]["activeWorkers"] == 1


def test_without_an_authorizer_nobody_is_let_in(functions: Mapping[str, Process], sample: Sample) -> None:
    """As under `sam local start-api`, which has no JWT authorizers."""
    event = sample("get-progress")
    del event["requestContext"]["authorizer"]
    assert functions["ProgressFunction"].invoke(event).json["statusCode"] == 401


@pytest.mark.parametrize("file", ["swagger-ui-bundle.js", "swagger-ui.css"])
def test_what_is_compressed_goes_out_in_base64(functions: Mapping[str, Process], sample: Sample, file: str) -> None:
    event = json.loads(json.dumps(sample("get-docs-file")).replace("swagger-ui-bundle.js", file))
    event["headers"]["accept-encoding"] = "gzip, br"
    answer = functions["DocsFunction"].invoke(event)
    assert answer.json["isBase64Encoded"] is True
    sent = gzip.decompress(base64.b64decode(answer.json["body"]))
    assert sent == (ROOT / "functions/api/docs/viewer" / file).read_bytes()
    assert answer.size < ANSWER_BYTES


@pytest.mark.parametrize("kind", TEXTS)
def test_an_answer_ends_early_and_goes_on_before_it_is_more_than_lambda_takes(
    functions: Mapping[str, Process], sample: Sample, job: Any, kind: str
) -> None:
    lines = [{"type": "log", "data": {"level": "ERROR", "message": TEXTS[kind]}}] * LINES
    reported = 0
    while reported * len(json.dumps(json.dumps(TEXTS[kind], ensure_ascii=False), ensure_ascii=False).encode()) < 7e6:
        assert functions["EventsFunction"].invoke(reporting(sample, lines)).json["statusCode"] == 202
        reported += LINES
    for shape in ("structured", "raw"):
        sizes, found = _walk(functions["LogsFunction"], sample, shape)
        assert found == reported
        assert len(sizes) > 1
        assert max(sizes) < ANSWER_BYTES


def _walk(logs: Process, sample: Sample, shape: str) -> tuple[list[int], int]:
    """Return the size of each page of ERROR lines in Lambda's response, and the number of lines."""
    query, sizes, found = f"level=ERROR&limit=10000&format={shape}", list[int](), 0
    cursor: str | None = ""
    while cursor is not None:
        answer = logs.invoke(asked(sample("get-logs"), query + (f"&cursor={cursor}" if cursor else "")))
        assert answer.json["statusCode"] == 200
        sizes.append(answer.size)
        if shape == "raw":
            found += answer.json["body"].count("\n")
            cursor = answer.json["headers"].get("next-cursor")
        else:
            found += len(answer.body["logs"])
            cursor = answer.body["nextCursor"]
    return sizes, found
