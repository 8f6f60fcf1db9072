"""Where jobs are kept: DynamoDB, every write one conditional transaction."""
