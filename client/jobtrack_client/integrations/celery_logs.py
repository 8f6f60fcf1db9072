"""Reports what a Celery task logs and prints."""

import copy
import logging

from jobtrack_client._jobs.context import current_job
from jobtrack_client._jobs.never_raise import guarded

_OF_TASKS = ("celery.task", "celery.redirected")
"""Loggers of Celery with output of tasks. Its other loggers write arguments and results."""


@guarded
class TaskLogHandler(logging.Handler):
    """Reports the log records of a running task to its job."""

    def emit(self, record: logging.LogRecord) -> None:
        """Report a record. Celery logs what a task prints as a warning, but here it is INFO."""
        own = record.name.partition(".")[0] != "celery" or record.name in _OF_TASKS
        if own and (job := current_job()):
            if record.name == "celery.redirected":
                record = copy.copy(record)
                record.levelno, record.name = logging.INFO, "print"
            job.logging_handler().handle(record)
