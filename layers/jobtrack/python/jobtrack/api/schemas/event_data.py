"""The `data` of reported events, one model per shape."""

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
from jobtrack.domain.journal.records import LogLevel


class Error(Model):
    """Why something failed. Other members are stored as they are."""

    message: Message


class Allocation(Model):
    """The resources that a worker allocated to the job."""

    cpu_units: Positive | None = None
    memory_gb: Positive | None = Field(None, alias="memoryGB")
    worker_node: Name | None = None


class JobStartedData(Model):
    """The job started."""

    resources_allocated: Allocation | None = None
    estimated_seconds: Amount | None = None


class StageData(Model):
    """The status of a stage changed."""

    stage_name: Name
    records_processed: Count | None = None
    total_records: Count | None = None
    metrics: StageMetrics | None = None
    error: Error | None = None


class ProgressData(Model):
    """The progress of a stage or of the whole job."""

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
    """A sample of the job's resource usage. Bytes and retries are totals so far."""

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
    """Results of the job's own validation."""

    data_quality_score: Percent | None = None
    validations_passed: Count | None = None
    validations_failed: Count | None = None


class NoteData(Model):
    """A milestone, a warning or an error."""

    description: Description
    details: Details | None = None


class ResourceData(Model):
    """A resource that was allocated or released."""

    resource_type: Name
    resource_id: Name
    resource_name: Name | None = None
    status: Name | None = None


class ConditionData(Model):
    """A condition that blocks the job, or that was resolved."""

    condition: Description
    resolution: Description | None = None


class FailedData(Model):
    """The job failed."""

    error: Error
    metrics: StageMetrics | None = None


class EndedData(Model):
    """The job ended."""

    metrics: StageMetrics | None = None


class EmptyData(Model):
    """No data."""
