"""The metrics against plain lists of samples, and their definitions one by one."""

import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobtrack import times
from jobtrack.domain import formats
from jobtrack.domain.estimate import total_seconds
from jobtrack.domain.events import Event
from jobtrack.domain.job import Job, Stage
from jobtrack.domain.journal.metric_history import Bucket
from jobtrack.domain.past_durations import PastDurations, bucket
from jobtrack.store.metric_history import MetricHistoryReader
from jobtrack.times import Micros
from jobtrack.views.metrics import GROUPS, Group, benchmarks, history, metrics, trend, trends
from jobtrack.views.responses.metrics import Bucket as BucketResponse
from jobtrack.views.responses.metrics import Metrics
from tests.unit.job_builders import START, at, queued, report, running
from tests.unit.journal_builders import apply_batches, clock, split_into_batches

GIGABYTE = 1024**3
FIGURES = ("cpuUsage", "memoryBytes", "recordsPerSecond")


def sample(moment: int | str, /, **data: Any) -> Event:
    return Event("metricSample", Micros(at(moment) if isinstance(moment, str) else moment), data)


def reported(seed: int, count: int, spacing: int, lateness: int) -> list[Event]:
    """Return samples, some late or repeated, while one stage follows another; with silent stretches."""
    rng = random.Random(seed)
    found: list[Event] = []
    moment = int(START)
    for _ in range(count):
        moment += rng.randrange(1, 2 * spacing) * times.SECOND + (times.HOUR if rng.random() < 0.01 else 0)
        time = moment - (rng.randrange(lateness) * times.SECOND if rng.random() < 0.3 else 0)
        time = time // times.MINUTE * times.MINUTE if rng.random() < 0.1 else time
        if rng.random() < 0.1:
            found.append(
                Event(rng.choice(["stageStarted", "stageCompleted"]), Micros(time), {"stageName": rng.choice("AB")})
            )
        data = {name: rng.randrange(1, 10**6) for name in FIGURES if rng.random() < 0.8} or {"iops": 3}
        found += [sample(time, **data)] * rng.choice([1, 1, 1, 2])
    return found


def plain(events: Sequence[Event], minutes: int) -> list[tuple[int, dict[str, float], str | None]]:
    """Return the end and the means of each bucket, and the stage that ran at its last sample's report."""
    job, grouped = running("A", "B"), dict[int, list[tuple[tuple[int, int], str | None, Event]]]()
    for sequence, each in enumerate(events):
        if each.type == "metricSample":
            end = int(START)
            while end < each.time:
                end += minutes * times.MINUTE
            while end - minutes * times.MINUTE >= each.time:
                end -= minutes * times.MINUTE
            stage = job.running_stage
            grouped.setdefault(end, []).append(((each.time, sequence), stage.name if stage else None, each))
        else:
            report(job, clock(each.time), each.type, **each.data)
    found = []
    for end, samples in sorted(grouped.items()):
        told = {
            name: [each.data[name] for *_, each in samples if name in each.data]
            for name in FIGURES
            if any(name in each.data for *_, each in samples)
        }
        if told:
            means = {name: sum(values) / len(values) for name, values in told.items()}
            found.append((end, means, max(samples, key=lambda each: each[0])[1]))
    return found


def same(found: Sequence[Bucket], wanted: list[tuple[int, dict[str, float], str | None]]) -> None:
    assert [(each.end, each.stage) for each in found] == [(end, stage) for end, _, stage in wanted]
    for each, (_, means, _) in zip(found, wanted, strict=True):
        assert {name: each.mean(name) for name in each.figures} == pytest.approx(means)


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 99),
    size=st.sampled_from([1, 10, 100]),
    spacing=st.sampled_from([5, 30, 200]),
    lateness=st.sampled_from([1, 90, 4000]),
    minutes=st.sampled_from([1, 5, 15]),
)
def test_buckets_are_those_of_the_raw_samples(seed: int, size: int, spacing: int, lateness: int, minutes: int) -> None:
    events = reported(seed, 150, spacing, lateness)
    journals, _, snapshot = apply_batches(split_into_batches(events, size))
    wanted = plain(events, minutes)
    reader = MetricHistoryReader(journals)
    same(reader.read_newest_buckets(snapshot, minutes, 10_000), wanted)
    same(reader.read_newest_buckets(snapshot, minutes, 2), wanted[-2:])


def told(*events: Event, minutes: int = 5, groups: Sequence[Group] = GROUPS) -> list[BucketResponse]:
    journals, _, snapshot = apply_batches([list(events)])
    return history(MetricHistoryReader(journals).read_newest_buckets(snapshot, minutes, 100), groups)


def test_a_bucket_is_named_by_its_end_and_holds_the_samples_up_to_it() -> None:
    found = told(
        sample("10:30:00", cpuUsage=10, memoryBytes=GIGABYTE, recordsPerSecond=7),
        sample("10:30:01", cpuUsage=20),
        sample("10:35:00", cpuUsage=30.26, memoryBytes=1.5 * GIGABYTE),
        sample("10:35:01", cpuUsage=1),
    )
    assert found == [
        {"timestamp": "2024-01-20T10:30:00Z", "cpu": 10, "memory": 1, "recordsPerSecond": 7, "stage": None},
        {"timestamp": "2024-01-20T10:35:00Z", "cpu": 25.1, "memory": 1.5, "recordsPerSecond": None, "stage": None},
        {"timestamp": "2024-01-20T10:40:00Z", "cpu": 1, "memory": None, "recordsPerSecond": None, "stage": None},
    ]


def test_an_hour_without_a_sample_leaves_no_bucket() -> None:
    found = told(sample("10:30:00", cpuUsage=10), sample("11:30:00", cpuUsage=20))
    assert [each["timestamp"][11:16] for each in found] == ["10:30", "11:30"]


def test_a_bucket_that_ends_after_the_last_year_is_left_out() -> None:
    last = times.parse("9999-12-31T23:57:30Z")
    assert told(sample(last, cpuUsage=1)) == []
    assert [each["timestamp"] for each in told(sample(last, cpuUsage=1), minutes=1)] == ["9999-12-31T23:58:00Z"]
    assert told(sample(last + 2 * times.MINUTE, cpuUsage=1), minutes=1) == []


@pytest.mark.parametrize(
    ("groups", "members"),
    [
        (["cpu"], [{"timestamp", "cpu", "stage"}]),
        (["memory", "disk"], []),
        (["throughput"], [{"timestamp", "recordsPerSecond", "stage"}]),
        (["network"], []),
    ],
)
def test_a_history_tells_of_the_groups_named(groups: list[Group], members: list[set[str]]) -> None:
    found = told(sample("10:30:00", cpuUsage=10, recordsPerSecond=0), groups=groups)
    assert [set(each) for each in found] == members


def test_a_day_of_samples_costs_one_query() -> None:
    events = [
        sample(START + index * 5 * times.SECOND, cpuUsage=index % 100, memoryBytes=index, recordsPerSecond=index % 7)
        for index in range(24 * 720)
    ]
    journals, table, snapshot = apply_batches(split_into_batches(events, 100))
    for minutes, most, count in ((1, 3000, 1441), (5, 3000, 289), (15, 3000, 97), (1, 2, 2), (5, 2, 2), (15, 2, 2)):
        table.queries = 0
        assert len(MetricHistoryReader(journals).read_newest_buckets(snapshot, minutes, most)) == count
        assert table.queries == 1


def test_a_late_sample_is_not_the_last() -> None:
    job = running()
    for time, cpu in (("10:31:00", 50), ("10:33:00", 67), ("10:32:00", 12)):
        report(job, time, "metricSample", cpuUsage=cpu, memoryBytes=cpu)
    report(job, "10:30:30", "metricSample", iops=3)
    assert (job.sample["cpuUsage"], job.sample["memoryBytes"], job.sample["iops"]) == (67, 67, 3)
    assert answer(job)["currentMetrics"]["resourceUtilization"]["cpu"]["efficiency"] == 43


def answer(job: Job, now: str = "10:40:00", groups: Sequence[Group] = GROUPS, **data: Any) -> Metrics:
    if data:
        report(job, "10:31:00", "metricSample", **data)
    return metrics(job, [], False, groups, at(now))


def test_of_a_job_that_told_nothing_nothing_is_known() -> None:
    shown = answer(queued("A", "B"))
    current = shown["currentMetrics"]
    assert current["resourceUtilization"] == {
        "cpu": dict.fromkeys(("usage", "cores", "efficiency")),
        "memory": dict.fromkeys(("used", "allocated", "peak", "efficiency")),
        "disk": dict.fromkeys(("reads", "writes", "iops", "latency")),
        "network": dict.fromkeys(("bytesIn", "bytesOut", "connections")),
    }
    assert set(current["processing"].values()) == {None}
    assert current["stages"] == {
        "completed": 0,
        "running": 0,
        "pending": 2,
        "failed": 0,
        "skipped": 0,
        "averageStageTime": None,
        "stageEfficiency": None,
    }
    assert shown["historicalMetrics"] == []
    assert set(shown["performanceTrends"].values()) == {None}
    assert shown["benchmarks"] is None


@pytest.mark.parametrize("named", [[name] for name in GROUPS] + [["cpu", "throughput"], list(GROUPS)])
def test_only_the_groups_named_are_told(named: list[Group]) -> None:
    shown = answer(running(), groups=named)
    current = shown["currentMetrics"]
    assert set(current["resourceUtilization"]) == set(named) - {"throughput"}
    assert ("processing" in current) == ("throughput" in named)
    assert {name for name in shown["performanceTrends"] if name.endswith("Trend")} == {
        f"{name}Trend" for name in named if name in ("cpu", "memory", "throughput")
    }


def test_disk_and_network_are_those_of_the_last_sample() -> None:
    shown = answer(
        running(), diskReadBytes=450 * 1024**2, iops=145.5, diskLatencyMs=12.25, networkInBytes=0, connections=8
    )
    utilization = shown["currentMetrics"]["resourceUtilization"]
    assert utilization["disk"] == {"reads": "450 MB", "writes": None, "iops": 145.5, "latency": "12.2ms"}
    assert utilization["network"] == {"bytesIn": "0 B", "bytesOut": None, "connections": 8}


def test_rates_are_errors_and_retries_a_record_of_the_running_stage() -> None:
    job = running("A", "B", total_records=500)
    report(job, "10:30:10", "stageCompleted", stageName="A", recordsProcessed=400)
    assert answer(job)["currentMetrics"]["processing"]["recordsProcessed"] == 400
    report(job, "10:30:20", "progressUpdate", stageName="B", recordsProcessed=300)
    report(job, "10:30:30", "log", level="ERROR", message="m")
    shown = answer(job, retries=2, recordsPerSecond=30)["currentMetrics"]["processing"]
    assert shown == {
        "recordsPerSecond": 30,
        "recordsProcessed": 300,
        "totalRecords": 500,
        "processingEfficiency": 100,
        "errorRate": 0.00333,
        "retryRate": 0.00667,
    }


def test_records_of_a_job_without_stages_and_none_at_all() -> None:
    job = running()
    report(job, "10:30:20", "progressUpdate", recordsProcessed=0, totalRecords=9)
    shown = answer(job, retries=2, recordsPerSecond=0)["currentMetrics"]["processing"]
    assert (shown["recordsProcessed"], shown["totalRecords"]) == (0, 9)
    assert (shown["errorRate"], shown["retryRate"], shown["processingEfficiency"]) == (None, None, None)


def test_stages_completed_in_parallel_failed_retried_and_skipped() -> None:
    job = running(Stage("A", expected_seconds=60), Stage("B", expected_seconds=30), "C", "D", "E")
    for name in "ABC":
        report(job, "10:30:00", "stageStarted", stageName=name)
    report(job, "10:31:00", "stageFailed", stageName="A")
    report(job, "10:32:00", "stageStarted", stageName="A")
    report(job, "10:33:30", "stageCompleted", stageName="A")
    report(job, "10:31:00", "stageCompleted", stageName="B")
    report(job, "10:34:00", "stageFailed", stageName="C")
    report(job, "10:34:00", "stageSkipped", stageName="D")
    assert answer(job)["currentMetrics"]["stages"] == {
        "completed": 2,
        "running": 0,
        "pending": 1,
        "failed": 1,
        "skipped": 1,
        "averageStageTime": "1.25 minutes",
        "stageEfficiency": 60,
    }


@pytest.mark.parametrize(("took", "efficiency"), [("10:30:00", 100), ("10:30:30", 100), ("10:32:00", 50)])
def test_stage_efficiency_is_at_most_100(took: str, efficiency: float) -> None:
    job = running(Stage("A", expected_seconds=60))
    report(job, "10:30:00", "stageStarted", stageName="A")
    report(job, took, "stageCompleted", stageName="A")
    assert answer(job)["currentMetrics"]["stages"]["stageEfficiency"] == efficiency


@pytest.mark.parametrize(
    ("cpu", "word"), [(95, "Excellent"), (90, "Excellent"), (89.9, "Good"), (70, "Good"), (50, "Fair"), (49.9, "Poor")]
)
def test_overall_efficiency_is_in_words_by_the_mean_of_those_known(cpu: float, word: str) -> None:
    assert answer(running(), cpuUsage=cpu)["performanceTrends"]["overallEfficiency"] == word


def test_overall_efficiency_is_of_all_four() -> None:
    job = running(Stage("A", expected_seconds=60))
    job.allocated = {"memoryGB": 4, "cpuUnits": 2.5}
    report(job, "10:30:00", "stageStarted", stageName="A")
    report(job, "10:31:00", "stageCompleted", stageName="A")
    report(job, "10:31:00", "metricSample", recordsPerSecond=50)
    shown = answer(job, cpuUsage=20, memoryBytes=GIGABYTE, recordsPerSecond=100)
    memory = shown["currentMetrics"]["resourceUtilization"]["memory"]
    assert memory == {"used": "1.0 GB", "allocated": "4.0 GB", "peak": "1.0 GB", "efficiency": 25}
    assert shown["currentMetrics"]["resourceUtilization"]["cpu"]["cores"] == 2.5
    assert shown["currentMetrics"]["processing"]["processingEfficiency"] == 75
    assert shown["performanceTrends"]["overallEfficiency"] == "Fair"  # (20 + 25 + 75 + 100) / 4 = 55


@pytest.mark.parametrize(
    ("before", "last", "word"),
    [
        (100, 107.5, "Stable"),
        (100, 92.5, "Stable"),
        (100, 107.6, "Rising"),
        (100, 92.4, "Declining"),
        (0, 0, "Stable"),
        (0, 0.1, "Rising"),
        (5, 0, "Declining"),
    ],
)
def test_trends(before: float, last: float, word: str) -> None:
    assert trend(before, last) == word
    assert trend(before, last, "Improving") == word.replace("Rising", "Improving")


def test_a_trend_needs_two_buckets_that_have_the_figure() -> None:
    def held(**means: float) -> Bucket:
        return Bucket(START, figures={name: [2, 2 * mean] for name, mean in means.items()})

    newest = [held(cpuUsage=1), held(cpuUsage=10, recordsPerSecond=10), held(cpuUsage=20, memoryBytes=3)]
    assert trends(newest, GROUPS) == {"cpuTrend": "Rising", "memoryTrend": None, "throughputTrend": None}
    assert trends(newest[:1], ["cpu"]) == {"cpuTrend": None}
    rates = [held(recordsPerSecond=10), held(recordsPerSecond=20)]
    assert trends(rates, ["throughput"]) == {"throughputTrend": "Improving"}


def test_prediction_accuracy_compares_the_first_estimate_with_what_it_took() -> None:
    job = running(Stage("A", expected_seconds=90))
    assert answer(job, "10:30:00")["performanceTrends"]["predictionAccuracy"] == 100
    report(job, "10:32:00", "jobCompleted")
    assert answer(job)["performanceTrends"]["predictionAccuracy"] == 75
    assert answer(running())["performanceTrends"]["predictionAccuracy"] is None


@pytest.mark.parametrize(("expected", "accuracy"), [(400, 0), (0, 0)])
def test_prediction_accuracy_is_never_below_0(expected: float, accuracy: float) -> None:
    job = running(Stage("A", expected_seconds=expected))
    report(job, "10:31:00", "jobCompleted")
    assert answer(job)["performanceTrends"]["predictionAccuracy"] == accuracy


def test_the_first_estimate_is_by_the_workers_clock() -> None:
    from jobtrack.domain.lifecycle import apply

    job = queued(Stage("A", expected_seconds=90))
    apply(job, [Event("jobStarted", START, {})], Micros(START + 20 * times.MINUTE))
    assert job.first_estimate == 90


def learned(*seconds: float, rate: float | None = None) -> PastDurations:
    counts: dict[int, int] = {}
    for each in seconds:
        counts[bucket(each)] = counts.get(bucket(each), 0) + 1
    rates = 0 if rate is None else len(seconds)
    past = PastDurations.of(counts, sum(seconds), rates, (rate or 0) * rates)
    assert past is not None
    return past


def with_past(past: PastDurations, *stages: Stage) -> Job:
    job = running(*stages)
    job.past = past
    return job


def test_benchmarks_compare_the_whole_time_by_the_one_estimate() -> None:
    job = with_past(learned(600, 1200, 1530, rate=1180.4), Stage("A", expected_seconds=1200))
    report(job, "10:30:00", "stageStarted", stageName="A")
    report(job, "10:35:00", "progressUpdate", progress=50)
    assert total_seconds(job, at("10:35:00")) == 750
    shown = benchmarks(job, at("10:35:00"))
    assert shown is not None
    assert shown["jobType"] == "Test"
    assert (shown["averageJobDuration"], shown["averageThroughput"]) == ("18.5 minutes", "1180 records/second")
    assert shown["similarJobsComparison"] == {"fasterThan": 67, "similarTo": 0, "slowerThan": 33}
    assert shown["currentPerformanceRank"] == "67th percentile"


@pytest.mark.parametrize("end", ["jobFailed", "jobCancelled"])
def test_a_job_that_did_not_complete_has_no_rank(end: str) -> None:
    job = with_past(learned(60))
    report(job, "10:30:10", end, error={"message": "m"})
    assert benchmarks(job, at("10:35:00")) == {
        "jobType": "Test",
        "averageJobDuration": "1 minute",
        "averageThroughput": None,
        "currentPerformanceRank": None,
        "similarJobsComparison": {"fasterThan": None, "similarTo": None, "slowerThan": None},
    }


def test_a_job_of_unknown_length_has_no_rank_either() -> None:
    shown = benchmarks(with_past(learned(60), Stage("A")), at("10:30:00"))
    assert shown is not None
    assert shown["similarJobsComparison"]["fasterThan"] is not None, "past jobs tell how long it takes"


def drawn(kind: str, count: int = 10_000) -> list[float]:
    rng = random.Random(kind)
    if kind == "constant":
        return [90.0] * count
    if kind == "lognormal":
        return [rng.lognormvariate(7, 0.6) for _ in range(count)]
    return [rng.lognormvariate(5, 0.15) if rng.random() < 0.7 else rng.lognormvariate(8, 0.2) for _ in range(count)]


@pytest.mark.parametrize("kind", ["lognormal", "bimodal", "constant"])
def test_ranks_and_shares_are_right_to_2_per_cent(kind: str) -> None:
    durations = sorted(drawn(kind))
    past = learned(*durations)
    assert past is not None
    probes = [durations[place] * factor for place in range(0, 10_000, 97) for factor in (1.0, 0.83, 1.4)]
    for seconds in [*probes, 1e-3, 1e7]:
        exact = exact_shares(durations, seconds)
        for found, share in zip(past.compare(seconds), exact, strict=True):
            assert abs(found - share) <= 2, (seconds, past.compare(seconds), exact)
        longer = sum(each > seconds for each in durations) + sum(each == seconds for each in durations) / 2
        assert abs(past.rank(seconds) - longer / 100) <= 2


def exact_shares(durations: Sequence[float], seconds: float) -> tuple[float, float, float]:
    """Percentages of 10,000 durations: longer, within 10 %, shorter."""
    similar = sum(0.9 * seconds <= each <= 1.1 * seconds for each in durations)
    longer = sum(each > 1.1 * seconds for each in durations)
    return longer / 100, similar / 100, (len(durations) - similar - longer) / 100


@given(st.lists(st.floats(1e-3, 1e7), min_size=1, max_size=50), st.floats(0, 1e8))
def test_shares_are_whole_and_sum_to_100(durations: list[float], seconds: float) -> None:
    past = learned(*durations)
    assert past is not None
    shares = past.compare(seconds)
    assert sum(shares) == 100
    assert all(0 <= share <= 100 for share in shares)
    assert 0 <= past.rank(seconds) <= 100


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0th"), (1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (13, "13th"),
     (21, "21st"), (42, "42nd"), (83, "83rd"), (85, "85th"), (100, "100th"), (111, "111th")],
)  # fmt: skip
def test_ordinals(count: int, text: str) -> None:
    assert formats.ordinal(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(345, "5.75 minutes"), (1110, "18.5 minutes"), (60, "1 minute"), (3, "0.05 minutes"), (7200, "120 minutes")],
)
def test_mean_times_are_in_minutes(seconds: float, text: str) -> None:
    assert formats.mean_time(seconds) == text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (1200, 1500, "20-25 minutes"),
        (471.75, 693.75, "8-12 minutes"),
        (85, 119, "85-119 seconds"),
        (85, 120, "1-2 minutes"),
        (120, 120, "2 minutes"),
        (3600, 7200, "60-120 minutes"),
        (3600, 7201, "1-2 hours"),
        (1, 1, "1 second"),
        (0, 0, "0 seconds"),
    ],
)
def test_ranges(low: float, high: float, text: str) -> None:
    assert formats.time_range(low, high) == text


def test_milliseconds_and_small_shares() -> None:
    assert [formats.milliseconds(12), formats.milliseconds(0.34)] == ["12ms", "0.3ms"]
    assert [formats.significant(value) for value in (0, 2, 0.0150024, 1.3333e-05)] == [0, 2, 0.015, 1.33e-05]
