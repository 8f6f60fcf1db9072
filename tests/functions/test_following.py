"""A job's lines are followed by sequence through all sealed chunks, within the policy of the function."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from tests.functions.conftest import Invoke

Sample = Callable[[str], dict[str, Any]]
LINES = 1500
BATCH = 500


def _report(invoke: Invoke, sample: Sample, batch: int) -> None:
    """Lines that hardly compress, so that they are sealed into chunks."""
    lines = [f"{number} " + f"{(number * 7919) ** 9:x}" * 8 for number in range(batch * BATCH, (batch + 1) * BATCH)]
    asked = sample("report-events")
    asked["headers"]["idempotency-key"] = f"batch {batch}"
    asked["body"] = json.dumps(
        {"events": [{"type": "log", "data": {"level": "INFO", "message": line}} for line in lines]}
    )
    assert invoke("EventsFunction", asked)["statusCode"] == 202


def test_following_reads_each_line_once_in_order(invoke: Invoke, sample: Sample) -> None:
    assert invoke("JobsFunction", sample("create-job"))["statusCode"] == 201
    for batch in range(LINES // BATCH):
        _report(invoke, sample, batch)
    asked = sample("get-logs")
    found: list[int] = []
    since, last = -1, 0
    while last > since:
        since = last
        asked["rawQueryString"] = urlencode({"sinceSequence": since, "limit": 400})
        answer = invoke("LogsFunction", asked)
        assert answer["statusCode"] == 200, answer["body"]
        body = json.loads(answer["body"])
        found += [int(entry["message"].split()[0]) for entry in body["logs"]]
        last = body["lastSequence"]
    assert found == list(range(LINES))
