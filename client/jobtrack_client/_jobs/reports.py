"""Events of a job other than its status, its stages and its log."""

from collections.abc import Mapping
from typing import Unpack

from jobtrack_client._jobs.never_raise import guarded
from jobtrack_client._jobs.progress import Report
from jobtrack_client._values.members import table, within_limits
from jobtrack_client.types import QualityData, Sample

_SAMPLE = table(Sample)
_QUALITY = table(QualityData)


@guarded
class Reports:
    """Reports one event for each call. Public methods, also of subclasses, never raise."""

    def __init_subclass__(cls) -> None:
        guarded(cls)

    def __init__(self, report: Report) -> None:
        self._report = report

    def skip_stage(self, name: str) -> None:
        """Report that a planned stage is not needed."""
        self._report("stageSkipped", {"stage_name": name})

    def milestone(self, description: str, **details: object) -> None:
        """Report that the job has reached a milestone."""
        self._note("milestone", description, details)

    def warning(self, description: str, **details: object) -> None:
        """Report a warning."""
        self._note("warning", description, details)

    def error(self, description: str, **details: object) -> None:
        """Report an error that does not end the job."""
        self._note("error", description, details)

    def sample(self, **measures: Unpack[Sample]) -> None:
        """Report resource use: `cpu_usage` in percent, `memory_bytes`, and the other members of `events.Sample`.

        Raises:
            TypeError: there is no measure of this name.
        """
        if known := within_limits(measures, _SAMPLE):
            self._report("metricSample", known)

    def quality(
        self,
        data_quality_score: float | None = None,
        validations_passed: int | None = None,
        validations_failed: int | None = None,
    ) -> None:
        """Report the result of the job's own validation. The score is 0 to 100."""
        counts = {"validations_passed": validations_passed, "validations_failed": validations_failed}
        if known := within_limits({"data_quality_score": data_quality_score, **counts}, _QUALITY):
            self._report("quality", known)

    def heartbeat(self) -> None:
        """Report that the worker is alive."""
        self._report("heartbeat", {})

    def resource_allocated(
        self, resource_type: str, resource_id: str, *, resource_name: str | None = None, status: str | None = None
    ) -> None:
        """Report that the job got a resource."""
        self._resource("resourceAllocated", resource_type, resource_id, resource_name, status)

    def resource_released(
        self, resource_type: str, resource_id: str, *, resource_name: str | None = None, status: str | None = None
    ) -> None:
        """Report that the job gave a resource back."""
        self._resource("resourceReleased", resource_type, resource_id, resource_name, status)

    def blocked(self, condition: str) -> None:
        """Report that a condition blocks the job."""
        self._report("blocked", {"condition": condition})

    def unblocked(self, condition: str, resolution: str | None = None) -> None:
        """Report that the condition no longer blocks the job."""
        self._report("unblocked", {"condition": condition, "resolution": resolution})

    def _resource(self, type_: str, resource_type: str, resource_id: str, name: str | None, status: str | None) -> None:
        identity = {"resource_type": resource_type, "resource_id": resource_id}
        self._report(type_, {**identity, "resource_name": name, "status": status})

    def _note(self, type_: str, description: str, details: Mapping[str, object]) -> None:
        self._report(type_, {"description": description, "details": details or None})
