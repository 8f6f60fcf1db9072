"""The README's receiver of webhooks does what the README says."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import httpx

from tests.e2e.receiving import PATIENCE_SECONDS, answered, deliveries, until
from tests.e2e.reporting import event, reported, started
from tests.e2e.running import Service
from tests.e2e.test_readme import program


def test_receive_verifies_each_message_and_serves_it_once(service: Service, tmp_path: Path) -> None:
    place = tmp_path / "receive.py"
    place.write_text(program("receive.py"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/hook"
    with service.client() as api:
        job = started(api)
        wanted = {"subscriptionType": "webhook", "webhookUrl": url, "language": "en"}
        made = answered(api.post(f"/job/{job}/subscribe", json=wanted), 201)
        reported(api, job, event("stageStarted", stageName="Load"))
        name = made["subscriptionId"]
        until(lambda: [each["status"] for each in deliveries(api, name)] == ["Pending"])
        receiver = subprocess.Popen(
            [sys.executable, str(place), str(port)],
            env=os.environ | {"SIGNING_SECRET": made["signingSecret"]},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            until(lambda: [each["status"] for each in deliveries(api, name)] == ["Delivered"])
            answered(api.post(f"/subscription/{name}/deliveries/{deliveries(api, name)[0]['messageId']}/retry"), 202)
            until(lambda: [each["statusCode"] for each in deliveries(api, name)[0]["attempts"]][-2:] == [204, 204])
            forged = {"webhook-id": "msg_1", "webhook-timestamp": "1", "webhook-signature": "v1,AA=="}
            assert httpx.post(url, json={}, headers=forged, trust_env=False).status_code == 401
        finally:
            receiver.terminate()
            said, logged = receiver.communicate(timeout=PATIENCE_SECONDS)
    assert said == "3 stageStarted Load stage started\n"
    assert re.findall(r'" (\d+) -', logged) == ["204", "204", "401"]
