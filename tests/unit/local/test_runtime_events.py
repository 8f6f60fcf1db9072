"""Records of the engine as a function receives them."""

from jobtrack_local.runtime.events import stream_record


def test_a_record_of_an_expired_item_names_dynamodb_in_lambdas_spelling() -> None:
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
    record = stream_record({"userIdentity": {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}}, "arn")
    assert record["userIdentity"] == {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
