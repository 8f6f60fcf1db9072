"""The engines that stand for DynamoDB, SQS and KMS on one machine."""
