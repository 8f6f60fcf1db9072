"""`POST …/jobs`."""

from typing import Literal

from typing_extensions import TypedDict

from jobtrack.views.responses.fields import Id, Position, Time
from jobtrack.views.responses.subscriptions import NewSubscription


class Links(TypedDict):
    """Paths of the job's resources."""

    self: str
    progress: str
    logs: str
    timeline: str
    metrics: str
    dependencies: str
    events: str


class NewJob(TypedDict):
    """A job that was created."""

    jobId: Id
    jobName: str
    status: Literal["Queued"]
    queuePosition: Position
    """Position in the project's queue, from 1"""
    createdAt: Time
    subscriptions: list[NewSubscription]
    """The subscriptions created with the job, in the order of the request"""
    links: Links
