"""Train the compression dictionary for small items, on samples of the shapes that the service stores.

The texts come from many kinds of job, so that the dictionary learns the names of members and the common words of logs
instead of one job's lines. Stored items need the dictionary they were packed with: before you replace it, add a way to
read them.
"""

import random
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import orjson
import zstandard

from jobtrack import times
from jobtrack.domain.events import Event
from jobtrack.domain.job import Job, Json
from jobtrack.domain.journal.chunks import Chunk
from jobtrack.domain.journal.journal import Journal
from jobtrack.domain.journal.records import Family, Record
from jobtrack.domain.lifecycle import apply
from jobtrack.store.snapshots import State
from jobtrack.times import Micros

DICTIONARY_BYTES = 8 * 1024
SAMPLES = 3_000

STAGES = (
    "Initialization",
    "Data Loading",
    "Data Validation",
    "Data Processing",
    "Process Discovery",
    "Performance Analysis",
    "Feature Extraction",
    "Training",
    "Evaluation",
    "Export",
    "Report Generation",
    "Output Generation",
    "Cleanup",
    "Download",
    "Upload",
    "Transform",
    "Aggregation",
    "Index Build",
    "Migration",
    "Verification",
)
COMPONENTS = (
    "DataLoader",
    "DataValidator",
    "AnalyticsEngine",
    "ReportGenerator",
    "Scheduler",
    "Worker",
    "Storage",
    "Database",
    "HttpClient",
    "Cache",
    "root",
    "__main__",
    "app.worker",
    "etl.extract",
    "etl.load",
    "Trainer",
    "Uploader",
    "Parser",
)
LINES = (
    "Processing batch {n} of {m}",
    "Loaded {n} records from {path} in {ms} ms",
    "Starting {stage} for dataset {id}",
    "Finished {stage}: {n} records processed, {m} failed",
    "Found {n} records with missing timestamps",
    "Retrying request to {path} (attempt {n} of 5) after {ms} ms",
    "Connection to database established",
    "Memory limit exceeded during {stage}",
    "Writing output file {path} ({n} bytes)",
    "Checkpoint saved at step {n}",
    "epoch {n}/{m} loss=0.{ms} accuracy=0.{n}",
    "Skipping invalid row {n}: unexpected value in column {m}",
    "HTTP GET {path} returned status 200 in {ms} ms",
    "HTTP POST {path} failed with status 503",
    "Cache hit ratio {n}%",
    "Committed transaction {id}",
    "Task {id} completed successfully in {ms} seconds",
    "Task {id} failed: timeout expired",
    "データを読み込みました: {n} 件",
    "処理が完了しました ({ms} ms)",
    "警告: タイムスタンプが欠損しています",
)
DETAILS = (
    "batchSize",
    "recordsPerSecond",
    "progress",
    "affectedRecords",
    "action",
    "retry",
    "memoryUsage",
    "path",
    "rows",
)


def main() -> None:
    """Write the dictionary to the path in the first argument."""
    rng = random.Random(7)
    samples: list[bytes | bytearray | memoryview[int]] = [
        sample for _ in range(SAMPLES // 3) for sample in _samples(rng)
    ]
    data = zstandard.train_dictionary(DICTIONARY_BYTES, samples, level=3).as_bytes()
    Path(sys.argv[1]).write_bytes(data)
    print(f"{len(data)} bytes from {len(samples)} samples of {sum(map(len, samples))} bytes")


def _samples(rng: random.Random) -> list[bytes]:
    """Return the state of a snapshot, a tail and a chunk as JSON."""
    start = times.parse("2024-01-01T00:00:00Z") + rng.randrange(86_400 * 700) * times.SECOND
    job = Job(_guid(rng), f"{rng.choice(STAGES)} {_word(rng)}", _word(rng), Micros(start), submitted_by=_word(rng))
    journal, moment = Journal(), start
    for event in _life(rng):
        moment += rng.randrange(1, 30_000_000)
        _, records = apply(job, [Event(event["type"], Micros(moment), event["data"])], Micros(moment))
        journal.append(records, job.sequence)
    state = State(job, journal.stored())
    chunk = [_record(rng, start, sequence) for sequence in range(1, rng.randrange(3, 30))]
    return [msgspec.json.encode(state), journal_json(journal.tail), journal_json(Chunk("In", chunk).records)]


def journal_json(records: Sequence[Record]) -> bytes:
    """Return records in the shape of a packed tail or chunk."""
    rows = [[record.time % 10_000_000, 1, record.body] for record in records]
    return orjson.dumps({"I": rows} if len(rows) % 2 else rows)


def _life(rng: random.Random) -> list[Json]:
    plan = rng.sample(STAGES, rng.randrange(1, 7))
    events: list[Json] = [
        {
            "type": "jobStarted",
            "data": {
                "resourcesAllocated": {
                    "cpuUnits": rng.randrange(1, 9),
                    "memoryGB": rng.choice((1, 2, 4, 8, 16)),
                    "workerNode": f"worker-node-{rng.randrange(99):02}",
                }
            },
        }
    ]
    for stage in plan:
        events.append({"type": "stageStarted", "data": {"stageName": stage}})
        for _ in range(rng.randrange(4)):
            events.append(_report(rng, stage))
        metrics = {rng.choice(DETAILS): rng.randrange(1000)}
        events.append(
            {
                "type": "stageCompleted",
                "data": {"stageName": stage, "recordsProcessed": rng.randrange(10**6), "metrics": metrics},
            }
        )
    return events[: rng.randrange(2, len(events) + 1)]


def _report(rng: random.Random, stage: str) -> Json:
    kind = rng.randrange(3)
    if kind == 0:
        total = rng.randrange(10**6)
        return {
            "type": "progressUpdate",
            "data": {
                "stageName": stage,
                "recordsProcessed": rng.randrange(total + 1),
                "totalRecords": total,
                "component": rng.choice(COMPONENTS),
                "operation": _line(rng)[:60],
            },
        }
    if kind == 1:
        return {
            "type": "metricSample",
            "data": {
                "cpuUsage": round(rng.random() * 100, 1),
                "memoryBytes": rng.randrange(2**33),
                "diskReadBytes": rng.randrange(2**30),
                "diskWriteBytes": rng.randrange(2**30),
                "networkInBytes": rng.randrange(2**28),
                "networkOutBytes": rng.randrange(2**28),
                "recordsPerSecond": round(rng.random() * 5000, 1),
            },
        }
    return {
        "type": "log",
        "data": {
            "level": rng.choice(("DEBUG", "INFO", "INFO", "WARN", "ERROR")),
            "message": _line(rng),
            "component": rng.choice(COMPONENTS),
            "stage": stage,
        },
    }


def _record(rng: random.Random, start: int, sequence: int) -> Record:
    body = [_line(rng), rng.choice(COMPONENTS), rng.choice(STAGES), {rng.choice(DETAILS): rng.randrange(10_000)}]
    return Record(Family.INFO, Micros(start + sequence * rng.randrange(1_000_000)), sequence, body)


def _line(rng: random.Random) -> str:
    path = "/".join(_word(rng) for _ in range(3))
    return rng.choice(LINES).format(
        n=rng.randrange(10_000),
        m=rng.randrange(100),
        ms=rng.randrange(9_999),
        path=f"s3://{path}.csv",
        stage=rng.choice(STAGES),
        id=_guid(rng),
    )


def _word(rng: random.Random) -> str:
    return "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randrange(4, 11)))


def _guid(rng: random.Random) -> str:
    digits = f"{rng.getrandbits(128):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


if __name__ == "__main__":
    main()
