"""What each type of event tells: one model per shape of `data`; importing pydantic, so for HTTP functions only."""

from typing import Self

from pydantic import ConfigDict, Field, model_validator

from jobtrack.api.schemas.fields import (
    Amount,
    Count,
    Description,
    Details,
    Message,
    Model,
    Name,
    Percent,
    Positive,
    StageMetrics,
)
from jobtrack.domain.journal.journal import LogLevel


class Error(Model):
    """Why something failed; more members are kept as they came."""

    message: Message


class Allocation(Model):
    """What a worker gave the job."""

    cpu_units: Positive | None = None
    memory_gb: Positive | None = Field(None, alias="memoryGB")
    worker_node: Name | None = None


class JobStartedData(Model):
    """The job left the queue."""

    resources_allocated: Allocation | None = None
    estimated_seconds: Amount | None = None


class StageData(Model):
    """A stage changed its status."""

    stage_name: Name
    records_processed: Count | None = None
    total_records: Count | None = None
    metrics: StageMetrics | None = None
    error: Error | None = None


class ProgressData(Model):
    """How far a stage, or the whole job, has come."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": ["progress"], "properties": {"progress": {"type": "number"}}},
                {"required": ["recordsProcessed"], "properties": {"recordsProcessed": {"type": "integer"}}},
            ]
        }
    )

    stage_name: Name | None = None
    progress: Percent | None = None
    records_processed: Count | None = None
    total_records: Count | None = None
    component: Name | None = None
    operation: Name | None = None
    details: Details | Description | None = None
    metrics: StageMetrics | None = None

    @model_validator(mode="after")
    def _measured(self) -> Self:
        if self.progress is None and self.records_processed is None:
            raise ValueError("needs progress or recordsProcessed")
        return self


class LogData(Model):
    """One log line."""

    level: LogLevel
    message: Message
    component: Name | None = None
    stage: Name | None = None
    details: Details | None = None


class SampleData(Model):
    """A reading of the job's use of resources; bytes and retries are totals so far."""

    cpu_usage: Amount | None = None
    memory_bytes: Count | None = None
    disk_read_bytes: Count | None = None
    disk_write_bytes: Count | None = None
    disk_used_bytes: Count | None = None
    iops: Amount | None = None
    disk_latency_ms: Amount | None = None
    network_in_bytes: Count | None = None
    network_out_bytes: Count | None = None
    connections: Count | None = None
    records_per_second: Amount | None = None
    retries: Count | None = None


class QualityData(Model):
    """What the job's own validation found."""

    data_quality_score: Percent | None = None
    validations_passed: Count | None = None
    validations_failed: Count | None = None


class NoteData(Model):
    """Something worth telling."""

    description: Description
    details: Details | None = None


class ResourceData(Model):
    """A resource that the job got or gave back."""

    resource_type: Name
    resource_id: Name
    resource_name: Name | None = None
    status: Name | None = None


class ConditionData(Model):
    """What holds the job up, or no longer does."""

    condition: Description
    resolution: Description | None = None


class FailedData(Model):
    """The job failed."""

    error: Error
    metrics: StageMetrics | None = None


class EndedData(Model):
    """The job ended."""

    metrics: StageMetrics | None = None


class Nothing(Model):
    """No data."""
