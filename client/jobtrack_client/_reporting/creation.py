"""What became of a job's creation."""

import threading
from collections.abc import Callable

from jobtrack_client._exceptions import JobTrackError, Unreachable


class Creation:
    """How to create the job (within so many seconds, if the end is near), and what became of it."""

    def __init__(self, send: Callable[[float | None], None], *, exists: bool = False) -> None:
        self.send = send
        self.exists = exists
        """Whether the service has the job, so that a refused token is taken for an outage."""
        self.tried = threading.Event()
        """The first try to create the job and to report its start is over, whatever came of it."""
        self.settled = threading.Event()
        """No more tries follow."""
        self.refusal: JobTrackError | None = None
        """Why the service will not have the job."""
        self.failure: JobTrackError | None = None
        """Why the last try failed, if others follow."""

    def demand(self) -> None:
        """Raise why the job is not created.

        Raises:
            JobTrackError: the service refused it, or could not create it yet.
        """
        if self.refusal is not None:
            raise self.refusal
        if not self.settled.is_set():
            raise self.failure or Unreachable("the service did not answer while the job was to be created")
