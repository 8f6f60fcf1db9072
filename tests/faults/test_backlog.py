"""A job with more log lines than the service can accept: its end is reported, and the number of lost lines."""

import re
import signal
import threading
import time
from collections.abc import Callable

import httpx
import pytest

from tests.faults.serving import run_worker, serving
from tests.faults.test_running import PATIENCE_SECONDS, start
from tests.unit.client.service import Service, problem

LINES = 100_000
LOST = re.compile(r"(\d+) log lines were lost in total")


def late(service: Service) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        time.sleep(0.25)
        return service(request)

    return answer


def lost(service: Service) -> int:
    """Return the number in the last line of the job's log."""
    found = LOST.match(service.notes()[-1])
    assert found
    return int(found[1])


def test_the_end_of_a_command_comes_before_its_lines_and_the_lost_ones_are_counted() -> None:
    service = Service()
    with serving(late(service)) as server:
        process = start(server.url, "sh", "-c", f"seq 1 {LINES}; exit 3", options=("--wait", "3"))
        process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 3
    (status,) = service.statuses.values()
    assert status == "Failed"
    lines = service.lines()
    assert len(lines) == len(set(lines))
    assert len(lines) + lost(service) == LINES
    assert lines[-1] == str(LINES)


def test_a_program_that_is_killed_while_its_lines_are_sent_has_ended_rightly() -> None:
    service = Service()
    with serving(late(service)) as server:
        process = start(server.url, "sh", "-c", f"seq 1 {LINES}; exit 3", options=("--wait", "30"))
        reader = threading.Thread(target=process.communicate)
        reader.start()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while "jobFailed" not in service.types() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        reader.join()
        assert len(service.lines()) < LINES // 4
    assert [*service.statuses.values()] == ["Failed"]


@pytest.mark.parametrize("end", ["job.complete()", ""], ids=["ended", "left open"])
def test_an_interpreter_that_ends_reports_the_state_first(end: str) -> None:
    service = Service()
    script = f"""
        with job.stage("Load") as stage:
            for number in range({LINES // 4}):
                job.log("INFO", str(number))
            stage.advance(7)
        {end}
    """
    with serving(late(service)) as server:
        ran = run_worker(server.url, script, exit_seconds=3)
    assert ran.returncode == 0
    state = [type_ for type_ in service.types() if type_ != "log"]
    ended = "jobCompleted" if end else "jobCancelled"
    assert state == ["jobStarted", "stageStarted", "progressUpdate", "stageCompleted", ended]
    reasons = 0 if end else 1  # the reason of the cancellation is a line too
    assert len(service.lines()) + lost(service) == LINES // 4 + reasons


@pytest.mark.parametrize("status", [429, 503])
def test_a_service_that_asks_to_wait_for_longer_than_there_is_time_gets_the_end(status: int) -> None:
    service = Service()
    throttled_until = [0.0]

    def throttle(request: httpx.Request) -> httpx.Response:
        if "stageStarted" in service.types() and not throttled_until[0]:
            throttled_until[0] = time.monotonic() + 1.5
        if time.monotonic() < throttled_until[0]:
            return problem(status, **{"Retry-After": "60"})
        return service(request)

    script = """
        with job.stage("Load"):
            assert job.flush(20)
            for number in range(5000):
                job.log("INFO", str(number))
            job.fail("no more")
            job.close(3)
    """
    with serving(throttle) as server:
        run_worker(server.url, script)
    assert [*service.statuses.values()] == ["Failed"]
