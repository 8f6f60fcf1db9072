"""What a job's status allows to be reported, and where it leads."""

from jobtrack.domain.job import Status
from jobtrack.errors import Fault, InvalidTransition

MOVES = {
    "jobStarted": (Status.RUNNING, {Status.QUEUED}),
    "jobCompleted": (Status.COMPLETED, {Status.RUNNING}),
    "jobFailed": (Status.FAILED, {Status.QUEUED, Status.RUNNING}),
    "jobCancelled": (Status.CANCELLED, {Status.QUEUED, Status.RUNNING}),
}
"""Of each event that moves a job: where to, and where from."""

_NEEDS_RUNNING = frozenset({"stageStarted", "stageCompleted", "stageFailed", "stageSkipped", "progressUpdate"})
_AFTER_THE_END = frozenset({"log", "metricSample", "quality"})


def require(status: Status, event_type: str, index: int) -> None:
    """Refuse what the status does not allow; `index` is the event's place in its batch.

    Raises:
        InvalidTransition: both states are named.
    """
    if refusal := _refusal(status, event_type):
        raise InvalidTransition(f"{refusal}.", [Fault(f"/events/{index}", refusal)])


def _refusal(status: Status, event_type: str) -> str | None:
    if event_type in MOVES:
        target, sources = MOVES[event_type]
        return None if status in sources else f"{event_type} would move the job from {status} to {target}"
    if event_type in _NEEDS_RUNNING and status is not Status.RUNNING:
        return f"{event_type} needs a job that is {Status.RUNNING}; it is {status}"
    if status.ended and event_type not in _AFTER_THE_END:
        return f"{event_type} came after the job's end; it is {status}"
    return None
