"""Forked and spawned processes, which hand their events to the job's own process."""
