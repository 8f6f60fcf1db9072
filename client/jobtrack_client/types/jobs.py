"""Types that describe jobs, their stages and their subscriptions."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal, Required, TypeAlias, TypedDict, get_args

from jobtrack_client._values import fields, kinds
from jobtrack_client._values.members import Wire, record
from jobtrack_client.models import (
    ConditionStatus,
    EventName,
    Language,
    Priority,
    SubscriptionType,
)

Interval: TypeAlias = Literal["1m", "5m", "15m"]
"""The time that one value of a metric's history covers."""
PageDirection: TypeAlias = Literal["backward", "forward"]
"""Whether the next page of a log is older or newer."""
Time: TypeAlias = str | datetime
"""RFC 3339 with an offset, or a datetime that has one."""

_WEEK_SECONDS = 7 * 24 * 3600
_STAGES = 200
_RELATIONS = 100

_exact = kinds.exact(fields.TEXT)
_event_names = kinds.listed("events", kinds.choice(*get_args(EventName)), _RELATIONS)


class StageLabels(TypedDict, total=False):
    """The names of a stage on the live page, by language."""

    ja: fields.OptionalName
    en: fields.OptionalName


class PlannedStage(TypedDict, total=False):
    """A stage of a job's plan. `weight` is its share of the job's progress; `expected_seconds` is the estimate."""

    stage_name: Required[fields.Name]
    labels: Annotated[StageLabels | None, record(StageLabels)]
    expected_seconds: fields.Amount
    weight: fields.Amount


class Prerequisite(TypedDict, total=False):
    """A job of the same project that must complete first. `dependency` says why."""

    job_id: Required[fields.JobId]
    dependency: fields.OptionalDescription


class ResourceData(TypedDict, total=False):
    """A resource that a job gets or gives back."""

    resource_type: Required[fields.Name]
    resource_id: Required[fields.Name]
    resource_name: fields.OptionalName
    status: fields.OptionalName


class Resource(ResourceData, total=False):
    """A resource that a job depends on."""

    last_modified: Annotated[Time | None, kinds.moment]


class BlockingCondition(TypedDict, total=False):
    """A condition that blocks a job, unless its status is "Resolved"."""

    condition: Required[fields.Description]
    status: Annotated[ConditionStatus | None, kinds.choice(*get_args(ConditionStatus))]


class Filters(TypedDict, total=False):
    """Filters for the subscribed events.

    `min_progress_increment` is in percentage points, 0 to 100.
    """

    min_progress_increment: Annotated[int | None, kinds.whole(0, 100, clamp=True)]
    include_debug_events: Annotated[bool | None, kinds.boolean]
    notify_on_errors: Annotated[bool | None, kinds.boolean]


class Authentication(TypedDict):
    """The bearer token that the service sends to a webhook."""

    type: Annotated[Literal["bearer"], kinds.choice("bearer")]
    token: Annotated[str, _exact]


class Subscription(TypedDict, total=False):
    """A subscription to a job's events. A webhook needs a `webhook_url`. It lasts for at most a week."""

    subscription_type: Required[Annotated[SubscriptionType, kinds.choice(*get_args(SubscriptionType))]]
    webhook_url: Annotated[str | None, _exact]
    events: Annotated[Sequence[EventName] | None, _event_names]
    filters: Annotated[Filters | None, record(Filters)]
    authentication: Annotated[Authentication | None, record(Authentication)]
    language: Annotated[Language | None, kinds.choice(*get_args(Language))]
    expires_in_seconds: Annotated[int | None, kinds.whole(1, _WEEK_SECONDS, clamp=True)]
    since_sequence: fields.Count


class JobDescription(TypedDict, total=False):
    """The description of a job, without its name, type and id."""

    description: Annotated[str | None, fields.description, Wire("jobDescription")]
    priority: Annotated[Priority | None, kinds.choice(*get_args(Priority))]
    submitted_by: fields.OptionalName
    stages: Annotated[
        Sequence[str | PlannedStage] | None,
        kinds.listed("stages", record(PlannedStage, alone="stage_name"), _STAGES, unique="stageName"),
    ]
    total_records: fields.Count
    prerequisites: Annotated[
        Sequence[Prerequisite] | None,
        kinds.listed("prerequisites", record(Prerequisite), _RELATIONS, unique="jobId"),
    ]
    resources: Annotated[Sequence[Resource] | None, kinds.listed("resources", record(Resource), _RELATIONS)]
    blocking_conditions: Annotated[
        Sequence[BlockingCondition] | None,
        kinds.listed("blocking_conditions", record(BlockingCondition, status="Active"), _RELATIONS),
    ]
    subscriptions: Annotated[
        Sequence[Subscription] | None, kinds.listed("subscriptions", record(Subscription), _RELATIONS)
    ]
    metadata: Annotated[Mapping[str, object] | None, kinds.mapping(8 * 1024)]


class Allocation(TypedDict, total=False):
    """The resources that a worker gives a job."""

    cpu_units: fields.Positive
    memory_gb: Annotated[fields.Positive, Wire("memoryGB")]
    worker_node: fields.OptionalName
