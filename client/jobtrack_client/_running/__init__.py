"""Runs a command as a tracked job."""

from jobtrack_client._running.command import Ending, run

__all__ = ["Ending", "run"]
