"""What may be reported of a job beside its status, its stages and its log."""

from collections.abc import Mapping

from jobtrack_client._jobs.progress import Report
from jobtrack_client._runtime.guard import guarded
from jobtrack_client._values.kinds import require, shaped
from jobtrack_client._values.members import QUALITY, SAMPLE


@guarded
class Reports:
    """One event a call, which never raises; nor do the public methods of what inherits from this."""

    def __init_subclass__(cls) -> None:
        guarded(cls)

    def __init__(self, report: Report) -> None:
        self._report = report

    def skip_stage(self, name: str) -> None:
        """A stage of the plan is not needed."""
        self._report("stageSkipped", {"stageName": name})

    def milestone(self, description: str, **details: object) -> None:
        """Something was reached."""
        self._note("milestone", description, details)

    def warning(self, description: str, **details: object) -> None:
        """Something is not as it should be."""
        self._note("warning", description, details)

    def error(self, description: str, **details: object) -> None:
        """Something went wrong that does not end the job."""
        self._note("error", description, details)

    def sample(self, **measures: float | None) -> None:
        """Resource use, by the names of `metricSample`: cpuUsage (%), memoryBytes, …; bytes are totals so far.

        Raises:
            TypeError: a name is none of them.
        """
        if known := shaped(measures, SAMPLE):
            self._report("metricSample", known)

    def quality(
        self,
        dataQualityScore: float | None = None,
        validationsPassed: int | None = None,
        validationsFailed: int | None = None,
    ) -> None:
        """What the job's own validation found; the score is 0 to 100."""
        counts = {"validationsPassed": validationsPassed, "validationsFailed": validationsFailed}
        if known := shaped({"dataQualityScore": dataQualityScore, **counts}, QUALITY):
            self._report("quality", known)

    def heartbeat(self) -> None:
        """The worker lives."""
        self._report("heartbeat", {})

    def resource_allocated(self, **resource: object) -> None:
        """The job got a resource: resourceType, resourceId, resourceName, status.

        Raises:
            TypeError: its type or id is not given.
        """
        require(resource, "resourceType", "resourceId")
        self._report("resourceAllocated", resource)

    def resource_released(self, **resource: object) -> None:
        """The job gave a resource back.

        Raises:
            TypeError: its type or id is not given.
        """
        require(resource, "resourceType", "resourceId")
        self._report("resourceReleased", resource)

    def blocked(self, condition: str) -> None:
        """The job waits for something."""
        self._report("blocked", {"condition": condition})

    def unblocked(self, condition: str, resolution: str | None = None) -> None:
        """The job no longer waits for it."""
        self._report("unblocked", {"condition": condition, "resolution": resolution})

    def _note(self, type_: str, description: str, details: Mapping[str, object]) -> None:
        self._report(type_, {"description": description, "details": details or None})
