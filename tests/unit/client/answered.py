"""Responses of the service about a job, as in the contract's example."""

from typing import Any, cast

from jobtrack_client import models


def stage(
    name: str = "Data Loading", status: str = "Completed", progress: int = 100, records: int = 192850
) -> models.Stage:
    told: dict[str, Any] = {
        "stageName": name,
        "stageOrder": 1,
        "status": status,
        "progress": progress,
        "startTime": "2024-01-20T10:30:00Z",
        "endTime": None,
        "duration": "2 minutes 15 seconds",
        "durationSeconds": 135,
        "estimatedStartTime": None,
        "estimatedEndTime": None,
        "recordsProcessed": records,
        "totalRecords": 192850,
        "metrics": {"throughput": "1427 records/second", "dataValidated": True, "errorsFound": 0},
        "error": None,
    }
    return cast(models.Stage, told)


def progress(status: str = "Completed", percentage: int = 100, *stages: models.Stage) -> models.Progress:
    told: dict[str, Any] = {
        "jobId": "cc0e8400-e29b-41d4-a716-446655440000",
        "jobName": "Customer Journey Analysis",
        "status": status,
        "stalled": False,
        "overallProgress": {
            "percentage": percentage,
            "startTime": "2024-01-20T10:30:00Z",
            "endTime": None,
            "elapsedTime": "15 minutes 33 seconds",
            "elapsedSeconds": 933,
            "estimatedRemaining": "2 minutes 27 seconds",
            "remainingSeconds": 147,
            "estimatedCompletion": "2024-01-20T10:48:00Z",
        },
        "stages": list(stages) or [stage()],
        "currentActivity": {"component": None, "operation": None, "details": None},
        "resourceUsage": {
            "memoryUsage": "2.3 GB",
            "memoryUsageBytes": 2469606195,
            "memoryLimit": None,
            "memoryLimitBytes": None,
            "cpuUsage": 67,
            "diskUsage": None,
            "diskUsageBytes": None,
            "networkIO": None,
            "networkIOBytes": None,
            "processingRate": "1250 records/second",
            "recordsPerSecond": 1250,
        },
        "qualityMetrics": {
            "dataQualityScore": 94.8,
            "validationsPassed": 15,
            "validationsFailed": 1,
            "warningsGenerated": 2,
            "errorsEncountered": 1,
        },
        "lastUpdated": "2024-01-20T10:45:33Z",
        "lastSequence": 12,
    }
    return cast(models.Progress, told)


def line(sequence: int, level: str = "INFO", message: str = "Processing batch 1 of 15") -> models.LogEntry:
    told: dict[str, Any] = {
        "timestamp": "2024-01-20T10:32:45Z",
        "level": level,
        "component": "ProcessMiner",
        "stage": "Data Processing",
        "message": message,
        "details": None,
        "sequence": sequence,
    }
    return cast(models.LogEntry, told)
