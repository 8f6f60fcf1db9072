"""Query strings of the reads about a whole project."""

from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from jobtrack import limits, times
from jobtrack.api.schemas.fields import Guid, Moment, Name, guid
from jobtrack.api.schemas.job_queries import Flag, Query
from jobtrack.domain.job import JobStatus
from jobtrack.store.job_lists import Wanted


def _listed(values: list[str]) -> list[str]:
    """The members of comma lists, one or several; each once, in their order."""
    return list(dict.fromkeys(part.strip() for value in values for part in value.split(",")))


def _ids(values: list[str]) -> list[str]:
    found = []
    for each in _listed(values):
        try:
            found.append(guid(each))
        except ValueError:
            raise ValueError(f"must be GUIDs separated by commas; {each[:50]!r} is none") from None
    found = list(dict.fromkeys(found))
    if len(found) > limits.BATCH_JOBS:
        raise ValueError(f"must be at most {limits.BATCH_JOBS} jobs, are {len(found)}")
    return found


def _statuses(values: list[str]) -> list[str]:
    wanted = _listed(values)
    if unknown := [each for each in wanted if each not in list(JobStatus)]:
        raise ValueError(f"must be of {', '.join(JobStatus)}, separated by commas; {unknown[0][:50]!r} is none")
    return [status for status in JobStatus if status in wanted]


Statuses = Annotated[list[JobStatus], BeforeValidator(_statuses), Field(min_length=1)]
Limit = Annotated[int, Field(ge=1, le=limits.LISTED_JOBS)]


class ProjectQuery(Query):
    """What every paged list takes."""

    limit: Limit = limits.LISTED_JOBS_DEFAULT
    cursor: str | None = None


class JobsQuery(ProjectQuery):
    """What `GET …/jobs` takes; `from` and `to` are about a job's creation."""

    status: Statuses = Field(default=list(JobStatus))
    job_type: Name | None = None
    submitted_by: Name | None = None
    from_: Annotated[Moment, Field(alias="from")] = times.EARLIEST
    to: Moment = times.LATEST

    @field_validator("to")
    @classmethod
    def _not_before(cls, value: int, info: ValidationInfo) -> int:
        if value < info.data.get("from_", value):
            raise ValueError("must not be before from")
        return value

    @property
    def wanted(self) -> Wanted:
        """The jobs that are asked for."""
        return Wanted(self.status, self.job_type, self.submitted_by, max(0, self.from_), min(self.to, times.LATEST))


class BatchQuery(ProjectQuery):
    """What `GET …/tracking/batch` takes."""

    job_ids: Annotated[list[Guid], BeforeValidator(_ids), Field(min_length=1)] | None = None
    status: Statuses = Field(default=list(JobStatus))
    submitted_by: Name | None = None
    include_metrics: Flag = False
    refresh_interval: Annotated[int, Field(ge=1, le=limits.REFRESH_SECONDS)] | None = None

    @field_validator("job_ids")
    @classmethod
    def _name_the_jobs_themselves(cls, value: list[str] | None, info: ValidationInfo) -> list[str] | None:
        if value is not None and info.data.get("cursor") is not None:
            raise ValueError("must not come with a cursor, which goes on with a list of the project's jobs")
        return value

    @property
    def wanted(self) -> Wanted:
        """The jobs that are asked for, by what filters say."""
        return Wanted(self.status, submitted_by=self.submitted_by)
