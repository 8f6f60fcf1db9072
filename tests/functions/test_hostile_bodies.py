"""Invalid bodies: each is refused with a clear error, and nothing of it is stored."""

import gzip
import json
import zlib
from collections.abc import Callable

import pytest

from jobtrack import limits
from tests.functions.conftest import Invoke
from tests.functions.hostile import Client, Json, refusal, stored

LOG = '{"type": "log", "data": {"level": "INFO", "message": "m", "details": %s}}'
GOOD = b'{"events": [{"type": "heartbeat"}]}'
WRITES = ["create-job", "report-events", "put-worker"]


def logging(details: str) -> bytes:
    """Return a batch with these details as raw text."""
    return f'{{"events": [{LOG % details}]}}'.encode()


UNREADABLE = {
    "nothing": b"",
    "spaces": b" \r\n\t",
    "text": b"hello",
    "cut off": GOOD[:-1],
    "two values": GOOD + GOOD,
    "trailing comma": b'{"events": [{"type": "heartbeat"},]}',
    "single quotes": b"{'events': []}",
    "comment": b'{"events": [] /* none */}',
    "NaN": logging('{"a": NaN}'),
    "Infinity": logging('{"a": Infinity}'),
    "-Infinity": logging('{"a": -Infinity}'),
    "1e400": logging('{"a": 1e400}'),
    "-1e400": logging('{"a": -1e400}'),
    "10^400": logging('{"a": 1%s}' % ("0" * 400)),
    "leading zero": logging('{"a": 01}'),
    "hexadecimal": logging('{"a": 0x1F}'),
    "escaped lone surrogate": logging(r'{"a": "\ud83d"}'),
    "escaped lone surrogate as a name": logging(r'{"\ude00": 1}'),
    "surrogates in the wrong order": logging(r'{"a": "\ude00\ud83d"}'),
    "raw lone surrogate": logging('{"a": "-"}').replace(b"-", b"\xed\xa0\xbd"),
    "raw surrogate pair (CESU-8)": logging('{"a": "-"}').replace(b"-", b"\xed\xa0\xbd\xed\xb8\x80"),
    "overlong NUL": logging('{"a": "-"}').replace(b"-", b"\xc0\x80"),
    "beyond Unicode": logging('{"a": "-"}').replace(b"-", b"\xf4\x90\x80\x80"),
    "Shift_JIS": logging('{"a": "表"}').decode().encode("shift_jis"),
    "raw null byte": logging('{"a": "\0"}'),
    "null byte after": GOOD + b"\0",
    "raw line feed": logging('{"a": "\n"}'),
    "byte order mark": b"\xef\xbb\xbf" + GOOD,
    "UTF-16": GOOD.decode().encode("utf-16"),
    "UTF-32": GOOD.decode().encode("utf-32-le"),
    "gzip": gzip.compress(GOOD, mtime=0),
    "5,000 levels of lists": b"[" * 5_000 + b"]" * 5_000,
    "5,000 levels of objects": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    "100,000 levels, cut off": b"[" * 100_000,
}


@pytest.fixture
def client(invoke: Invoke, sample: Callable[[str], Json]) -> Client:
    found = Client(invoke, sample)
    found.start({"type": "jobStarted"})
    return found


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_is_no_json_is_400_wherever_it_is_sent(client: Client, name: str) -> None:
    before = stored()
    for write in WRITES:
        status, problem = client.send(write, UNREADABLE[name])
        assert (status, problem["code"]) == (400, "invalid_request")
        assert "not valid JSON" in problem["detail"]
    assert stored() == before


@pytest.mark.parametrize(
    ("body", "pointer", "detail"),
    [
        (b"null", "", "must be an object"),
        (b'"events"', "", "must be an object"),
        (b"[]", "", "must be an object"),
        (b'{"events": {"0": {"type": "heartbeat"}}}', "/events", "must be a list"),
        (b'{"events": [[]]}', "/events/0", "must be an object"),
        (b'{"EVENTS": [{"type": "heartbeat"}]}', "/events", "is required"),
        (b'{"events": [{"type": "heartbeat\\u0000"}]}', "/events/0/type", "must be one of"),
        (b'{"events": [{"type": "__class__"}]}', "/events/0/type", "must be one of"),
        (b'{"events": [{"type": "heartbeat", "time": 0}]}', "/events/0/time", "RFC 3339"),
        (b'{"events": [{"type": "heartbeat", "time": "2024-01-20T10:30:00"}]}', "/events/0/time", "offset"),
        (b'{"events": [{"type": "heartbeat", "time": "0000-12-31T23:59:59Z"}]}', "/events/0/time", "years 1 and 9999"),
        (b'{"events": [{"type": "heartbeat", "time": "9999-12-31T23:59:59-00:01"}]}', "/events/0/time", "1 and 9999"),
        (b'{"events": [{"type": "heartbeat", "time": "2016-12-31T23:59:61Z"}]}', "/events/0/time", "RFC 3339"),
        (
            b'{"events": [{"type": "progressUpdate", "data": {"recordsProcessed": 9007199254740993}}]}',
            "/events/0/data/recordsProcessed",
            "must be at most 9007199254740992",
        ),
        (
            b'{"events": [{"type": "progressUpdate", "data": {"recordsProcessed": 9223372036854775808}}]}',
            "/events/0/data/recordsProcessed",
            "must be at most 9007199254740992",
        ),
        (
            b'{"events": [{"type": "progressUpdate", "data": {"recordsProcessed": 18446744073709551616}}]}',
            "/events/0/data/recordsProcessed",
            "must be an integer",
        ),
        (
            b'{"events": [{"type": "metricSample", "data": {"recordsPerSecond": 9007199254740993}}]}',
            "/events/0/data/recordsPerSecond",
            "must be at most 9007199254740992",
        ),
        (
            b'{"events": [{"type": "metricSample", "data": {"cpuUsage": 1e308}}]}',
            "/events/0/data/cpuUsage",
            "must be at most 9007199254740992",
        ),
        (
            b'{"events": [{"type": "metricSample", "data": {"retries": -1}}]}',
            "/events/0/data/retries",
            "must be at least 0",
        ),
        (
            b'{"events": [{"type": "log", "data": {"level": "INFO", "message": "kept", "message": 1}}]}',
            "/events/0/data/message",
            "must be a string",
        ),
    ],
)
def test_a_batch_out_of_contract_is_pointed_at(client: Client, body: bytes, pointer: str, detail: str) -> None:
    before = stored()
    told = refusal(client.send("report-events", body))
    assert told.keys() == {pointer}
    assert detail in told[pointer]
    assert stored() == before


@pytest.mark.parametrize("levels", [limits.BODY_DEPTH + 1, 900])
def test_what_is_nested_too_deeply_is_told_the_limit(client: Client, levels: int) -> None:
    before = stored()
    for write in WRITES:
        told = refusal(client.send(write, b'{"a":' * levels + b"1" + b"}" * levels))
        assert told == {"": f"must be nested at most {limits.BODY_DEPTH} levels deep"}
    assert stored() == before


@pytest.mark.parametrize("size", [limits.REQUEST_BYTES + 1, 2 * limits.REQUEST_BYTES, 5 * limits.REQUEST_BYTES])
def test_a_request_too_large_is_413_with_the_limit(client: Client, size: int) -> None:
    before = stored()
    for write in WRITES:
        status, problem = client.send(write, GOOD.ljust(size))
        assert (status, problem["code"]) == (413, "too_large")
        assert str(limits.REQUEST_BYTES) in problem["detail"]
    assert stored() == before


def test_a_request_of_exactly_a_mebibyte_is_taken(client: Client) -> None:
    assert client.send("report-events", GOOD.ljust(limits.REQUEST_BYTES))[0] == 202


KINDS = [
    None, "", "json", "text/json", "text/plain", "text/plain; charset=utf-8", "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x", "application/octet-stream", "application/json2", "application/x-ndjson",
    "application/jsonp", "image/svg+xml", "*/*", "application/*", ";charset=utf-8", "application/xml",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_of_another_kind_is_415(client: Client, kind: str | None) -> None:
    before = stored()
    for write in WRITES:
        status, problem = client.send(write, GOOD, content_type=kind)
        assert (status, problem["code"]) == (415, "unsupported_media_type")
        assert "application/json" in problem["detail"]
    assert stored() == before


@pytest.mark.parametrize(
    "kind",
    [
        "application/json", "APPLICATION/JSON", "application/json;charset=UTF-8", 'application/json; charset="utf-8"',
        "application/json; charset=shift_jis", "application/json; charset=nonsense", "application/json ; x=1;",
        "application/merge-patch+json",
    ],
)  # fmt: skip
def test_a_body_of_json_is_utf_8_whatever_its_parameters_say(client: Client, kind: str) -> None:
    assert client.send("report-events", logging('{"a": "表"}'), content_type=kind)[0] == 202
    assert client.read("LogsFunction")["logs"][-1]["details"] == {"a": "表"}


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "identity, gzip", "x"])
def test_a_compressed_body_is_415(client: Client, coding: str) -> None:
    before = stored()
    body = {"gzip": gzip.compress(GOOD), "deflate": zlib.compress(GOOD)}.get(coding, GOOD)
    status, problem = client.send("report-events", body, content_encoding=coding)
    assert (status, problem["code"]) == (415, "unsupported_media_type")
    assert "Content-Encoding" in problem["detail"]
    assert stored() == before


def test_a_body_as_it_is_may_say_so(client: Client) -> None:
    assert client.send("report-events", GOOD, content_encoding="Identity")[0] == 202


def test_of_members_with_one_name_the_last_counts(client: Client) -> None:
    twice = b'{"events": [], "events": [%s]}' % (LOG % '{"a": 1, "a": 2}').encode()
    assert client.send("report-events", twice)[0] == 202
    assert client.read("LogsFunction")["logs"][-1]["details"] == {"a": 2}


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("9007199254740993", 9007199254740993),
        ("9223372036854775808", 9223372036854775808),
        ("18446744073709551615", 18446744073709551615),
        ("-9223372036854775808", -9223372036854775808),
        ("18446744073709551616", 18446744073709551616.0),
        ("-9223372036854775809", -9223372036854775808.0),
        ("0.1", 0.1),
        ("1e308", 1e308),
        ("5e-324", 5e-324),
        ("1e-400", 0.0),
        ("-0.0", -0.0),
    ],
)
def test_numbers_in_details_are_64_bit_integers_else_doubles(client: Client, written: str, kept: float) -> None:
    assert client.send("report-events", logging(f'{{"a": {written}}}'))[0] == 202
    found = client.read("LogsFunction")["logs"][-1]["details"]["a"]
    assert repr(found) == repr(kept)


@pytest.mark.parametrize("key", ["", "a\r\nX-Evil: 1", "a\nb", "a\0b", "ключ", "x" * 256, "\x7f", "a\tb"])
@pytest.mark.parametrize("write", ["create-job", "report-events"])
def test_a_key_that_is_no_printable_ascii_is_pointed_at(client: Client, write: str, key: str) -> None:
    before = stored()
    body = GOOD if write == "report-events" else b'{"jobName": "n", "jobType": "t"}'
    assert refusal(client.send(write, body, idempotency_key=key)).keys() == {"/header/Idempotency-Key"}
    assert stored() == before


def test_the_headers_of_answers_hold_nothing_of_what_was_sent(invoke: Invoke, sample: Callable[[str], Json]) -> None:
    evil = "evil\r\nX-Evil: 1\r\n\r\n<script>"
    event = sample("create-job")
    event["headers"].pop("idempotency-key", None)
    event["body"] = json.dumps(dict.fromkeys(("jobName", "jobType", "submittedBy", "jobDescription"), evil))
    answer = invoke("JobsFunction", event)
    assert answer["statusCode"] == 201
    assert "evil" not in json.dumps(answer["headers"]).lower()
    assert json.loads(answer["body"])["jobName"] == evil
