"""The stack of the other tests in this folder matches the template."""

import os

import boto3
import pytest


@pytest.mark.usefixtures("stack")
def test_tables_queue_and_key_are_where_the_environment_says() -> None:
    dynamodb = boto3.client("dynamodb")
    for variable in ("JOBS_TABLE", "SUBSCRIPTIONS_TABLE", "DELIVERIES_TABLE"):
        table = dynamodb.describe_table(TableName=os.environ[variable])["Table"]
        assert {key["AttributeName"] for key in table["KeySchema"]} == {"pk", "sk"}
    jobs = dynamodb.describe_table(TableName=os.environ["JOBS_TABLE"])["Table"]
    assert jobs["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    assert [index["IndexName"] for index in jobs["GlobalSecondaryIndexes"]] == ["by_status"]
    for variable in ("DELIVERY_QUEUE_URL", "SLOW_DELIVERY_QUEUE_URL"):
        boto3.client("sqs").send_message(QueueUrl=os.environ[variable], MessageBody="x")
    sealed = boto3.client("kms").encrypt(KeyId=os.environ["SECRETS_KEY_ID"], Plaintext=b"x")
    assert boto3.client("kms").decrypt(CiphertextBlob=sealed["CiphertextBlob"])["Plaintext"] == b"x"
