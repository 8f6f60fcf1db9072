"""The query strings of the reads about a whole project."""

from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from jobtrack import limits, times
from jobtrack.api.schemas.fields import Guid, Moment, Name, guid
from jobtrack.api.schemas.job_queries import Flag, Query
from jobtrack.domain.job import JobStatus
from jobtrack.store.job_lists import JobFilter


def _split(values: list[str]) -> list[str]:
    """Return the members of one or several comma-separated lists in order, without duplicates."""
    return list(dict.fromkeys(part.strip() for value in values for part in value.split(",")))


def _ids(values: list[str]) -> list[str]:
    job_ids = []
    for text in _split(values):
        try:
            job_ids.append(guid(text))
        except ValueError:
            raise ValueError(f"must be GUIDs separated by commas, not {text[:50]!r}") from None
    job_ids = list(dict.fromkeys(job_ids))
    if len(job_ids) > limits.BATCH_JOBS:
        raise ValueError(f"must name at most {limits.BATCH_JOBS} jobs, names {len(job_ids)}")
    return job_ids


def _statuses(values: list[str]) -> list[str]:
    statuses = _split(values)
    if unknown := [status for status in statuses if status not in list(JobStatus)]:
        raise ValueError(f"must be a comma-separated list of {', '.join(JobStatus)}, not {unknown[0][:50]!r}")
    return [status for status in JobStatus if status in statuses]


Statuses = Annotated[list[JobStatus], BeforeValidator(_statuses), Field(min_length=1)]
Limit = Annotated[int, Field(ge=1, le=limits.LISTED_JOBS)]


class ProjectQuery(Query):
    """The parameters of every paged list."""

    limit: Limit = limits.LISTED_JOBS_DEFAULT
    cursor: str | None = None


class JobsQuery(ProjectQuery):
    """The query string of `GET …/jobs`; `from` and `to` select by the time of creation."""

    status: Statuses = Field(default=list(JobStatus))
    job_type: Name | None = None
    submitted_by: Name | None = None
    from_: Annotated[Moment, Field(alias="from")] = times.EARLIEST
    to: Moment = times.LATEST

    @field_validator("to")
    @classmethod
    def _not_before(cls, value: int, info: ValidationInfo) -> int:
        if value < info.data.get("from_", value):
            raise ValueError("must not be earlier than `from`")
        return value

    @property
    def job_filter(self) -> JobFilter:
        """The filter for jobs."""
        return JobFilter(self.status, self.job_type, self.submitted_by, max(0, self.from_), min(self.to, times.LATEST))


class BatchQuery(ProjectQuery):
    """The query string of `GET …/tracking/batch`."""

    job_ids: Annotated[list[Guid], BeforeValidator(_ids), Field(min_length=1)] | None = None
    status: Statuses = Field(default=list(JobStatus))
    submitted_by: Name | None = None
    include_metrics: Flag = False
    refresh_interval: Annotated[int, Field(ge=1, le=limits.REFRESH_SECONDS)] | None = None

    @field_validator("job_ids")
    @classmethod
    def _name_the_jobs_themselves(cls, value: list[str] | None, info: ValidationInfo) -> list[str] | None:
        if value is not None and info.data.get("cursor") is not None:
            raise ValueError("cannot be combined with a cursor, which continues a list of the project's jobs")
        return value

    @property
    def job_filter(self) -> JobFilter:
        """The filter for jobs."""
        return JobFilter(self.status, submitted_by=self.submitted_by)
