"""The samples of events/ are what AWS sends for the triggers of template.yaml."""

import base64
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from jobtrack.domain.journal import packing
from jobtrack.push.messages.message import Message
from jobtrack_local.runtime import events
from jobtrack_local.template import template
from scripts import sample_push_events

ROOT = Path(__file__).parents[2]
SAMPLES: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text()) for path in sorted(ROOT.glob("events/*.json"))
}
REQUESTS = {name: sample for name, sample in SAMPLES.items() if "routeKey" in sample}
ROUTES = {f"{route.method} {route.path}": route for route in template.load().routes}


def record(name: str) -> dict[str, Any]:
    (found,) = SAMPLES[name]["Records"]
    assert isinstance(found, dict)
    return found


def test_every_route_has_a_sample() -> None:
    assert sorted(sample["routeKey"] for sample in REQUESTS.values()) == sorted(ROUTES)


@pytest.mark.parametrize("name", sorted(REQUESTS))
def test_requests_are_of_payload_format_2(name: str) -> None:
    sample = REQUESTS[name]
    context = sample["requestContext"]
    method, path = sample["routeKey"].split(" ")
    assert sample["version"] == "2.0"
    assert context["routeKey"] == sample["routeKey"]
    assert (context["http"]["method"], context["http"]["path"]) == (method, sample["rawPath"])
    assert path.format_map(sample.get("pathParameters", {})) == sample["rawPath"]
    assert sample["rawQueryString"] == "&".join(
        f"{key}={value}" for key, value in sample.get("queryStringParameters", {}).items()
    )
    assert int(sample["headers"]["content-length"]) == len(sample.get("body", "").encode())
    assert all(key == key.lower() for key in sample["headers"])


@pytest.mark.parametrize("name", sorted(REQUESTS))
def test_claims_are_strings_and_hold_the_routes_scope(name: str) -> None:
    sample = REQUESTS[name]
    scopes = list(ROUTES[sample["routeKey"]].auth.authorization_scopes)
    if not scopes:
        assert "authorizer" not in sample["requestContext"]
        return
    jwt = sample["requestContext"]["authorizer"]["jwt"]
    assert jwt["scopes"] == scopes
    assert all(isinstance(value, str) for value in jwt["claims"].values())
    assert set(scopes) <= set(jwt["claims"]["scope"].split())
    assert jwt["claims"]["tenant_id"] == sample["pathParameters"]["tenantId"]


def test_the_outbox_record_passes_the_filter_and_unpacks() -> None:
    outbox = record("outbox-record")
    image = outbox["dynamodb"]["NewImage"]
    assert (outbox["eventName"], image["sk"]["S"][:2]) == ("INSERT", "O#")
    assert packing.unpack(base64.b64decode(image["d"]["B"])) == _packed(sample_push_events.outbox_record())


def test_the_queue_message_is_what_the_dispatcher_would_send() -> None:
    message = record("delivery-message")
    assert message == sample_push_events.delivery_message()
    assert message["md5OfBody"] == hashlib.md5(message["body"].encode(), usedforsecurity=False).hexdigest()
    assert json.loads(Message.decode(message["body"]).payload)["data"]["sequence"] == 12


def _packed(outbox: dict[str, Any]) -> Any:
    return packing.unpack(base64.b64decode(outbox["dynamodb"]["NewImage"]["d"]["B"]))


def test_the_clocks_sample_is_what_the_local_clock_sends() -> None:
    sent = events.scheduled_event("Any", datetime(2026, 11, 23, 10, 45, tzinfo=UTC))
    assert list(sent) == list(SAMPLES["schedule"])
    same = ("version", "detail-type", "source", "time", "detail")
    assert [sent[name] for name in same] == [SAMPLES["schedule"][name] for name in same]
