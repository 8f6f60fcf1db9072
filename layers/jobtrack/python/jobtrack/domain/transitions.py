"""Which events the status of a job allows, and which status follows."""

from jobtrack.domain.job import JobStatus
from jobtrack.errors import Fault, InvalidTransition

MOVES = {
    "jobStarted": (JobStatus.RUNNING, {JobStatus.QUEUED}),
    "jobCompleted": (JobStatus.COMPLETED, {JobStatus.RUNNING}),
    "jobFailed": (JobStatus.FAILED, {JobStatus.QUEUED, JobStatus.RUNNING}),
    "jobCancelled": (JobStatus.CANCELLED, {JobStatus.QUEUED, JobStatus.RUNNING}),
}
"""By event: the status that follows, and the statuses in which the event is allowed."""

_NEEDS_RUNNING = frozenset({"stageStarted", "stageCompleted", "stageFailed", "stageSkipped", "progressUpdate"})
_AFTER_THE_END = frozenset({"log", "metricSample", "quality"})


def require_allowed(status: JobStatus, event_type: str, index: int) -> None:
    """Refuse an event that the status does not allow. `index` is the position of the event in its batch.

    Raises:
        InvalidTransition: the message names the status, and the status that the event would lead to.
    """
    if reason := _refusal_reason(status, event_type):
        raise InvalidTransition(f"{reason}.", [Fault(f"/events/{index}", reason)])


def _refusal_reason(status: JobStatus, event_type: str) -> str | None:
    if event_type in MOVES:
        target, sources = MOVES[event_type]
        return None if status in sources else f"{event_type} would move the job from {status} to {target}"
    if event_type in _NEEDS_RUNNING and status is not JobStatus.RUNNING:
        return f"{event_type} needs a job that is {JobStatus.RUNNING}; it is {status}"
    if status.ended and event_type not in _AFTER_THE_END:
        return f"{event_type} came after the job's end; it is {status}"
    return None
