"""Watching the job through the service's own reads, until it ended and everything was pushed."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from jobtrack_client import Client
from local.demo.answers import LogsAnswer, ProgressAnswer
from local.demo.audit import Answers
from local.demo.children import Child
from local.demo.display import Display, View
from local.demo.receiver import Gate, Inbox
from local.errors import LocalError

ENDED = ("Completed", "Failed", "Cancelled")
POLL_SECONDS = 0.3
SHOWN_LINES = 200
PAGE = 10_000


@dataclass(frozen=True)
class Watch:
    """Shows the job as the service tells it."""

    client: Client
    job_id: str
    gate: Gate
    display: Display
    service: Child
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def look(self) -> ProgressAnswer:
        """Show the job as it is now."""
        if self.service.exit_code is not None:
            raise LocalError(f"the service ended with code {self.service.exit_code}: {self.service.last_words}")
        progress = cast(ProgressAnswer, self.client.progress(self.job_id))
        lines = cast(LogsAnswer, self.client.logs(self.job_id, limit=SHOWN_LINES))["logs"]
        self.display.show(View(progress, lines, self.gate.snapshot()))
        return progress

    def until_ended(self, worker: Child) -> str:
        """Follow the job until it or its worker ended; the job's status."""
        while True:
            gone = worker.exit_code is not None
            status = self.look()["status"]
            if status in ENDED or gone:
                return status
            self.sleep(POLL_SECONDS)

    def until_pushed(self, messages: int, quiet: float, settle: float) -> Inbox:
        """Wait for that many messages, and `settle` seconds for others; or until none came for `quiet` seconds."""
        arrived, since = -1, self.clock()
        while True:
            self.look()
            inbox = self.gate.snapshot()
            if inbox.arrivals.total() + len(inbox.refused) != arrived:
                arrived, since = inbox.arrivals.total() + len(inbox.refused), self.clock()
            if self.clock() - since >= (settle if len(inbox.messages) >= messages else quiet):
                return inbox
            self.sleep(POLL_SECONDS)


def read_answers(client: Client, job_id: str) -> Answers:
    """What the service says of an ended job, with every page of its logs."""
    progress = cast(ProgressAnswer, client.progress(job_id))
    first = page = cast(LogsAnswer, client.logs(job_id, level="DEBUG", limit=PAGE))
    levels, sequences = Counter[str](), Counter[int]()
    while True:
        levels.update(line["level"] for line in page["logs"])
        sequences.update(line["sequence"] for line in page["logs"])
        if page["nextCursor"] is None:
            return Answers(progress, first, levels, sequences)
        page = cast(LogsAnswer, client.logs(job_id, level="DEBUG", limit=PAGE, cursor=page["nextCursor"]))
