"""The sample worker: a process-mining job that reports itself through jobtrack_client."""
