"""Log levels of the functions: LOG_LEVEL and above, and always the lines that alarms count.

Lambda's own filter (LoggingConfig.ApplicationLogLevel) stays open in template.yaml, because it would drop the counted
lines.
"""

import logging
import os
from collections.abc import Mapping

counted = logging.getLogger("jobtrack.counted")
"""The logger for lines that a metric filter of template.yaml counts, although they are not errors."""


def level(env: Mapping[str, str] = os.environ) -> str:
    """Return the lowest level that is logged."""
    return env.get("LOG_LEVEL", "INFO")


def set_levels(env: Mapping[str, str] = os.environ) -> None:
    """Set the levels in Lambda. Elsewhere the program that runs the code configures logging."""
    if "AWS_LAMBDA_FUNCTION_NAME" in env:
        logging.getLogger().setLevel(level(env))
        counted.setLevel(logging.INFO)
