"""The engines that take the place of DynamoDB, SQS and KMS on one machine."""
