"""A worker's counts, and a service and an inbox that agree with them."""

import copy
from collections import Counter

from local.demo.answers import LineAnswer, LogsAnswer, ProgressAnswer, StageAnswer
from local.demo.audit import Answers, Counts
from local.demo.receiver import Inbox, Pushed

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


def stage(
    name: str = "Data Loading", status: str = "Completed", progress: int = 100, records: int = 192850
) -> StageAnswer:
    """A stage as the contract's example has it."""
    return {
        "stageName": name,
        "status": status,
        "progress": progress,
        "recordsProcessed": records,
        "totalRecords": 192850,
        "duration": "2 minutes 15 seconds",
        "metrics": {"throughput": "1427 records/second", "dataValidated": True, "errorsFound": 0},
    }


def progress(status: str = "Completed", percentage: int = 100, *stages: StageAnswer) -> ProgressAnswer:
    """A job's progress as the contract's example has it."""
    return {
        "jobId": "cc0e8400-e29b-41d4-a716-446655440000",
        "jobName": "Customer Journey Analysis",
        "status": status,
        "lastSequence": 12,
        "overallProgress": {
            "percentage": percentage,
            "elapsedTime": "15 minutes 33 seconds",
            "estimatedRemaining": "2 minutes 27 seconds",
        },
        "stages": list(stages) or [stage()],
        "resourceUsage": {"memoryUsage": "2.3 GB", "cpuUsage": 67, "processingRate": "1250 records/second"},
        "qualityMetrics": {
            "dataQualityScore": 94.8,
            "validationsPassed": 15,
            "validationsFailed": 1,
            "warningsGenerated": 2,
            "errorsEncountered": 1,
        },
    }


def line(sequence: int, level: str = "INFO", message: str = "Processing batch 1 of 15") -> LineAnswer:
    """A log line as the contract's example has it."""
    return {
        "timestamp": "2024-01-20T10:32:45Z",
        "level": level,
        "component": "ProcessMiner",
        "stage": "Data Processing",
        "message": message,
        "sequence": sequence,
    }


def logs(*lines: LineAnswer, cursor: str | None = None) -> LogsAnswer:
    """A page of log lines of the job that COUNTS tells of."""
    summary = {"totalEntries": 4, "debugEntries": 1, "infoEntries": 1, "warnEntries": 1, "errorEntries": 1}
    return {"logsSummary": summary, "logs": list(lines), "nextCursor": cursor}


def right() -> tuple[Counts, Answers, Inbox]:
    """Everything as it should be, free to be changed."""
    inbox = Inbox()
    for sequence, kind in enumerate(PUSHED, start=1):
        inbox.messages[f"msg_{sequence}"] = Pushed(kind, sequence)
        inbox.arrivals[f"msg_{sequence}"] = 1
    levels = Counter({"DEBUG": 1, "INFO": 1, "WARN": 1, "ERROR": 1})
    return copy.deepcopy(COUNTS), Answers(progress(), logs(), levels, Counter([4, 5, 6, 7])), inbox
