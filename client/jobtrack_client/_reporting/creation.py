"""The state of a job's creation."""

import threading
from collections.abc import Callable

from jobtrack_client._exceptions import JobTrackError, Unreachable


class Creation:
    """Creates the job with `send`, which gets the seconds until the deadline, and holds the result."""

    def __init__(self, send: Callable[[float | None], None], *, exists: bool = False) -> None:
        self.send = send
        self.exists = exists
        """Whether the service has the job. A refused token is then treated as an outage."""
        self.tried = threading.Event()
        """Set after the first attempt to create the job and to report its start."""
        self.settled = threading.Event()
        """Set when there are no more attempts."""
        self.refusal: JobTrackError | None = None
        """Why the service refused the job."""
        self.failure: JobTrackError | None = None
        """Why the last attempt failed, if a retry follows."""

    def demand(self) -> None:
        """Check that the job was created.

        Raises:
            JobTrackError: the service refused the job, or has not created it yet.
        """
        if self.refusal is not None:
            raise self.refusal
        if not self.settled.is_set():
            raise self.failure or Unreachable("the service did not respond in time to create the job")
