"""DynamoDB, SQS and KMS over one SQLite file, in the service's own process, without a port."""
