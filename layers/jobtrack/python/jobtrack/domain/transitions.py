"""What a job's status allows to be reported, and where it leads."""

from jobtrack.domain.job import JobStatus
from jobtrack.errors import Fault, InvalidTransition

MOVES = {
    "jobStarted": (JobStatus.RUNNING, {JobStatus.QUEUED}),
    "jobCompleted": (JobStatus.COMPLETED, {JobStatus.RUNNING}),
    "jobFailed": (JobStatus.FAILED, {JobStatus.QUEUED, JobStatus.RUNNING}),
    "jobCancelled": (JobStatus.CANCELLED, {JobStatus.QUEUED, JobStatus.RUNNING}),
}
"""Of each event that moves a job: where to, and where from."""

_NEEDS_RUNNING = frozenset({"stageStarted", "stageCompleted", "stageFailed", "stageSkipped", "progressUpdate"})
_AFTER_THE_END = frozenset({"log", "metricSample", "quality"})


def require(status: JobStatus, event_type: str, index: int) -> None:
    """Refuse what the status does not allow; `index` is the event's place in its batch.

    Raises:
        InvalidTransition: both states are named.
    """
    if refusal := _refusal(status, event_type):
        raise InvalidTransition(f"{refusal}.", [Fault(f"/events/{index}", refusal)])


def _refusal(status: JobStatus, event_type: str) -> str | None:
    if event_type in MOVES:
        target, sources = MOVES[event_type]
        return None if status in sources else f"{event_type} would move the job from {status} to {target}"
    if event_type in _NEEDS_RUNNING and status is not JobStatus.RUNNING:
        return f"{event_type} needs a job that is {JobStatus.RUNNING}; it is {status}"
    if status.ended and event_type not in _AFTER_THE_END:
        return f"{event_type} came after the job's end; it is {status}"
    return None
