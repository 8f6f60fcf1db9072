"""The standard library's logging as log events of a job."""

import logging
import traceback
from collections.abc import Callable, Mapping
from typing import Protocol

from jobtrack_client._jobs.guard import guarded
from jobtrack_client.types import LogLevel

_OWN = "jobtrack_client"


class Log(Protocol):
    """Queues a log event."""

    def __call__(
        self,
        level: LogLevel,
        message: str,
        *,
        component: str | None = None,
        details: Mapping[str, object] | None = None,
        moment: float | None = None,
    ) -> None:
        """Queue a log event of `moment` (seconds since 1970)."""


def level_name(level: int) -> LogLevel:
    """The contract's level for one of `logging`."""
    if level < logging.INFO:
        return "DEBUG"
    if level < logging.WARNING:
        return "INFO"
    return "WARN" if level < logging.ERROR else "ERROR"


def tap(handler: logging.Handler) -> Callable[[], None]:
    """Hand every record that is logged to the handler too; answers what undoes it.

    It is not added to the root logger: one that has a handler is not configured by `basicConfig`, is emptied by
    `dictConfig`, and would no longer print warnings where nobody has configured anything.
    """
    original = logging.Logger.callHandlers

    def call_handlers(self: logging.Logger, record: logging.LogRecord) -> None:
        if record.levelno >= handler.level:
            handler.handle(record)
        original(self, record)

    logging.Logger.callHandlers = call_handlers  # type: ignore[method-assign]

    def undo() -> None:
        logging.Logger.callHandlers = original  # type: ignore[method-assign]

    return undo


@guarded
class JobLogHandler(logging.Handler):
    """Reports log records: the logger's name as component, an exception's text and `extra={"details": …}` as details.

    What the client itself logs, and all that the sending thread logs, is left out: each report would make another.
    (What its HTTP library logs of its requests reaches no handler: see `_quiet`.)
    """

    def __init__(self, log: Log, sending_thread: Callable[[], int | None], level: int = logging.NOTSET) -> None:
        super().__init__(level)
        self._log = log
        self._sending_thread = sending_thread

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the record."""
        if record.name.partition(".")[0] == _OWN or record.thread == self._sending_thread():
            return
        try:
            message, details = record.getMessage(), _details(record)
        except Exception:  # as logging does for a record whose arguments do not fit its text
            self.handleError(record)
            return
        self._log(level_name(record.levelno), message, component=record.name, details=details, moment=record.created)


def _details(record: logging.LogRecord) -> dict[str, object] | None:
    given = record.__dict__.get("details")
    details: dict[str, object] = dict(given) if isinstance(given, Mapping) else {}
    if record.exc_info and record.exc_info[0] is not None:
        details["exception"] = "".join(traceback.format_exception(*record.exc_info)).rstrip()
    if record.stack_info:
        details["stack"] = record.stack_info
    return details or None
