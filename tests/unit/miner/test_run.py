import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from jobtrack_demo.miner import plan
from jobtrack_demo.miner.__main__ import main
from jobtrack_demo.miner.machine import Probe, resources
from jobtrack_demo.miner.pace import Pace
from jobtrack_demo.miner.reporting import Reporting, Step
from jobtrack_demo.miner.run import Run
from jobtrack_demo.miner.source import Columns, Source
from jobtrack_demo.miner.tally import Tally
from tests.eventlogs import write_orders
from tests.unit.miner.service import Recorder

STAGES = ["Data Loading", "Data Validation", "Process Discovery", "Performance Analysis", "Report Generation"]
JOB = "cc0e8400-e29b-41d4-a716-446655440000"


def run(path: Path, out: Path, *more: str) -> tuple[int, Recorder]:
    service = Recorder()
    columns = ["--case", "case_id", "--activity", "activity", "--time", "timestamp"]
    return main(["--input", str(path), *columns, "--out", str(out), *more], service.client), service


def counts(out: Path) -> dict[str, Any]:
    result: dict[str, Any] = json.loads((out / "counts.json").read_text("utf-8"))
    return result


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    write_orders(path, rows=2_000)
    return path


def test_reports_every_stage_with_what_it_found(orders: Path, tmp_path: Path) -> None:
    code, service = run(orders, tmp_path / "out", "--chunk", "500")
    assert code == 0
    assert [stage["stageName"] for stage in service.of("stageStarted")] == STAGES
    ended = {str(stage["stageName"]): stage for stage in service.of("stageCompleted")}
    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    valid = report["source"]["analysed"]
    transitions = valid - report["cases"]
    assert [ended[name]["recordsProcessed"] for name in STAGES] == [2000, 2000, valid, transitions, 2]
    assert ended["Process Discovery"]["metrics"] == {
        "activitiesDiscovered": len(report["activities"]),
        "variantsFound": report["variants"]["total"],
        "pathsIdentified": len(report["directlyFollows"]),
        "casesFound": report["cases"],
    }
    assert sum(report["source"]["excluded"].values()) == 2000 - valid > 0
    assert service.events[-1]["type"] == "jobCompleted"
    assert (tmp_path / "out" / "map.svg").read_text("utf-8").startswith("<svg")


def test_counts_what_it_reported(orders: Path, tmp_path: Path) -> None:
    _, service = run(orders, tmp_path / "out", "--chunk", "100")
    saved = counts(tmp_path / "out")
    assert saved["reported"] == saved["acknowledged"] == service.types()
    assert saved["dropped"] == {}
    assert +Counter(saved["logs"]) == Counter(line["level"] for line in service.of("log"))
    assert saved["stages"] == {str(s["stageName"]): s["recordsProcessed"] for s in service.of("stageCompleted")}
    assert [saved["quality"]] == service.of("quality")
    assert saved["error"] is None


def test_warns_of_records_left_out_by_chunk_and_by_cause(orders: Path, tmp_path: Path) -> None:
    _, service = run(orders, tmp_path / "out", "--chunk", "1000")
    lines = [line for line in service.of("log") if line["level"] == "WARN"]
    assert [line["stage"] for line in lines] == ["Data Validation"] * 2
    assert str(lines[0]["message"]).startswith("Chunk 1: left out ")
    assert {str(warning["description"]).split(" ", 1)[1] for warning in service.of("warning")} == {
        "records with an unreadable time are left out",
        "records without a time are left out",
        "records without a case are left out",
    }


def test_bounds_the_warnings(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("case_id,activity,timestamp\n1,a,2024-01-01\n" + "1,a,never\n" * 200, "utf-8")
    code, service = run(path, tmp_path / "out", "--chunk", "1")
    assert code == 0
    assert sum(line["level"] == "WARN" for line in service.of("log")) == 50


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"%%% junk %%%\n1,2,3\n", "log.csv has no column 'case_id'; its first line has: %%% junk %%%"),
        (b"", "log.csv is empty"),
        (b"\x00\x01\x02", "log.csv is a binary file, not CSV text"),
        (b"case_id,activity,timestamp\n", "log.csv has a header but no records"),
        (b"case_id,activity,timestamp\n,,\n", "no record has a case, an activity and a readable time"),
        (None, "cannot read "),
    ],
)
def test_a_bad_log_fails_the_job_with_one_clear_line(
    content: bytes | None, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / "log.csv").write_bytes(content)
    code, service = run(tmp_path / "log.csv", tmp_path / "out")
    assert code == 1
    told = capsys.readouterr().err
    assert told.startswith(f"miner: {message}")
    assert told.count("\n") == 1
    said = told.removeprefix("miner: ").strip()
    errors = [line for line in service.of("log") if line["level"] == "ERROR"]
    assert [(line["message"], line["stage"]) for line in errors] == [(said, service.of("stageFailed")[0]["stageName"])]
    assert service.of("jobFailed") == [{"error": {"message": said, "type": "InputError"}}]
    assert counts(tmp_path / "out")["error"] == said


def test_an_unusable_folder_fails_the_job(orders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out").write_text("a file is here")
    code, service = run(orders, tmp_path / "out")
    assert code == 1
    assert "out" in capsys.readouterr().err
    assert service.events[-1]["type"] == "jobFailed"


def test_an_interrupted_job_is_cancelled(
    orders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("jobtrack_demo.miner.run.discover", interrupted)
    code, service = run(orders, tmp_path / "out")
    assert code == 130
    assert service.events[-1]["type"] == "jobCancelled"
    assert capsys.readouterr().err == "miner: interrupted\n"


def test_creates_a_job_with_a_plan_in_both_languages(orders: Path, tmp_path: Path) -> None:
    _, service = run(orders, tmp_path / "out")
    assert [created["jobName"] for created in service.jobs] == ["Process mining of orders.csv"]
    stages = cast("list[object]", service.jobs[0]["stages"])
    assert len(stages) == len(plan.STAGES)
    assert stages[0] == {
        "stageName": "Data Loading",
        "labels": {"ja": "データ読み込み", "en": "Data Loading"},
        "weight": 40,
    }


def test_reports_to_a_job_that_exists(orders: Path, tmp_path: Path) -> None:
    code, service = run(orders, tmp_path / "out", "--job", JOB)
    assert (code, service.jobs) == (0, [])
    assert counts(tmp_path / "out")["jobId"] == JOB


def test_asks_for_the_columns_of_a_log_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--input", "x.csv", "--out", str(tmp_path)], Recorder().client) == 1
    assert "needs --case, --activity and --time" in capsys.readouterr().err


def test_samples_what_the_process_uses(tmp_path: Path) -> None:
    times = iter([10.0, 12.0])
    done = iter([100, 400])
    (tmp_path / "file").write_bytes(b"12345")
    probe = Probe(lambda: next(done), tmp_path, clock=lambda: next(times))
    measured = probe.measure()
    assert measured["records_per_second"] == 150.0
    assert measured["disk_used_bytes"] == 5
    assert (measured["memory_bytes"] or 0) > 1_000_000
    assert (measured["cpu_usage"] or 0) >= 0  # two readings within one tick of the clock may give any result
    assert (measured["network_in_bytes"] or 0) >= 0


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system does not confine processes to processors")
def test_tells_the_real_machine() -> None:
    allocated = resources()
    assert allocated["cpu_units"] == len(os.sched_getaffinity(0))
    assert allocated["worker_node"] == os.uname().nodename


def test_at_a_pace_each_stage_takes_its_share_of_the_time(orders: Path, tmp_path: Path) -> None:
    now, ends = [0.0], dict[str, float]()

    def sleep(seconds: float) -> None:
        now[0] += seconds

    class Noting(Reporting):
        @contextmanager
        def step(self, name: str, component: str, operation: str, total: int | None = None) -> Iterator[Step]:
            with super().step(name, component, operation, total) as step:
                yield step
            ends[name] = now[0]

    with Recorder().client() as client, client.job("a job", job_type=plan.JOB_TYPE) as job:
        source = Source(orders, Columns("case_id", ("activity",), "timestamp"))
        Run(Noting(job, Tally(), Pace(50, sleep, lambda: now[0])), source, tmp_path / "out").run()
    assert ends == pytest.approx(dict(zip(STAGES, (20, 26, 34, 45, 50), strict=True)))
