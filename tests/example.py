"""The specification's example job: the reports of its worker that give the values of the examples.

Where the examples contradict each other, the contract decides, and a table in a test has our value. All times are of
the example's day.
"""

import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

Json = dict[str, Any]

JOB_ID = "cc0e8400-e29b-41d4-a716-446655440000"
TENANT_ID = "7d1c3b5e-2f4a-4c8e-9b6d-0a1f2e3d4c5b"
PROJECT_ID = "1f0e8400-e29b-41d4-a716-446655440000"
NOW = "2024-01-20T10:45:33Z"
RECORDS = 192_850
OPERATIONS = {"timeline": "リソース利用率分析", "progress": "Calculating resource utilization metrics"}
"""The two names that the examples use for the operation of the last progress."""

_MEGABYTE, _GIGABYTE = 1024**2, 1024**3
_STAGES = [
    ("Data Loading", "データローディング", 135, 20),
    ("Process Discovery", "プロセスディスカバリー", 555, 48),
    ("Performance Analysis", "パフォーマンス分析", 390, 22),
    ("Report Generation", "レポート生成", 288, 10),
]
_LINES = {"DEBUG": 89, "INFO": 145, "WARN": 11, "ERROR": 2}


def body(name: str) -> Json:
    """Return one of the specification's bodies: `body("timeline")`."""
    path = Path(__file__).parents[1] / "docs" / "examples" / f"{name}.response.json"
    found: Json = json.loads(path.read_text())
    return found


def at(clock: str) -> str:
    """Return a time of the example's day: `10:32:15`."""
    return f"2024-01-20T{clock}Z"


def event(clock: str, kind: str, /, **data: Any) -> Json:
    """Return an event."""
    return {"type": kind, "time": at(clock), "data": data}


def creation(**more: Any) -> Json:
    """Return the request that creates the job at 10:28:00."""
    stages = [
        {"stageName": name, "labels": {"ja": ja, "en": name}, "expectedSeconds": seconds, "weight": weight}
        for name, ja, seconds, weight in _STAGES
    ]
    return {
        "jobId": JOB_ID,
        "jobName": "Customer Journey Analysis",
        "jobType": "ProcessMining",
        "priority": "High",
        "submittedBy": "user123",
        "totalRecords": RECORDS,
        "stages": stages,
        "resources": [
            {
                "resourceType": "Dataset",
                "resourceId": "880e8400-e29b-41d4-a716-446655440000",
                "resourceName": "Customer Journey Data",
                "status": "Available",
                "lastModified": at("10:25:00"),
            }
        ],
        "blockingConditions": [{"condition": "Memory allocation below 2GB", "status": "Active"}],
        **more,
    }


def batches(operation: str = OPERATIONS["timeline"]) -> Iterator[tuple[str, list[Json]]]:
    """Yield the batches that were reported until 10:45:33, one per time, with the time."""
    reports = [*_events(operation), *_samples(), *_logs()]
    reports.sort(key=lambda each: (each["time"], _ORDER.get(each["type"], 1)))
    for time, group in groupby(reports, key=lambda each: str(each["time"])):
        yield time, list(group)


_ORDER = {"jobStarted": 0, "metricSample": 1, "stageCompleted": 2, "stageStarted": 3, "progressUpdate": 4, "quality": 5}


def past_jobs() -> Iterator[tuple[Json, list[Json]]]:
    """Yield twenty completed jobs of the type: mean 18.5 minutes and 1180 records per second, P25-P75 20-25 minutes."""
    seconds = [112.5] * 4 + [1200] * 6 + [1350] * 3 + [1500] * 7
    for index, took in enumerate(seconds):
        minutes, rest = divmod(took, 60)
        end = f"0{index % 9}:{minutes:02.0f}:{rest:06.3f}"
        yield (
            {"jobName": "Customer Journey Analysis", "jobType": "ProcessMining"},
            [
                event(f"0{index % 9}:00:00", "jobStarted"),
                event(f"0{index % 9}:01:00", "metricSample", recordsPerSecond=1180),
                event(end, "jobCompleted"),
            ],
        )


def _events(operation: str) -> list[Json]:
    loading, discovery, analysis, _ = (name for name, *_ in _STAGES)
    return [
        event(
            "10:30:00", "jobStarted", resourcesAllocated={"cpuUnits": 2, "memoryGB": 4, "workerNode": "worker-node-02"}
        ),
        event(
            "10:30:00", "unblocked", condition="Memory allocation below 2GB", resolution="Additional memory allocated"
        ),
        event(
            "10:30:00", "stageStarted", stageName=loading, metrics={"datasetSize": "45.7 MB", "recordCount": RECORDS}
        ),
        event(
            "10:32:15",
            "stageCompleted",
            stageName=loading,
            recordsProcessed=RECORDS,
            metrics={"recordsLoaded": RECORDS, "dataQualityScore": 98.2, "errorsFound": 0, "dataValidated": True},
        ),
        event("10:32:15", "stageStarted", stageName=discovery, metrics={"algorithm": "Alpha Miner Enhanced"}),
        event(
            "10:35:30",
            "milestone",
            description="プロセスモデル発見",
            details={"activitiesFound": 47, "uniqueActivities": 47, "processComplexity": "Medium"},
        ),
        event(
            "10:38:22",
            "warning",
            description="データ品質問題検出",
            details={
                "issue": "タイムスタンプの欠損",
                "affectedRecords": 125,
                "resolution": "タイムスタンプを推定",
                "impact": "Minimal",
            },
        ),
        event(
            "10:41:10",
            "error",
            description="メモリ制限に接近",
            details={
                "memoryUsage": "3.8 GB",
                "memoryLimit": "4.0 GB",
                "action": "ディスクベース処理に切り替え",
                "performanceImpact": "15% 遅延処理",
            },
        ),
        event(
            "10:41:30",
            "stageCompleted",
            stageName=discovery,
            recordsProcessed=RECORDS,
            metrics={
                "processVariants": 234,
                "pathsDiscovered": 156,
                "activitiesDiscovered": 47,
                "variantsFound": 234,
                "pathsIdentified": 156,
            },
        ),
        event(
            "10:41:30",
            "stageStarted",
            stageName=analysis,
            metrics={"analysisTypes": ["Bottleneck", "Resource Utilization", "Cycle Time"]},
        ),
        event("10:45:00", "quality", dataQualityScore=94.8, validationsPassed=15, validationsFailed=1),
        event(
            "10:45:33",
            "progressUpdate",
            stageName=analysis,
            progress=78,
            recordsProcessed=150_243,
            totalRecords=RECORDS,
            component="PerformanceAnalyzer",
            operation=operation,
            details="Processing activity transitions for efficiency analysis",
            metrics={"bottlenecksIdentified": 8, "waitTimeCalculated": 150_243, "cycleTimeCalculated": 150_243},
        ),
    ]


def _samples() -> list[Json]:
    """Return samples whose means are the history's buckets."""
    read = [
        ("10:30:00", 15, 0.8, 0),
        ("10:31:00", 85, 1.9, 1449),
        ("10:32:00", 85, 1.9, 1405),
        ("10:36:00", 72, 3.8, 1156),
        ("10:37:00", 72, 3.0, 1156),
        ("10:38:00", 72, 3.0, 1156),
        ("10:39:00", 72, 3.0, 1156),
        ("10:42:00", 67, 2.3, 1250),
        ("10:43:00", 67, 2.3, 1250),
        ("10:44:00", 67, 2.3, 1250),
    ]
    samples = [
        event(clock, "metricSample", cpuUsage=cpu, memoryBytes=round(gigabytes * _GIGABYTE), recordsPerSecond=rate)
        for clock, cpu, gigabytes, rate in read
    ]
    last = event(
        "10:45:00",
        "metricSample",
        cpuUsage=67,
        memoryBytes=round(2.3 * _GIGABYTE),
        recordsPerSecond=1250,
        diskReadBytes=450 * _MEGABYTE,
        diskWriteBytes=89 * _MEGABYTE,
        diskUsedBytes=890 * _MEGABYTE,
        iops=145,
        diskLatencyMs=12,
        networkInBytes=67 * _MEGABYTE,
        networkOutBytes=12 * _MEGABYTE,
        connections=8,
        retries=2254,
    )
    return [*samples, last]


def _logs() -> list[Json]:
    """Return the example's five lines, and further lines up to the counts of its summary."""
    shown = body("logs")["logs"]
    lines = [{"type": "log", "time": line["timestamp"], "data": _without_time(line)} for line in shown]
    for level, count in _LINES.items():
        missing = count - sum(line["level"] == level for line in shown)
        for index in range(missing):
            minute, second = divmod(900 * index // max(1, missing - 1), 60)
            lines.append(event(f"10:{30 + minute}:{second:02}", "log", level=level, message=f"{level} line {index}"))
    return lines


def _without_time(line: Mapping[str, Any]) -> Json:
    return {name: value for name, value in line.items() if name != "timestamp"}


def differences(expected: Any, found: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the differences from an example: pointers and our values (`...` if missing); extra members are fine."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for name, value in expected.items():
            yield from differences(value, found.get(name, ...), f"{pointer}/{name}")
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for index, (value, other) in enumerate(zip(expected, found, strict=True)):
            yield from differences(value, other, f"{pointer}/{index}")
    elif expected != found or isinstance(expected, bool) is not isinstance(found, bool):
        yield pointer, found
