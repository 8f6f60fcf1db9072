"""Reports records of the standard library's `logging` as log lines of a job."""

import logging
import traceback
from collections.abc import Callable, Mapping
from typing import Protocol

from jobtrack_client._jobs.never_raise import guarded
from jobtrack_client.types import LogLevel

_OWN = "jobtrack_client"


class Log(Protocol):
    """Queues a log line."""

    def __call__(
        self,
        level: LogLevel,
        message: str,
        *,
        component: str | None = None,
        details: Mapping[str, object] | None = None,
        moment: float | None = None,
    ) -> None:
        """Queue a log line with the time `moment` (seconds since 1970)."""


def level_name(level: int) -> LogLevel:
    """Return the contract's level for a level of `logging`."""
    if level < logging.INFO:
        return "DEBUG"
    if level < logging.WARNING:
        return "INFO"
    return "WARN" if level < logging.ERROR else "ERROR"


def tap(handler: logging.Handler) -> Callable[[], None]:
    """Also pass all log records to a handler. Return a function that undoes this.

    The handler is not added to the root logger. `basicConfig` would not configure a root logger that has a handler,
    `dictConfig` would remove the handler, and a program without configuration would no longer print warnings.
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
    """Reports log records. The component is the logger's name; details are the traceback and `extra={"details": …}`.

    Records of the client itself and of the sending thread are left out, because their reports would cause more. Records
    of the HTTP library about the client's requests never reach a handler: see `_api/http_logging.py`.
    """

    def __init__(self, log: Log, sending_thread: Callable[[], int | None], level: int = logging.NOTSET) -> None:
        super().__init__(level)
        self._log = log
        self._sending_thread = sending_thread

    def emit(self, record: logging.LogRecord) -> None:
        """Queue a record."""
        if record.name.partition(".")[0] == _OWN or record.thread == self._sending_thread():
            return
        try:
            message, details = record.getMessage(), _details(record)
        except Exception:  # the arguments of the record do not fit its text
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
