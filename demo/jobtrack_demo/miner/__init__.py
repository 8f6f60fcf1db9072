"""The sample worker: a process mining job that reports through jobtrack_client."""
