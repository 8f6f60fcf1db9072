"""The stack of the other tests in this folder matches the template."""

import os

import pytest

from tests.functions.conftest import DYNAMODB, KMS, SQS


@pytest.mark.usefixtures("stack")
def test_tables_queue_and_key_are_where_the_environment_says() -> None:
    for variable in ("JOBS_TABLE", "SUBSCRIPTIONS_TABLE", "DELIVERIES_TABLE"):
        table = DYNAMODB.describe_table(TableName=os.environ[variable])["Table"]
        assert {key["AttributeName"] for key in table["KeySchema"]} == {"pk", "sk"}
    jobs = DYNAMODB.describe_table(TableName=os.environ["JOBS_TABLE"])["Table"]
    assert jobs["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    assert [index["IndexName"] for index in jobs["GlobalSecondaryIndexes"]] == ["by_status"]
    for variable in ("DELIVERY_QUEUE_URL", "SLOW_DELIVERY_QUEUE_URL"):
        SQS.send_message(QueueUrl=os.environ[variable], MessageBody="x")
    sealed = KMS.encrypt(KeyId=os.environ["SECRETS_KEY_ID"], Plaintext=b"x")
    assert KMS.decrypt(CiphertextBlob=sealed["CiphertextBlob"])["Plaintext"] == b"x"
