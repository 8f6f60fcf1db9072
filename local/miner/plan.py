"""What the job is: its names and its stages, in both languages."""

from local.miner.source import Source

JOB_TYPE = "processMining"
LOADING = "Data Loading"
VALIDATION = "Data Validation"
DISCOVERY = "Process Discovery"
PERFORMANCE = "Performance Analysis"
REPORT = "Report Generation"
LABELS = {
    LOADING: "データ読み込み",
    VALIDATION: "データ検証",
    DISCOVERY: "プロセス発見",
    PERFORMANCE: "パフォーマンス分析",
    REPORT: "レポート生成",
}


def job_name(source: Source) -> str:
    """What the job is called: after its event log."""
    return f"Process mining of {source.path.name}"[:200]


def stages() -> list[dict[str, object]]:
    """The plan, as `POST /jobs` takes it."""
    return [{"stageName": name, "labels": {"ja": japanese, "en": name}} for name, japanese in LABELS.items()]
