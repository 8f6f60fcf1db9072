"""What a Celery task logs and prints, as lines of its job."""

import copy
import logging

from jobtrack_client._jobs.context import current_job
from jobtrack_client._jobs.guard import guarded

_OF_TASKS = ("celery.task", "celery.redirected")
"""Celery's own loggers that say what a task says; the others know its arguments and its result."""


@guarded
class TaskLogHandler(logging.Handler):
    """Reports what is logged while a task runs to its job."""

    def emit(self, record: logging.LogRecord) -> None:
        """Report the record; what a task prints is no warning, though Celery makes it one."""
        own = record.name.partition(".")[0] != "celery" or record.name in _OF_TASKS
        if own and (job := current_job()):
            if record.name == "celery.redirected":
                record = copy.copy(record)
                record.levelno, record.name = logging.INFO, "print"
            job.logging_handler().handle(record)
