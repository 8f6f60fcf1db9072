"""Sends heartbeats for the jobs of tasks that a Celery worker holds."""

from threading import Event
from typing import TYPE_CHECKING, Any
from weakref import ref

from jobtrack_client._api.requests import Request
from jobtrack_client._exceptions import ApiError, Conflict, JobTrackError
from jobtrack_client._reporting.heartbeat import BATCH
from jobtrack_client._runtime.threads import Background

if TYPE_CHECKING:
    from jobtrack_client._api._sync.http import Http


class HeldTasks:
    """Sends a heartbeat for the job of each held task every `every` seconds.

    A worker that receives the message of a retry holds it until its countdown is over. Meanwhile no process reports to
    the job, so it would be marked as stalled.
    """

    def __init__(self, http: "Http", every: float) -> None:
        self._http = http
        self._every = every
        self._requests: dict[str, ref[Any]] = {}
        self._stopped = Event()
        self._thread = Background("jobtrack-held-tasks")

    def hold(self, job_id: str, request: Any) -> None:
        """Send heartbeats for a job while its `celery.worker.request.Request` waits."""
        self._requests[job_id] = ref(request)
        if not self._thread.started:
            self._thread.start(self._run)

    def send_heartbeats(self) -> None:
        """Send one heartbeat for each job. If the service is unreachable, skip the remaining jobs."""
        for job_id, request in list(self._requests.items()):
            if not _waits(request()):
                self._forget(job_id, request)
                continue
            try:
                self._http.send(Request("POST", f"/job/{job_id}/events", body=BATCH.body))
            except ApiError as error:
                if isinstance(error, Conflict):  # the job has ended
                    self._forget(job_id, request)
            except JobTrackError:
                return

    def stop(self) -> None:
        """Send no more heartbeats."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(self._every):
            self.send_heartbeats()

    def _forget(self, job_id: str, request: "ref[Any]") -> None:
        if self._requests.get(job_id) is request:  # the message may have been delivered again meanwhile
            del self._requests[job_id]


def _waits(request: Any) -> bool:
    """Return whether a task waits: a pool has neither accepted nor dropped it."""
    return request is not None and request.time_start is None and not request.acknowledged
