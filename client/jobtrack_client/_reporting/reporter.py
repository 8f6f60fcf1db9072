"""The reporter of a job. Its calls neither raise exceptions nor wait for the service."""

import threading
from collections.abc import Callable, Mapping
from time import monotonic
from typing import TYPE_CHECKING

from jobtrack_client._api.settings import Settings
from jobtrack_client._exceptions import JobTrackError
from jobtrack_client._reporting.delivery import Delivery, Reported
from jobtrack_client._reporting.forks import relay
from jobtrack_client._reporting.forks.handover import Handover
from jobtrack_client._reporting.forks.relay import Change, ParentLink, Relay
from jobtrack_client._reporting.options import ReporterOptions
from jobtrack_client._reporting.queued_events import Event, Line, make_event, snapshot
from jobtrack_client._reporting.stats import Reason, Stats
from jobtrack_client._runtime import exit_hooks, fork_safety
from jobtrack_client._runtime.log import LOGGER, warn_seldom
from jobtrack_client._runtime.threads import patiently
from jobtrack_client._values.json_values import Json

if TYPE_CHECKING:
    from jobtrack_client._api._sync.http import Http


class Reporter:
    """Reports one job.

    A forked process hands its events to the job's own process. If the job's own process has ended, the forked process
    sends them itself.
    """

    def __init__(self, http: "Http", job: Reported, options: ReporterOptions) -> None:
        self.settings: Settings = http.settings
        self._job = job
        self._options = options
        self._delivery = Delivery(http, job, options)
        self._relay: Relay | None = None
        self._handover: Handover | None = None
        self._adopted = False
        self._to_be_sent = False
        self.put: Callable[[Event | Line], None] = self._delivery.buffer.put
        """Queues an event or a line. Log lines call it directly, because there are many."""
        self._closed = False
        self._lock = threading.Lock()
        self.tick: Callable[[], None] = lambda: None
        """Called every `flush_seconds` from the sending thread."""
        self.changed: Callable[[int, Change], None] = lambda number, change: None
        """Called with the number of a progress, and its change that a forked process reported."""
        self.exiting: Callable[[], None] = lambda: None
        """Called when the interpreter ends, before the remaining events are sent."""
        fork_safety.renew(self)
        fork_safety.prepare(self)

    def begin(self, started: Mapping[str, object]) -> None:
        """Report the job's start. A resumed job is started only if it is not running."""
        if self._job.resumed:
            self._delivery.start = make_event("jobStarted", started, self._options.clock())
        else:
            self.report("jobStarted", started)

    def follow(self, earlier: "Reporter") -> None:
        """Wait until an earlier, closed reporter of the same job has sent its events."""
        self._delivery.earlier = earlier._delivery.sender

    def start(self, required: bool) -> None:
        """Create the job and begin to send.

        Raises:
            JobTrackError: the job is `required`, and the service refused it or could not be reached for
                `close_seconds`.
        """
        if self._to_be_sent or self._handover is not None:
            return
        exit_hooks.register(self._at_exit)
        self._send()
        if self._delivery.sender.started:
            patiently(lambda: self._delivery.creation.tried.wait(self._options.create_seconds))
        if required:
            patiently(self._demand_created)

    def report(self, type_: str, data: Mapping[str, object], moment: float | None = None) -> None:
        """Queue an event with the current time, or with `moment` (seconds since 1970)."""
        try:
            self.put(make_event(type_, data, self._options.clock() if moment is None else moment))
        except Exception:  # a program's own values may raise anything
            warn_seldom("%s: an event %s cannot be reported", self._job, type_)

    def copy_details(self, details: Mapping[str, object]) -> object:
        """Return a copy of the details of a log line; None if they cannot be converted."""
        try:
            return snapshot(details)
        except Exception:  # as above
            warn_seldom("%s: details of a log line cannot be reported", self._job)
            return None

    def change(self, number: int, change: Change) -> bool:
        """Report a change of the parent's progress to the parent. Return False if there is no parent."""
        return self._handover is not None and not self._adopted and self._handover.progressed(number, change)

    def settle(self) -> None:
        """Receive the events that forked processes have reported so far."""
        if self._relay is not None:
            self._relay.drain()

    def flush(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds until all reported events are settled. Return whether they are."""
        if self._handover is not None:
            self._handover.pump()
        elif self._to_be_sent:
            self._send()
        return patiently(lambda: self._flush(timeout))

    def _flush(self, timeout: float) -> bool:
        deadline = monotonic() + timeout
        created = not self._delivery.sender.started or self._delivery.creation.settled.wait(timeout)
        return self._delivery.buffer.flush(max(0.0, deadline - monotonic())) and created

    def close(self, timeout: float | None = None, *, wait: bool = True) -> None:
        """Send the remaining events for at most `timeout` seconds (default: `close_seconds`).

        Without `wait`, they are sent in the background.
        """
        seconds = self._options.close_seconds if timeout is None else timeout
        if self._closed:
            self._delivery.buffer.close(monotonic() + seconds)
        else:
            patiently(lambda: self._close(seconds))
        if not wait:
            return
        exit_hooks.unregister(self._at_exit)
        if self._to_be_sent:
            self._send()
        patiently(lambda: self._await_end(seconds))

    def _await_end(self, seconds: float) -> None:
        sender = self._delivery.sender
        if self._to_be_sent and not sender.started:
            sender.run(lambda: self.tick())
        elif not sender.started:
            self._delivery.end()
        elif not sender.join(seconds + 1):
            LOGGER.warning("%s: %d events are not acknowledged", self._job, self.stats.waiting)

    def forking(self) -> None:
        """Prepare to receive events from a process that is about to be forked or spawned."""
        with self._lock:
            if self._relay is not None or not self._sending or not relay.AVAILABLE:
                return
            try:
                self._relay = Relay(self._delivery.buffer.put, lambda number, change: self.changed(number, change))
            except (OSError, RuntimeError) as error:  # they can still send their events themselves
                LOGGER.warning("%s: events of forked processes cannot be received: %s", self._job, error)

    def writer(self) -> int | None:
        """Return the descriptor of the socket through which another process reports; None if there is none."""
        if self._handover is not None:
            return self._handover.parent.writer
        self.forking()
        return None if self._relay is None else self._relay.writer

    def report_through(self, writer: int) -> None:
        """Report through the job's own process, which has the other end of this socket. Call this first."""
        self._adopted = True
        self._hand_over(ParentLink.of(writer))

    def forked(self) -> None:
        """Start again with an empty buffer. Waiting events and the sending thread belong to the parent."""
        parent = self._inherited_parent()
        self._lock = threading.Lock()
        self._delivery, self._relay = self._delivery.inherited(), None
        self._handover, self.put, self._to_be_sent = None, self._delivery.buffer.put, False
        if parent is not None:
            self._hand_over(parent)
        if self._closed:
            self._delivery.buffer.shut(Reason.CLOSED, Reason.CLOSED)

    @property
    def thread(self) -> int | None:
        """The identifier of the sending thread."""
        return self._delivery.sender.ident

    @property
    def resumed(self) -> bool:
        """Whether another process may continue the job."""
        return self._job.resumed

    @property
    def stats(self) -> Stats:
        """The current counts."""
        return self._delivery.buffer.stats

    @property
    def created(self) -> Mapping[str, Json]:
        """The response to the job's creation, if there is one yet."""
        return self._delivery.created

    @property
    def _sending(self) -> bool:
        return self._delivery.sender.started and not self._closed

    def _inherited_parent(self) -> ParentLink | None:
        if self._handover is not None:
            return self._handover.parent
        if self._relay is not None:
            return self._relay.inherited()
        return ParentLink(None) if self._sending else None

    def _hand_over(self, parent: ParentLink) -> None:
        self._handover = Handover(
            parent,
            self._delivery.buffer,
            begin=lambda: exit_hooks.register(self._at_exit),
            tick=lambda: self.tick(),
            alone=self._send,
            seconds=self._options.flush_seconds,
        )
        self.put = self._handover.put

    def _close(self, seconds: float) -> None:
        if self._relay is not None:
            self._relay.close()
        self._closed = True
        self._delivery.buffer.close(monotonic() + seconds)
        if self._handover is not None:
            self._handover.close(seconds)

    def _send(self) -> None:
        """Start the sending thread. Without a thread, all events are sent at the end."""
        self._to_be_sent = True
        if self._delivery.sender.started:
            return
        try:
            self._delivery.sender.start(lambda: self.tick())
        except RuntimeError as error:
            LOGGER.warning("%s: events are only sent at the job's end: %s", self._job, error)

    def _demand_created(self) -> None:
        self._delivery.creation.settled.wait(self._options.close_seconds)
        try:
            self._delivery.creation.demand()
        except JobTrackError:
            self.close(0)
            raise

    def _at_exit(self) -> None:
        self.exiting()
        self.close(self._options.exit_seconds)
