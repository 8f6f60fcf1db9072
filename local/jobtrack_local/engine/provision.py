"""Creates the tables, queues and keys of template.yaml on an engine, and returns their names there."""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from jobtrack import aws
from jobtrack_local import tokens
from jobtrack_local.engine.table_differences import require_same_table
from jobtrack_local.errors import LocalError
from jobtrack_local.template.cloudformation import QueueSettings, TableProperties
from jobtrack_local.template.intrinsics import Names
from jobtrack_local.template.template import Template

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TimeToLiveSpecificationTypeDef
    from types_boto3_kms import KMSClient
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.literals import QueueAttributeNameType

PREFIX = "jobtrack-"
REGION = "us-east-1"
PARAMETERS = {"JwtIssuer": tokens.ISSUER, "JwtAudience": tokens.AUDIENCE, "LogLevel": "WARNING"}
"""The parameters that a deployment would be given, with less logging."""
_NO_REDRIVE: "Mapping[QueueAttributeNameType, str]" = {"RedrivePolicy": ""}


def provision(template: Template) -> Names:
    """Create the resources that do not exist yet, and update the settings of queues.

    Raises:
        LocalError: the engine refused a request, or a table differs from the template.
    """
    try:
        return _provision(template)
    except (BotoCoreError, ClientError) as error:
        raise LocalError(f"cannot create the tables, queues and keys: {error}") from error


def _provision(template: Template) -> Names:
    dynamodb, sqs, kms = aws.client("dynamodb"), aws.client("sqs"), aws.client("kms")
    refs = {"AWS::Region": REGION, "AWS::Partition": "aws", **template.defaults, **PARAMETERS}
    attributes: dict[tuple[str, str], str] = {}
    for name, table in template.tables.items():
        refs[name] = PREFIX + name
        attributes |= {(name, key): value for key, value in _table(dynamodb, refs[name], table).items()}
    for name in _dead_letters_first(template.queues):
        refs[name], attributes[name, "Arn"] = _queue(sqs, PREFIX + name, template.queues[name], attributes)
    for name, key in template.keys.items():
        refs[name], attributes[name, "Arn"] = _key(kms, f"alias/{PREFIX}{name}", key.description)
    return Names(refs, attributes)


def _table(dynamodb: "DynamoDBClient", name: str, table: TableProperties) -> dict[str, str]:
    """Return the table's `Arn`, and `StreamArn` if it has a stream."""
    try:
        found = dynamodb.describe_table(TableName=name)["Table"]
    except dynamodb.exceptions.ResourceNotFoundException:
        dynamodb.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **table.arguments())
        dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 20})
        found = dynamodb.describe_table(TableName=name)["Table"]
    require_same_table(name, found, table)
    _enable_time_to_live(dynamodb, name, table)
    arns = {"Arn": found["TableArn"]}
    return arns | {"StreamArn": found["LatestStreamArn"]} if "LatestStreamArn" in found else arns


def _enable_time_to_live(dynamodb: "DynamoDBClient", name: str, table: TableProperties) -> None:
    wanted = table.time_to_live_specification
    status = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]["TimeToLiveStatus"]
    if wanted and wanted.enabled and status == "DISABLED":
        specification: TimeToLiveSpecificationTypeDef = {"Enabled": True, "AttributeName": wanted.attribute_name}
        dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=specification)


def _dead_letters_first(queues: Mapping[str, QueueSettings]) -> list[str]:
    return sorted(queues, key=lambda name: queues[name].redrive_policy is not None)


def _queue(
    sqs: "SQSClient", name: str, settings: QueueSettings, attributes: Mapping[tuple[str, str], str]
) -> tuple[str, str]:
    """Return the queue's URL, with the engine's current port, and its ARN."""
    wanted = settings.attributes(Names({}, attributes))
    try:
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    except sqs.exceptions.QueueDoesNotExist:
        url = sqs.create_queue(QueueName=name, Attributes=wanted)["QueueUrl"]
    url = urlsplit(url)._replace(netloc=urlsplit(sqs.meta.endpoint_url).netloc).geturl()
    _update_settings(sqs, url, {**_NO_REDRIVE, **wanted})
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def _update_settings(sqs: "SQSClient", url: str, wanted: "Mapping[QueueAttributeNameType, str]") -> None:
    """Change the settings that differ: another version of the template may have created the queue."""
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(wanted)).get("Attributes", {})
    changed = {name: value for name, value in wanted.items() if found.get(name, "") != value}
    if changed:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=changed)


def _key(kms: "KMSClient", alias: str, description: str) -> tuple[str, str]:
    """Return the id and the ARN of the key with this alias."""
    try:
        found = kms.describe_key(KeyId=alias)["KeyMetadata"]
    except kms.exceptions.NotFoundException:
        found = kms.create_key(Description=description)["KeyMetadata"]
        kms.create_alias(AliasName=alias, TargetKeyId=found["KeyId"])
    return found["KeyId"], found["Arn"]
