"""The plan of the job: its names and its stages, in both languages."""

from jobtrack_client.types import PlannedStage
from jobtrack_demo.miner.source import Source

JOB_TYPE = "processMining"
LOADING = "Data Loading"
VALIDATION = "Data Validation"
DISCOVERY = "Process Discovery"
PERFORMANCE = "Performance Analysis"
REPORT = "Report Generation"
STAGES = {
    LOADING: ("データ読み込み", 75),
    VALIDATION: ("データ検証", 3),
    DISCOVERY: ("プロセス発見", 4),
    PERFORMANCE: ("パフォーマンス分析", 14),
    REPORT: ("レポート生成", 4),
}
"""Japanese name of each stage, and its measured share of a run with the default log, in percent."""


def job_name(source: Source) -> str:
    """Return the job's name, which contains that of its event log."""
    return f"Process mining of {source.path.name}"[:200]


def stages() -> list[PlannedStage]:
    """Return the job's plan."""
    return [
        {"stage_name": name, "labels": {"ja": japanese, "en": name}, "weight": weight}
        for name, (japanese, weight) in STAGES.items()
    ]
