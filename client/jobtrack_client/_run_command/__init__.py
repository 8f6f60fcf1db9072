"""Runs a command as a tracked job."""

from jobtrack_client._run_command.command import Ending, run

__all__ = ["Ending", "run"]
