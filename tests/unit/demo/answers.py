"""A worker's counts, and a service and an inbox that agree with them."""

import copy
from collections import Counter
from typing import Any, cast

from jobtrack_client import models
from jobtrack_demo.audit import Answers, Counts
from jobtrack_demo.receiver import Inbox, Pushed
from tests.unit.client.answered import progress

COUNTS: Counts = {
    "error": None,
    "reported": {"jobStarted": 1, "stageStarted": 1, "log": 4, "warning": 1, "metricSample": 3, "jobCompleted": 1},
    "acknowledged": {"jobStarted": 1, "stageStarted": 1, "log": 4, "warning": 1, "metricSample": 3, "jobCompleted": 1},
    "dropped": {},
    "logs": {"DEBUG": 1, "INFO": 1, "WARN": 1, "ERROR": 1},
    "stages": {"Data Loading": 192850},
    "stageMetrics": {"Data Loading": {"dataValidated": True, "errorsFound": 0}},
    "quality": {"dataQualityScore": 94.8, "validationsPassed": 15, "validationsFailed": 1},
}
PUSHED = ("jobQueued", "jobStarted", "stageStarted", "log", "log", "warning", "error", "warning", "jobCompleted")


def logs(*lines: models.LogEntry, cursor: str | None = None) -> models.Logs:
    """A page of log lines of the job with these COUNTS."""
    summary: dict[str, Any] = {
        "totalEntries": 4,
        "debugEntries": 1,
        "infoEntries": 1,
        "warnEntries": 1,
        "errorEntries": 1,
    }
    return cast(models.Logs, {"logsSummary": summary, "logs": list(lines), "nextCursor": cursor})


def right() -> tuple[Counts, Answers, Inbox]:
    """Return consistent counts, which a test may change."""
    inbox = Inbox()
    for sequence, kind in enumerate(PUSHED, start=1):
        inbox.messages[f"msg_{sequence}"] = Pushed(kind, sequence)
        inbox.arrivals[f"msg_{sequence}"] = 1
    levels = Counter({"DEBUG": 1, "INFO": 1, "WARN": 1, "ERROR": 1})
    return copy.deepcopy(COUNTS), Answers(progress(), logs(), levels, Counter([4, 5, 6, 7])), inbox
