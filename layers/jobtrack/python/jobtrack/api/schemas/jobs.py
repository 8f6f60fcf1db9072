"""The request bodies of `POST …/jobs` and `PUT …/worker/{workerNode}`."""

from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, model_validator

from jobtrack import limits
from jobtrack.api.schemas.fields import Amount, Count, Description, Guid, Metadata, Model, Moment, Name, Positive
from jobtrack.api.schemas.subscriptions import JobSubscriptions
from jobtrack.domain.dependencies import ConditionStatus
from jobtrack.domain.job import Job, Json, Priority, Stage
from jobtrack.store.workers import Heartbeat
from jobtrack.times import Micros


class Labels(Model):
    """A stage's name in each language."""

    ja: Name | None = None
    en: Name | None = None


class PlannedStage(Model):
    """A stage of the plan."""

    stage_name: Name
    labels: Labels | None = None
    expected_seconds: Amount | None = None
    weight: Amount | None = None

    def stage(self) -> Stage:
        """The stage, pending."""
        labels = self.labels.model_dump(exclude_none=True) if self.labels else None
        return Stage(self.stage_name, labels or None, self.expected_seconds, self.weight)


class Prerequisite(Model):
    """A job of the project that has to complete first, and why."""

    job_id: Guid
    dependency: Description | None = None


class Resource(Model):
    """A resource that the job needs."""

    resource_type: Name
    resource_id: Name
    resource_name: Name | None = None
    status: Name | None = None
    last_modified: Moment | None = None


class BlockingCondition(Model):
    """A condition that blocks the job."""

    condition: Description
    status: ConditionStatus


class WorkerHeartbeat(Model):
    """A worker's heartbeat. A worker that is about to stop sends `maxConcurrentJobs` 0."""

    cpu_units: Positive
    memory_gb: Annotated[Positive, Field(alias="memoryGB")]
    max_concurrent_jobs: Annotated[int, Field(ge=0, le=limits.ALLOCATED)]
    cpu_usage: Amount | None = None
    memory_bytes: Count | None = None

    def heartbeat(self) -> Heartbeat:
        """Return the heartbeat as it is stored."""
        return Heartbeat(**self.model_dump())


def _with_nulls(schema: Json) -> None:
    """Describe in the OpenAPI document that `null` means the same as a missing member."""
    for name, member in schema["properties"].items():
        if name not in schema["required"] and {"type": "null"} not in member.get("anyOf", []):
            schema["properties"][name] = {"anyOf": [member, {"type": "null"}]}


class JobRequest(Model):
    """The request body of `POST …/jobs`."""

    model_config = ConfigDict(json_schema_extra=_with_nulls)

    job_id: Guid | None = None
    job_name: Name
    job_type: Name
    job_description: Description | None = None
    priority: Priority = "Normal"
    submitted_by: Name | None = None
    stages: Annotated[list[PlannedStage], Field(max_length=limits.STAGES)] = Field(default_factory=list)
    total_records: Count | None = None
    prerequisites: Annotated[list[Prerequisite], Field(max_length=limits.RELATIONS)] = Field(default_factory=list)
    resources: Annotated[list[Resource], Field(max_length=limits.RELATIONS)] = Field(default_factory=list)
    blocking_conditions: Annotated[list[BlockingCondition], Field(max_length=limits.RELATIONS)] = Field(
        default_factory=list
    )
    subscriptions: JobSubscriptions = Field(default_factory=list)
    heartbeat_seconds: Annotated[int, Field(ge=10, le=86_400)] | None = None
    metadata: Metadata | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: Any) -> Any:
        """Drop members that are `null`: many clients send them instead of leaving them out."""
        if not isinstance(value, dict):
            return value
        return {name: member for name, member in value.items() if member is not None}

    @model_validator(mode="after")
    def _stages_differ(self) -> Self:
        names = [stage.stage_name for stage in self.stages]
        if len(set(names)) < len(names):
            raise ValueError("stages must have different names")
        return self

    @model_validator(mode="after")
    def _waits_for_others(self) -> Self:
        job_ids = [prerequisite.job_id for prerequisite in self.prerequisites]
        if len(set(job_ids)) < len(job_ids) or self.job_id in job_ids:
            raise ValueError("prerequisites must be different jobs, and not the job itself")
        return self

    def job(self, job_id: str, submitter: str, now: Micros) -> Job:
        """Return the job, queued at `now`; `submitter` is used if the request has no `submittedBy`."""
        return Job(
            job_id,
            self.job_name,
            self.job_type,
            now,
            description=self.job_description,
            priority=self.priority,
            submitted_by=self.submitted_by or submitter,
            total_records=self.total_records,
            heartbeat_seconds=self.heartbeat_seconds,
            metadata=self.metadata,
            updated_at=now,
            stages=[stage.stage() for stage in self.stages],
        )

    def relations(self) -> Json:
        """Return the prerequisites, resources and blocking conditions as they are stored; empty lists are left out."""
        relations: dict[str, Any] = {
            "prerequisites": [[prerequisite.job_id, prerequisite.dependency] for prerequisite in self.prerequisites],
            "resources": [resource.model_dump(exclude_none=True, by_alias=True) for resource in self.resources],
            "conditions": [condition.model_dump(by_alias=True) for condition in self.blocking_conditions],
        }
        return {name: value for name, value in relations.items() if value}
