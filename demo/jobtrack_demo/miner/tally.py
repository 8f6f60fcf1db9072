"""The worker's own counts, independent of the service."""

import json
import logging
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from jobtrack_client import Job

LEVELS = {logging.DEBUG: "DEBUG", logging.INFO: "INFO", logging.WARNING: "WARN", logging.ERROR: "ERROR"}


class LevelCounter(logging.Handler):
    """Counts log lines by level."""

    def __init__(self) -> None:
        super().__init__()
        self.levels: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Count one line."""
        self.levels[LEVELS[record.levelno]] += 1


@dataclass
class Tally:
    """Counts of one run."""

    processed: Counter[str] = field(default_factory=Counter)
    """Records by stage."""
    metrics: dict[str, dict[str, object]] = field(default_factory=dict)
    """The results that each stage reported at its end."""
    quality: dict[str, float | int] = field(default_factory=dict)
    logs: LevelCounter = field(default_factory=LevelCounter)
    error: str | None = None

    @property
    def records(self) -> int:
        """The number of finished records of all stages."""
        return self.processed.total()

    def write(self, path: Path, job: Job) -> None:
        """Save the counts as JSON, with those of the reporter."""
        stats = job.stats
        counts = {
            "jobId": job.job_id,
            "error": self.error,
            "reported": dict(stats.reported),
            "acknowledged": dict(stats.acknowledged),
            "dropped": dict(stats.dropped),
            "logs": {level: self.logs.levels[level] for level in LEVELS.values()},
            "stages": dict(self.processed),
            "stageMetrics": self.metrics,
            "quality": self.quality,
        }
        path.write_text(json.dumps(counts, indent=2, ensure_ascii=False), encoding="utf-8")
