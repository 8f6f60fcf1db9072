"""Models of the CloudFormation and SAM resources in template.yaml that the local service uses."""

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationInfo, field_validator
from pydantic.alias_generators import to_pascal

from jobtrack_local.template.filter_patterns import Pattern
from jobtrack_local.template.intrinsics import Names

if TYPE_CHECKING:
    from types_boto3_sqs.literals import QueueAttributeNameType


class Model(BaseModel):
    """A part of the template. Properties that the local service does not use are ignored."""

    model_config = ConfigDict(alias_generator=to_pascal, extra="ignore", frozen=True, defer_build=True)


class RouteAuth(Model):
    """The authorization of a route: none (`NONE`), or a token with one of the scopes."""

    authorizer: str | None = None
    authorization_scopes: tuple[str, ...] = ()

    @field_validator("authorization_scopes", mode="before")
    @classmethod
    def _resolved(cls, scopes: list[object], info: ValidationInfo) -> list[str]:
        """Resolve the scopes with the stack's parameters, which are the context of the validation."""
        names = info.context if isinstance(info.context, Names) else Names()
        return [names.resolve(scope) for scope in scopes]


class RouteProperties(Model):
    """The method and path of a route."""

    method: str
    path: str
    auth: RouteAuth = RouteAuth()


class Route(Model):
    """A route of the HTTP API."""

    type: Literal["HttpApi"]
    properties: RouteProperties


class Filter(Model):
    """An event filter pattern, as JSON."""

    pattern: str


class FilterCriteria(Model):
    """Patterns; a record must match one of them."""

    filters: tuple[Filter, ...] = ()

    @property
    def patterns(self) -> list[Pattern]:
        """The patterns, parsed."""
        return [Pattern(each.pattern) for each in self.filters]


class OnFailure(Model):
    """The queue that receives the position of discarded records."""

    destination: object


class DestinationConfig(Model):
    """The destinations of invocation records."""

    on_failure: OnFailure | None = None


class StreamProperties(Model):
    """The event source mapping of a table's stream, with Lambda's defaults."""

    stream: object
    filter_criteria: FilterCriteria = FilterCriteria()
    batch_size: int = 100
    bisect_batch_on_function_error: bool = False
    maximum_retry_attempts: int = -1
    maximum_record_age_in_seconds: int = -1
    function_response_types: tuple[str, ...] = ()
    destination_config: DestinationConfig = DestinationConfig()


class StreamTrigger(Model):
    """A table's stream that triggers a function."""

    type: Literal["DynamoDB"]
    properties: StreamProperties


class Scaling(Model):
    """The number of batches that a function handles at once."""

    maximum_concurrency: int = 10


class QueueProperties(Model):
    """The event source mapping of a queue, with Lambda's defaults."""

    queue: object
    batch_size: int = 10
    scaling_config: Scaling = Scaling()
    function_response_types: tuple[str, ...] = ()


class QueueTrigger(Model):
    """A queue that triggers a function."""

    type: Literal["SQS"]
    properties: QueueProperties


class ScheduleProperties(Model):
    """The schedule of a function."""

    schedule_expression: str


class ScheduleTrigger(Model):
    """A schedule that calls a function."""

    type: Literal["ScheduleV2"]
    properties: ScheduleProperties


class OtherTrigger(Model):
    """A trigger that the local service does not support."""

    type: str


_KNOWN = ("HttpApi", "DynamoDB", "SQS", "ScheduleV2")


def _kind(value: object) -> str:
    kind = value.get("Type") if isinstance(value, dict) else getattr(value, "type", None)
    return str(kind) if kind in _KNOWN else "other"


Trigger = Annotated[
    Annotated[Route, Tag("HttpApi")]
    | Annotated[StreamTrigger, Tag("DynamoDB")]
    | Annotated[QueueTrigger, Tag("SQS")]
    | Annotated[ScheduleTrigger, Tag("ScheduleV2")]
    | Annotated[OtherTrigger, Tag("other")],
    Discriminator(_kind),
]


class Environment(Model):
    """Environment variables with their unresolved values."""

    variables: dict[str, object] = {}


class FunctionProperties(Model):
    """A function's code, settings and triggers."""

    code_uri: str
    memory_size: int = 128
    timeout: int = 3
    recursive_loop: str = "Terminate"
    environment: Environment = Environment()
    events: dict[str, Trigger] = {}


class StreamSpecification(Model):
    """The settings of a table's stream."""

    stream_view_type: str


class TimeToLive(Model):
    """The attribute with the epoch second at which an item expires."""

    attribute_name: str
    enabled: bool


class TableProperties(Model):
    """A table's settings; backups exist only on AWS."""

    attribute_definitions: list[dict[str, str]]
    key_schema: list[dict[str, str]]
    global_secondary_indexes: list[dict[str, object]] = []
    stream_specification: StreamSpecification | None = None
    time_to_live_specification: TimeToLive | None = None

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of CreateTable, except the name."""
        wanted = self.model_dump(by_alias=True, exclude_defaults=True, exclude={"time_to_live_specification"})
        if self.stream_specification:
            wanted["StreamSpecification"]["StreamEnabled"] = True
        return wanted


class RedrivePolicy(Model):
    """The dead-letter queue of a queue."""

    model_config = ConfigDict(alias_generator=None)

    dead_letter_target_arn: object = Field(alias="deadLetterTargetArn")
    max_receive_count: int = Field(alias="maxReceiveCount")

    def resolved(self, names: Names) -> str:
        """Return the policy as JSON for SQS."""
        arn = names.resolve(self.dead_letter_target_arn)
        return json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": self.max_receive_count})


class QueueSettings(Model):
    """A queue's settings; times are in seconds."""

    visibility_timeout: int = 30
    message_retention_period: int = 345600
    redrive_policy: RedrivePolicy | None = None

    def attributes(self, names: Names) -> "dict[QueueAttributeNameType, str]":
        """Return the attributes for CreateQueue."""
        wanted: dict[QueueAttributeNameType, str] = {
            "VisibilityTimeout": str(self.visibility_timeout),
            "MessageRetentionPeriod": str(self.message_retention_period),
        }
        if self.redrive_policy:
            wanted["RedrivePolicy"] = self.redrive_policy.resolved(names)
        return wanted


class KeySettings(Model):
    """A KMS key that encrypts secrets."""

    description: str = ""


class Resource(Model):
    """Any resource."""

    type: str
    properties: dict[str, object] = {}


class Parameter(Model):
    """A parameter of the stack."""

    default: str | int | None = None


class Globals(Model):
    """The properties that all functions share."""

    function: dict[str, object] = {}


class Document(Model):
    """The whole template."""

    parameters: dict[str, Parameter] = {}
    globals: Globals = Globals()
    resources: dict[str, Resource]
