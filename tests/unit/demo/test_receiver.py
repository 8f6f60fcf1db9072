import json
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from jobtrack_demo.receiver import Gate, Pushed

SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
BODY = json.dumps({"type": "log", "data": {"sequence": 7}}).encode()


def headers(
    identity: str = "msg_1", body: bytes = BODY, secret: str = SECRET, bearer: str = "bearer"
) -> dict[str, str]:
    now = datetime.now(UTC)
    return {
        "webhook-id": identity,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(identity, now, body.decode()),
        "authorization": f"Bearer {bearer}",
    }


@pytest.fixture
def gate() -> Gate:
    gate = Gate("bearer")
    gate.know(SECRET)
    return gate


def test_remembers_a_verified_message(gate: Gate) -> None:
    assert gate.receive(headers(), BODY) == 204
    assert gate.snapshot().messages == {"msg_1": Pushed("log", 7)}
    assert gate.snapshot().types() == {"log": 1}


def test_counts_a_message_once_by_its_id(gate: Gate) -> None:
    assert [gate.receive(headers("msg_1"), BODY) for _ in range(3)] == [204, 204, 204]
    assert gate.receive(headers("msg_2"), BODY) == 204
    inbox = gate.snapshot()
    assert (len(inbox.messages), inbox.repeats) == (2, 2)


@pytest.mark.parametrize(
    "wrong",
    [
        headers(secret="whsec_b3RoZXJvdGhlcm90aGVyb3RoZXI="),
        headers(bearer="other"),
        headers(bearer="other-ü"),
        headers(body=b"{}"),
        {**headers(), "webhook-timestamp": "1000"},
        {**headers(), "webhook-timestamp": "soon"},
        {**headers(), "webhook-signature": "v1,nonsense"},
        {**headers(), "webhook-signature": "v1"},
        {"authorization": "Bearer bearer"},
        {},
    ],
)
def test_refuses_what_is_not_ours(gate: Gate, wrong: dict[str, str]) -> None:
    assert gate.receive(wrong, BODY) == 401
    assert not gate.snapshot().messages
    assert len(gate.snapshot().refused) == 1


@pytest.mark.parametrize("body", [b"[]", b"{}", b"no json", b'{"type": "log"}', b"\xff"])
def test_refuses_a_signed_body_that_is_no_message(gate: Gate, body: bytes) -> None:
    signed = headers(body=body) if body != b"\xff" else headers()
    assert gate.receive(signed, body) == 401


def test_asks_for_a_retry_while_the_secret_is_not_known() -> None:
    gate = Gate("bearer", secret_wait=0)
    assert gate.receive(headers(), BODY) == 503
    gate.know(SECRET)
    assert gate.receive(headers(), BODY) == 204


def test_a_snapshot_does_not_change(gate: Gate) -> None:
    before = gate.snapshot()
    gate.receive(headers(), BODY)
    assert not before.messages
