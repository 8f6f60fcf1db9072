"""Watch the job through the service's API until it has ended and all its messages were pushed."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from jobtrack_client import Client, Unreachable, models
from jobtrack_client.commands.board import Display, Picture
from jobtrack_demo.audit import Answers
from jobtrack_demo.receiver import Gate, Inbox
from jobtrack_local.errors import LocalError

ENDED = ("Completed", "Failed", "Cancelled")
POLL_SECONDS = 0.3
SHOWN_LINES = 200
PAGE = 10_000


class Process(Protocol):
    """The state of a process that may have ended."""

    @property
    def name(self) -> str:
        """The name of the process."""

    @property
    def exit_code(self) -> int | None:
        """The exit code, or None while the process runs."""

    @property
    def last_words(self) -> str:
        """The last line that the process printed."""


def ended(process: Process) -> LocalError:
    """Return the error for a process that ended too early."""
    return LocalError(f"the {process.name} ended with code {process.exit_code}; its last words: {process.last_words}")


@dataclass(frozen=True)
class Watch:
    """Shows the job as the service reports it."""

    client: Client
    job_id: str
    gate: Gate
    display: Display
    service: Process
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def look(self) -> models.Progress:
        """Show the present state of the job.

        Raises:
            LocalError: the service has ended.
        """
        try:
            progress = self.client.progress(self.job_id)
            lines = self.client.logs(self.job_id, limit=SHOWN_LINES)["logs"]
        except Unreachable as error:
            if self.service.exit_code is None:
                raise
            raise ended(self.service) from error
        inbox = self.gate.snapshot()
        self.display.show(Picture(progress, lines, received(inbox), alarming=bool(inbox.refused)))
        return progress

    def until_ended(self, worker: Process) -> str:
        """Follow the job until it or its worker has ended, and return the job's status."""
        while True:
            gone = worker.exit_code is not None
            status = self.look()["status"]
            if status in ENDED or gone:
                return status
            self.sleep(POLL_SECONDS)

    def until_pushed(self, messages: int, quiet: float, settle: float) -> Inbox:
        """Wait for `messages` messages and then `settle` seconds without a further one.

        If messages are missing, stop after `quiet` seconds without a message.
        """
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
    """Read an ended job, with every page of its logs."""
    progress = client.progress(job_id)
    first = page = client.logs(job_id, level="DEBUG", limit=PAGE)
    levels, sequences = Counter[str](), Counter[int]()
    while True:
        levels.update(line["level"] for line in page["logs"])
        sequences.update(line["sequence"] for line in page["logs"])
        if page["nextCursor"] is None:
            return Answers(progress, first, levels, sequences)
        page = client.logs(job_id, level="DEBUG", limit=PAGE, cursor=page["nextCursor"])


def received(inbox: Inbox) -> str:
    """Return the received messages."""
    repeats = f", {inbox.repeats:,} repeated" if inbox.repeats else ""
    refused = f", {len(inbox.refused):,} refused" if inbox.refused else ""
    return f"webhooks: {len(inbox.messages):,} received and verified{repeats}{refused}"
