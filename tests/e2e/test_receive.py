"""The receivers of webhooks that the documents print do what the documents say."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.documents import program
from tests.e2e.receiving import PATIENCE_SECONDS, answered, deliveries, until
from tests.e2e.reporting import event, reported, started
from tests.e2e.running import Service


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("receive.py", "stageStarted Load stage started\n" * 2),
        ("receive_once.py", "3 stageStarted Load stage started\n"),
    ],
)
def test_a_receiver_verifies_each_message(name: str, printed: str, service: Service, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    path = tmp_path / name
    path.write_text(program(name).replace("9000", str(port)))
    url = f"http://127.0.0.1:{port}/hook"
    with service.client() as api:
        job = started(api)
        body = {"subscriptionType": "webhook", "webhookUrl": url, "language": "en"}
        subscription = answered(api.post(f"/job/{job}/subscribe", json=body), 201)
        identity = subscription["subscriptionId"]
        reported(api, job, event("stageStarted", stageName="Load"))
        until(lambda: [delivery["status"] for delivery in deliveries(api, identity)] == ["Pending"])
        receiver = subprocess.Popen(
            [sys.executable, str(path), str(port)],
            env=os.environ | {"SIGNING_SECRET": subscription["signingSecret"]},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            until(lambda: [delivery["status"] for delivery in deliveries(api, identity)] == ["Delivered"])
            message = deliveries(api, identity)[0]["messageId"]
            answered(api.post(f"/subscription/{identity}/deliveries/{message}/retry"), 202)
            until(lambda: [each["statusCode"] for each in deliveries(api, identity)[0]["attempts"]][-2:] == [204, 204])
            forged = {"webhook-id": "msg_1", "webhook-timestamp": "1", "webhook-signature": "v1,AA=="}
            assert httpx.post(url, json={}, headers=forged, trust_env=False).status_code == 401
        finally:
            receiver.terminate()
            output, log = receiver.communicate(timeout=PATIENCE_SECONDS)
    assert output == printed
    assert re.findall(r'" (\d+) -', log) == ["204", "204", "401"]
