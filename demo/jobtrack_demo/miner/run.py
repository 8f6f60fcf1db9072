"""One run of the job: each step of the analysis, reported as it happens."""

import json
import logging
import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from jobtrack_demo.miner import plan
from jobtrack_demo.miner.discovery import Advance, Model, discover
from jobtrack_demo.miner.drawing import draw
from jobtrack_demo.miner.eventlog import Cause, Checked, EventLog, Loader, Part
from jobtrack_demo.miner.performance import Performance, analyse, transitions
from jobtrack_demo.miner.report import Analysis, report
from jobtrack_demo.miner.reporting import Reporting, Step
from jobtrack_demo.miner.source import Source

CHUNKS, LARGEST_CHUNK = 20, 20_000
"""How often a stage reports its progress, and after how many records at the latest."""
MOST_WARNED_CHUNKS = 50
MOST_NAMED_RECORDS = 5
MOST_NAMED_BOTTLENECKS = 3
CAUSE_TEXTS = {
    Cause.MALFORMED: "with another number of fields than the header",
    Cause.NO_CASE: "without a case",
    Cause.NO_ACTIVITY: "without an activity",
    Cause.NO_TIME: "without a time",
    Cause.UNREADABLE_TIME: "with an unreadable time",
}
CHECKS = len(CAUSE_TEXTS) + 1
"""One validation for each cause, and one for duplicate events."""


@dataclass(frozen=True)
class Run:
    """The steps of the job; each takes the results of the previous one."""

    reporting: Reporting
    source: Source
    out: Path
    chunk: int | None = None
    """Records in a chunk; None chooses it by the size of the log."""

    def _chunk(self, total: int) -> int:
        return self.chunk or max(1, min(LARGEST_CHUNK, math.ceil(total / CHUNKS)))

    def run(self) -> Analysis:
        """Run all steps.

        Raises:
            InputError: the event log cannot be used.
            OSError: the folder of the report cannot be used.
        """
        parts, names = self._load()
        log, excluded = self._validate(parts, names)
        model = self._discover(log)
        performance = self._measure(log)
        records = sum(part.records for part in parts)
        analysis = Analysis(self.source, records, excluded, log, model, performance)
        self._write(analysis)
        return analysis

    def _load(self) -> tuple[list[Part], list[str]]:
        loader, parts = Loader(), list[Part]()
        with self.reporting.step(plan.LOADING, "DataLoader", f"Reading {self.source.path.name}") as step:
            self.out.mkdir(parents=True, exist_ok=True)
            total = self.source.survey()
            step.expect(total)
            for number, chunk in enumerate(self.source.chunks(self._chunk(total)), start=1):
                parts.append(loader.encode(chunk))
                step.advance(chunk.records)
                step.say(logging.INFO, f"Chunk {number} read", records=chunk.records, cases=len(loader.cases.codes))
            step.conclude({"chunksRead": len(parts), "casesSeen": len(loader.cases.codes)})
        self.reporting.job.milestone(f"Event log of {total:,} records read", records=total)
        return parts, loader.activities.names

    def _validate(self, parts: list[Part], names: list[str]) -> tuple[EventLog, Counter[Cause]]:
        total, excluded = sum(part.records for part in parts), Counter[Cause]()
        with self.reporting.step(plan.VALIDATION, "DataValidator", "Checking the records", total) as step:
            valid, warned = list[Part](), 0
            for number, part in enumerate(parts, start=1):
                checked = part.checked()
                valid.append(checked.valid)
                excluded += checked.excluded
                warned += _tell(step, number, checked, warned)
                step.advance(part.records)
            log = EventLog.ordered(valid, names)
            self._conclude_validation(step, log, excluded, total)
        return log, excluded

    def _conclude_validation(self, step: Step, log: EventLog, excluded: Counter[Cause], total: int) -> None:
        duplicates = log.duplicates()
        for cause, count in excluded.items():
            self.reporting.warn(f"{count:,} records {CAUSE_TEXTS[cause]} are left out", records=count)
        if duplicates:
            self.reporting.warn(f"{duplicates:,} events repeat another one; they are kept", events=duplicates)
        failed = len(excluded) + (duplicates > 0)
        self.reporting.quality(round(100 * len(log) / total, 2), CHECKS - failed, failed)
        step.conclude({"dataValidated": True, "errorsFound": excluded.total(), "duplicateEvents": duplicates})

    def _discover(self, log: EventLog) -> Model:
        with self.reporting.step(plan.DISCOVERY, "ModelFinder", "Finding variants and paths", len(log)) as step:
            model = discover(log, self._chunk(len(log)), _counted(step, "events"))
            found = {"activitiesDiscovered": len(model.activities), "variantsFound": len(model.variants)}
            step.conclude({**found, "pathsIdentified": len(model.edges), "casesFound": model.cases})
            step.say(logging.INFO, "Process model discovered", **found)
        self.reporting.job.milestone("Process model discovered", **found)
        return model

    def _measure(self, log: EventLog) -> Performance:
        total = transitions(log)
        with self.reporting.step(plan.PERFORMANCE, "PerformanceAnalyzer", "Measuring waiting times", total) as step:
            performance = analyse(log, self._chunk(total), _counted(step, "transitions"))
            for source, target in performance.bottlenecks[:MOST_NAMED_BOTTLENECKS]:
                waits = performance.waits[source, target]
                name = f"{log.activity_names[source]} ⇒ {log.activity_names[target]}"
                step.say(logging.INFO, f"Bottleneck: {name}", meanHours=round(waits.mean / 3600, 2), count=waits.count)
            measured = {"waitTimeCalculated": total, "cycleTimeCalculated": performance.durations.count}
            step.conclude({"bottlenecksIdentified": len(performance.bottlenecks), **measured})
        return performance

    def _write(self, analysis: Analysis) -> None:
        documents = {"report.json": _report_text, "map.svg": draw}
        with self.reporting.step(plan.REPORT, "ReportGenerator", "Writing the report", len(documents)) as step:
            sizes: dict[str, object] = {}
            for name, render in documents.items():
                text = render(analysis)
                (self.out / name).write_text(text, encoding="utf-8")
                sizes[name] = len(text.encode())
                step.say(logging.INFO, f"{name} written", bytes=sizes[name])
                step.advance(1)
            step.conclude({"reportBytes": sizes["report.json"], "mapBytes": sizes["map.svg"]})


def _report_text(analysis: Analysis) -> str:
    return json.dumps(report(analysis), ensure_ascii=False, indent=1)


def _tell(step: Step, number: int, checked: Checked, warned: int) -> bool:
    """Log the excluded records of a chunk, and return whether it was a warning; the number of warnings is limited."""
    if not checked.excluded:
        step.say(logging.DEBUG, f"Chunk {number}: every record is valid")
        return False
    if warned >= MOST_WARNED_CHUNKS:
        step.say(logging.DEBUG, f"Chunk {number}: {len(checked.numbers):,} records left out")
        return False
    causes = ", ".join(f"{count:,} {CAUSE_TEXTS[cause]}" for cause, count in checked.excluded.items())
    step.say(logging.WARNING, f"Chunk {number}: left out {causes}", records=checked.numbers[:MOST_NAMED_RECORDS])
    return True


def _counted(step: Step, unit: str) -> Advance:
    """Advance the step and log a line."""

    def advance(count: int) -> None:
        step.advance(count)
        step.say(logging.DEBUG, f"{step.tally.processed[step.stage.name]:,} {unit} done")

    return advance
