"""Which lines the functions log: those of LOG_LEVEL and above, and at every level those that alarms count.

Lambda's own filter (LoggingConfig.ApplicationLogLevel) stays open in template.yaml, since it would drop counted lines.
"""

import logging
import os
from collections.abc import Mapping

counted = logging.getLogger("jobtrack.counted")
"""Logs lines that are no errors, but that a metric filter of template.yaml counts."""


def level(env: Mapping[str, str] = os.environ) -> str:
    """The least severe level that is logged."""
    return env.get("LOG_LEVEL", "INFO")


def set_levels(env: Mapping[str, str] = os.environ) -> None:
    """Set the levels in Lambda; elsewhere logging is set up by whoever runs the code."""
    if "AWS_LAMBDA_FUNCTION_NAME" in env:
        logging.getLogger().setLevel(level(env))
        counted.setLevel(logging.INFO)
