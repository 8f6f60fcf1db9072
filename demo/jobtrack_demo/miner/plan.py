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
    LOADING: ("データ読み込み", 40),
    VALIDATION: ("データ検証", 12),
    DISCOVERY: ("プロセス発見", 16),
    PERFORMANCE: ("パフォーマンス分析", 22),
    REPORT: ("レポート生成", 10),
}
"""Japanese name of each stage, and its share of a run at a pace, in percent. Without one, loading takes most of it."""


def job_name(source: Source) -> str:
    """Return the job's name, which contains that of its event log."""
    return f"Process mining of {source.path.name}"[:200]


def share_done(stage: str, part: float) -> float:
    """Return the share of the whole job (0 to 1) that is done when this part of the stage (0 to 1) is done."""
    weights = {name: weight for name, (_, weight) in STAGES.items()}
    before = list(STAGES).index(stage)
    return (sum(list(weights.values())[:before]) + weights[stage] * part) / sum(weights.values())


def stages() -> list[PlannedStage]:
    """Return the job's plan."""
    return [
        {"stage_name": name, "labels": {"ja": japanese, "en": name}, "weight": weight}
        for name, (japanese, weight) in STAGES.items()
    ]
