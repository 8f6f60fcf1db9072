"""The same reports, read at the same time, give the same responses on both engines, byte for byte."""

from collections.abc import Iterator

import orjson
import pytest

from jobtrack import aws, times
from jobtrack.api.schemas.events import EventBatch
from jobtrack.api.schemas.jobs import JobRequest
from jobtrack.domain.timeline import Scope
from jobtrack.keys import JobKey
from jobtrack.store.jobs import JobStore
from jobtrack.store.journal_reader import JournalQuery, JournalReader
from jobtrack.store.log_follower import LogFollower
from jobtrack.store.metric_history import MetricHistoryReader
from jobtrack.store.snapshots import Snapshot
from jobtrack.store.timeline import TimelineReader
from jobtrack.views import job as job_view
from jobtrack.views.logs import entry, levels_from, logs
from jobtrack.views.metrics import GROUPS, metrics
from jobtrack.views.progress import progress
from jobtrack.views.timeline import entry as timeline_entry
from jobtrack.views.timeline import timeline
from jobtrack_local.engine import engines
from tests import example
from tests.e2e.engine import provisioned

KEY = JobKey(example.TENANT_ID, example.PROJECT_ID, example.JOB_ID)
NOW = times.parse(example.NOW)


@pytest.mark.one_engine("dynamodb-local", "runs both engines")
def test_both_engines_answer_alike() -> None:
    first, second = (dict(answers(engine)) for engine in engines.ENGINES)
    assert first == second
    assert set(first) == {"job", "progress", "logs", "followed", "timeline", "metrics"}


def answers(engine: str) -> Iterator[tuple[str, bytes]]:
    """Return each response about the specification's example job, reported at its own times."""
    with provisioned(engine) as names:
        client, table = aws.client("dynamodb"), names.refs["JobsTable"]
        snapshot = _replayed(JobStore(client, table))
        for name, content in _read(snapshot, JournalReader(client, table), LogFollower(client, table)):
            yield name, orjson.dumps(content)


def _replayed(store: JobStore) -> Snapshot:
    clock = [times.parse("2024-01-20T10:28:00Z")]
    store.now = lambda: clock[0]
    wanted = JobRequest.model_validate(example.creation())
    store.create(Snapshot(KEY, 0, wanted.job(KEY.job, "user123", clock[0])), "body", {})
    for moment, events in example.batches():
        clock[0] = times.parse(moment)
        body = {"events": events}
        store.report(KEY, EventBatch.model_validate(body).reported(body, clock[0]))
    return store.read_snapshot(KEY, extras=True)


def _read(snapshot: Snapshot, reader: JournalReader, follower: LogFollower) -> Iterator[tuple[str, object]]:
    job, journal = snapshot.job, snapshot.journal
    lines, _ = reader.read_page(snapshot, JournalQuery(levels_from("DEBUG"), limit=100))
    entries, _ = TimelineReader(reader).read_page(snapshot, Scope(sub_events=True), 1000, None)
    told = [timeline_entry(job, record, "ja") for record in entries]
    buckets = MetricHistoryReader(reader).read_newest_buckets(snapshot, 5, 3000)
    yield "job", job_view.job(KEY, job, NOW)
    yield "progress", progress(job, NOW)
    yield "logs", logs(job, journal, [entry(record) for record in lines], None, job.sequence, NOW)
    followed, _ = follower.read_lines(snapshot, JournalQuery(levels_from("DEBUG"), limit=200), 0)
    yield "followed", [entry(record) for record in followed]
    yield "timeline", timeline(job, "minutes", told, None, "ja", NOW)
    yield "metrics", metrics(job, buckets, True, GROUPS, NOW)
