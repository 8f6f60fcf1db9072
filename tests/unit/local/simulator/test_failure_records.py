"""The pointers to records that were given up."""

import json

from aws_lambda_powertools.utilities.parser.models import DynamoDBStreamLambdaOnFailureDestinationModel

from jobtrack import times
from jobtrack_local.pollers.failure_records import failure_record
from jobtrack_local.pollers.shard_batches import Discarded
from jobtrack_local.runtime.events import Record

ARN = "arn:aws:dynamodb:us-east-1:000000000000:table/T/stream/2026-11-23T00:00:00.000"
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:F"


NOW = times.parse("2026-11-23T11:45:33Z")


def record(number: str, moment: float) -> Record:
    image = {"secret": {"S": "what it held"}}
    return {"dynamodb": {"SequenceNumber": number, "ApproximateCreationDateTime": moment, "NewImage": image}}


def test_it_tells_where_the_records_lay_and_not_what_they_held() -> None:
    lost = Discarded([record("5", 1795430733.9), record("7", 1795430740)], "RecordAgeExceeded", 3)
    text = failure_record(lost, "shardId-1", ARN, FUNCTION, NOW, lambda: "r-1")
    assert "what it held" not in text
    document = json.loads(text)
    assert document["requestContext"] == {
        "requestId": "r-1",
        "functionArn": FUNCTION,
        "condition": "RecordAgeExceeded",
        "approximateInvokeCount": 3,
    }
    assert document["timestamp"] == "2026-11-23T11:45:33Z"
    assert document["DDBStreamBatchInfo"] == {
        "shardId": "shardId-1",
        "startSequenceNumber": "5",
        "endSequenceNumber": "7",
        "approximateArrivalOfFirstRecord": "2026-11-23T10:45:33Z",
        "approximateArrivalOfLastRecord": "2026-11-23T10:45:40Z",
        "batchSize": 2,
        "streamArn": ARN,
    }


def test_a_public_model_of_aws_document_reads_it() -> None:
    text = failure_record(Discarded([record("5", 1795430733)], "RetryAttemptsExhausted", 9), "s", ARN, FUNCTION, NOW)
    read = DynamoDBStreamLambdaOnFailureDestinationModel.model_validate_json(text)
    assert read.ddb_stream_batch_info.start_sequence_number == "5"
    assert read.request_context.condition == "RetryAttemptsExhausted"
