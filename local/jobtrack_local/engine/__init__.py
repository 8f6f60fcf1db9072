"""The engines: processes that emulate DynamoDB, SQS and KMS on one machine."""
