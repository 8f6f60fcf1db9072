"""The public verifier of Standard Webhooks accepts what is pushed, with every secret that signs."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from jobtrack.push.subscriptions.secrets import new_signing_secret
from jobtrack_demo.receiver import Receiver
from tests.e2e.receiving import Recorder, answered, milestone, subscribed, until
from tests.e2e.reporting import post, reported, started
from tests.e2e.running import Service

BATCH = 10
ROTATIONS = 5
BETWEEN = 80
"""Number of messages between two rotations."""
AHEAD = 100
"""How far the worker may be ahead of the receiver."""


class Load:
    """A worker that reports milestones, and records the number of known secrets before each."""

    def __init__(self, api: httpx.Client, job: str, recorder: Recorder, secrets: list[str]) -> None:
        self.api, self.job, self.recorder, self.secrets = api, job, recorder, secrets
        self.known: dict[int, int] = {}
        self.over = threading.Event()

    def work(self) -> None:
        while not self.over.is_set():
            known = len(self.secrets)
            last = reported(self.api, self.job, *(milestone(number) for number in range(BATCH)))
            self.known |= {last - back: known for back in range(BATCH)}
            while len(self.known) - len(self.recorder.requests) > AHEAD and not self.over.wait(0.01):
                pass


@contextmanager
def working(load: Load) -> Iterator[None]:
    thread = threading.Thread(target=load.work)
    thread.start()
    try:
        yield
    finally:
        load.over.set()
        thread.join()


def test_while_secrets_rotate_under_load_every_message_is_accepted_with_each_that_signs(
    service: Service, tally: Callable[[int, str], None]
) -> None:
    recorder = Recorder()
    with service.client() as api, Receiver(recorder) as receiver:
        job = started(api)
        made = subscribed(api, job, receiver.url, "milestone")
        secrets, rotate = [made["signingSecret"]], f"/subscription/{made['subscriptionId']}/rotate-secret"
        load = Load(api, job, recorder, secrets)
        with working(load):
            for number in range(ROTATIONS):
                more_arrive(recorder)
                answers = [answered(post(api, rotate, b"", key=f"rotation {number}")) for _ in range(2)]
                assert answers[0] == answers[1]
                secrets.append(answers[0]["signingSecret"])
            until(lambda: max(load.known.values()) > ROTATIONS)
        until(lambda: set(recorder.sequences()) >= load.known.keys())
    accepted(recorder, load.known, secrets)
    tally(len(load.known), "messages pushed while secrets rotated, each accepted with every secret that signed")


def more_arrive(recorder: Recorder) -> None:
    enough = len(recorder.requests) + BETWEEN
    until(lambda: len(recorder.requests) >= enough)


def accepted(recorder: Recorder, known: dict[int, int], secrets: list[str]) -> None:
    """Every message arrived, under one id, signed with each secret that was known before its event was reported."""
    assert len(set(secrets)) == ROTATIONS + 1
    assert len(known) > ROTATIONS * BETWEEN
    ids = defaultdict(set)
    for body, (headers, content) in zip(recorder.bodies(), recorder.requests, strict=True):
        sequence = body["data"]["sequence"]
        ids[sequence].add(headers["webhook-id"])
        for secret in secrets[: known[sequence]]:
            Webhook(secret).verify(content, dict(headers))
        with pytest.raises(WebhookVerificationError):
            Webhook(new_signing_secret()).verify(content, dict(headers))
    assert ids.keys() == known.keys()
    assert {len(each) for each in ids.values()} == {1}
    assert len(set.union(*ids.values())) == len(known)
