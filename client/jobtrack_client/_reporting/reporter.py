"""What a job reports through: events in, requests out; no call here raises into the job or waits for the service."""

import threading
from collections.abc import Callable, Mapping
from time import monotonic
from typing import TYPE_CHECKING

from jobtrack_client._api.settings import Settings
from jobtrack_client._exceptions import JobTrackError
from jobtrack_client._reporting.delivery import Delivery, Reported
from jobtrack_client._reporting.forks import relay
from jobtrack_client._reporting.forks.handover import Handover
from jobtrack_client._reporting.forks.relay import Change, Mouthpiece, Relay
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

    A process that is forked from the job's hands over to it what it reports, and once it is alone sends by itself.
    """

    def __init__(self, http: "Http", job: Reported, options: ReporterOptions) -> None:
        self.settings: Settings = http.settings
        self._job = job
        self._options = options
        self._delivery = Delivery(http, job, options)
        self._relay: Relay | None = None
        self._handover: Handover | None = None
        self._adopted = False
        self._wanted = False
        self.put: Callable[[Event | Line], None] = self._delivery.buffer.put
        """Queues what was reported; log lines come straight to it, for there are many."""
        self._closed = False
        self._lock = threading.Lock()
        self.tick: Callable[[], None] = lambda: None
        """Called every `flush_seconds`, from a thread of ours."""
        self.changed: Callable[[int, Change], None] = lambda number, change: None
        """Called with what a forked process tells of the progress of this number."""
        self.exiting: Callable[[], None] = lambda: None
        """Called when the interpreter ends, before the rest is sent."""
        fork_safety.renew(self)
        fork_safety.prepare(self)

    def begin(self, started: Mapping[str, object]) -> None:
        """Have the job started, unless it is one that may run already."""
        if self._job.resumed:
            self._delivery.start = make_event("jobStarted", started, self._options.clock())
        else:
            self.report("jobStarted", started)

    def follow(self, earlier: "Reporter") -> None:
        """Send nothing before another reporter of the job, which is closed, has sent what it has."""
        self._delivery.earlier = earlier._delivery.sender

    def start(self, required: bool) -> None:
        """Create the job and begin to send.

        Raises:
            JobTrackError: it is `required` that the job is tracked, and the service refused it or stayed away for
                `close_seconds`.
        """
        if self._wanted or self._handover is not None:
            return
        exit_hooks.register(self._at_exit)
        self._send()
        if self._delivery.sender.started:
            patiently(lambda: self._delivery.creation.tried.wait(self._options.create_seconds))
        if required:
            patiently(self._demand_created)

    def report(self, type_: str, data: Mapping[str, object], moment: float | None = None) -> None:
        """Queue one event of now, or of `moment` (seconds since 1970)."""
        try:
            self.put(make_event(type_, data, self._options.clock() if moment is None else moment))
        except Exception:  # whatever a worker's own values raise, its job goes on
            warn_seldom("%s: an event %s cannot be reported", self._job, type_)

    def keep(self, details: Mapping[str, object]) -> object:
        """Details of a log line as they are now; None where they cannot be told."""
        try:
            return snapshot(details)
        except Exception:  # as above
            warn_seldom("%s: details of a log line cannot be reported", self._job)
            return None

    def change(self, number: int, change: Change) -> bool:
        """Tell the job's process of the progress that it began itself; False where there is none to be told."""
        return self._handover is not None and not self._adopted and self._handover.progressed(number, change)

    def settle(self) -> None:
        """Take in what forked processes have reported so far."""
        if self._relay is not None:
            self._relay.drain()

    def flush(self, timeout: float) -> bool:
        """Wait until what was reported is settled; whether it was within `timeout` seconds."""
        if self._handover is not None:
            self._handover.pump()
        elif self._wanted:
            self._send()
        return patiently(lambda: self._flush(timeout))

    def _flush(self, timeout: float) -> bool:
        deadline = monotonic() + timeout
        created = not self._delivery.sender.started or self._delivery.creation.settled.wait(timeout)
        return self._delivery.buffer.flush(max(0.0, deadline - monotonic())) and created

    def close(self, timeout: float | None = None, *, wait: bool = True) -> None:
        """Send what waits for at most `timeout` seconds (`close_seconds`); without `wait`, while others go on."""
        seconds = self._options.close_seconds if timeout is None else timeout
        if self._closed:
            self._delivery.buffer.close(monotonic() + seconds)
        else:
            patiently(lambda: self._close(seconds))
        if not wait:
            return
        exit_hooks.unregister(self._at_exit)
        if self._wanted:
            self._send()
        patiently(lambda: self._await_end(seconds))

    def _await_end(self, seconds: float) -> None:
        sender = self._delivery.sender
        if self._wanted and not sender.started:
            sender.run(lambda: self.tick())
        elif not sender.started:
            self._delivery.end()
        elif not sender.join(seconds + 1):
            LOGGER.warning("%s: %d events are not acknowledged", self._job, self.stats.waiting)

    def forking(self) -> None:
        """Listen to what the process that is about to be forked, or started anew, will report."""
        with self._lock:
            if self._relay is not None or not self._sending or not relay.AVAILABLE:
                return
            try:
                self._relay = Relay(self._delivery.buffer.put, lambda number, change: self.changed(number, change))
            except (OSError, RuntimeError) as error:  # they can still send by themselves
                LOGGER.warning("%s: forked processes cannot be heard: %s", self._job, error)

    def writer(self) -> int | None:
        """The descriptor of the socket by which another process reports to the job's own; None where there is none."""
        if self._handover is not None:
            return self._handover.mouthpiece.writer
        self.forking()
        return None if self._relay is None else self._relay.writer

    def speak_through(self, writer: int) -> None:
        """Report through the job's own process, which has the other end of this socket. To be called first."""
        self._adopted = True
        self._hand_over(Mouthpiece.of(writer))

    def forked(self) -> None:
        """Begin anew, with nothing of what waits: that is the parent's, and so is the thread that sends."""
        mouthpiece = self._inherited_mouthpiece()
        self._lock = threading.Lock()
        self._delivery, self._relay = self._delivery.inherited(), None
        self._handover, self.put, self._wanted = None, self._delivery.buffer.put, False
        if mouthpiece is not None:
            self._hand_over(mouthpiece)
        if self._closed:
            self._delivery.buffer.shut(Reason.CLOSED, Reason.CLOSED)

    @property
    def thread(self) -> int | None:
        """The identifier of the thread that sends."""
        return self._delivery.sender.ident

    @property
    def resumed(self) -> bool:
        """Whether another process may go on with the job."""
        return self._job.resumed

    @property
    def stats(self) -> Stats:
        """The counts at this moment."""
        return self._delivery.buffer.stats

    @property
    def created(self) -> Mapping[str, Json]:
        """The answer to the job's creation, once there is one."""
        return self._delivery.created

    @property
    def _sending(self) -> bool:
        return self._delivery.sender.started and not self._closed

    def _inherited_mouthpiece(self) -> Mouthpiece | None:
        if self._handover is not None:
            return self._handover.mouthpiece
        if self._relay is not None:
            return self._relay.inherited()
        return Mouthpiece(None) if self._sending else None

    def _hand_over(self, mouthpiece: Mouthpiece) -> None:
        self._handover = Handover(
            mouthpiece,
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
        """Begin to send, unless it has begun; without a thread, all is sent at the end."""
        self._wanted = True
        if self._delivery.sender.started:
            return
        try:
            self._delivery.sender.start(lambda: self.tick())
        except RuntimeError as error:
            LOGGER.warning("%s: nothing is sent before its end: %s", self._job, error)

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
