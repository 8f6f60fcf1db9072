"""The command line with the running service: each command, as a person or a script would run it."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from jobtrack_client import verify_webhook
from jobtrack_client._api.webhooks import new_secret
from jobtrack_demo.receiver import Receiver
from tests.e2e.receiving import Recorder, until
from tests.e2e.reporting import create, event, line, reported
from tests.e2e.running import Service, command, running

WAIT_SECONDS = 60


@dataclass(frozen=True)
class Shell:
    """Runs commands for a project with a job that is half done."""

    api: httpx.Client
    job: str
    environment: dict[str, str]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*arguments), env=self.environment, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False
        )

    def said(self, *arguments: str) -> str:
        """Return the output of a successful command."""
        done = self.run(*arguments)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout

    @contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        process = subprocess.Popen(
            command(*arguments), env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()


@pytest.fixture
def shell(service: Service) -> Iterator[Shell]:
    tenant, project = str(uuid4()), str(uuid4())
    told = service.variables(tenant, project) | {"LC_ALL": "C.UTF-8"}
    with service.client(tenant, project) as api:
        first = create(api, jobName="Extract")
        job = create(
            api, jobName="Import", stages=[{"stageName": "A"}, {"stageName": "B"}], prerequisites=[{"jobId": first}]
        )
        sample = event("metricSample", cpuUsage=67, memoryBytes=2**30, recordsPerSecond=125)
        lines = [line("of A", level="DEBUG"), line("of A"), line("look\there", level="WARN")]
        half = event("progressUpdate", progress=50)
        reported(api, job, event("jobStarted"), event("stageStarted"), *lines, sample, half)
        yield Shell(api, job, os.environ | told)


def test_what_there_is(shell: Shell) -> None:
    listed = [row.split("\t") for row in shell.said("jobs").splitlines()]
    assert [row[1] for row in listed] == ["Import", "Extract"]
    assert listed[0][:5] == [shell.job, "Import", "ProcessMining", "Running", "25 %"]
    assert [row.split("\t")[2:4] for row in shell.said("queue").splitlines()] == [["Extract", "Normal"]]
    status = shell.said("status", "import").splitlines()
    assert status[0].startswith("stage A: Running")
    assert status[1].startswith("Import: Running 25 %, ")
    assert json.loads(shell.said("status", "--json"))["overallProgress"]["percentage"] == 25


def test_what_happened(shell: Shell) -> None:
    assert [row.split("\t")[1] for row in shell.said("timeline", "-g", "seconds").splitlines()][:4] == [
        *("JobQueued", "JobStarted", "StageStarted", "Progress"),
    ]
    assert [row.split(" ", 1)[1] for row in shell.said("logs").splitlines()] == ["INFO - of A", "WARN - look\there"]
    assert [row.split(" ", 2)[1] for row in shell.said("logs", "-l", "debug", "-n", "0").splitlines()] == [
        *("DEBUG", "INFO", "WARN"),
    ]
    assert shell.said("logs", "--since", "2030-01-01T00:00:00Z") == ""
    assert [row.split("\t")[1:4] for row in shell.said("metrics").splitlines()] == [["67", "1", "125"]]
    assert [row.split("\t")[0::2] for row in shell.said("deps").splitlines()] == [["waits for", "Extract", "Queued"]]


def test_a_job_is_watched_and_its_log_followed_to_the_end(shell: Shell) -> None:
    with shell.running("watch", shell.job, "--every", "0.2") as watch, shell.running("logs", "-f") as logs:
        assert watch.stdout is not None
        assert logs.stdout is not None
        assert logs.stdout.readline().endswith("INFO - of A\n")
        assert logs.stdout.readline().endswith("WARN - look\there\n")
        while not watch.stdout.readline().startswith("Import: Running 25 %"):
            pass
        reported(shell.api, shell.job, line("the last"), event("jobFailed"))
        assert logs.communicate(timeout=WAIT_SECONDS)[0].endswith("INFO - the last\n")
        assert "Import: Failed 25 %" in watch.communicate(timeout=WAIT_SECONDS)[0]
        assert (logs.returncode, watch.returncode) == (0, 1)


def test_events_are_forwarded_as_signed_webhooks(shell: Shell) -> None:
    recorder, secret = Recorder(), new_secret()
    with (
        Receiver(recorder) as receiver,
        shell.running(
            "listen", "Import", "--forward-to", receiver.url, "--secret", secret, "-e", "milestone"
        ) as listen,
    ):
        until(lambda: shell.said("subscriptions"))
        reported(shell.api, shell.job, event("milestone"), event("jobCompleted"))
        out, err = listen.communicate(timeout=WAIT_SECONDS)
    assert listen.returncode == 0, err
    assert [row.split("\t")[2] for row in out.splitlines()] == ["milestone", "jobCompleted"]
    verified = [verify_webhook(body, headers, secret) for headers, body in recorder.requests]
    assert [message["type"] for message in verified] == ["milestone", "jobCompleted"]
    assert "id" not in verified[0]


def test_what_happened_to_an_ended_job_is_printed_and_no_more_is_waited_for(shell: Shell) -> None:
    reported(shell.api, shell.job, event("milestone"), event("jobFailed"), line("late"))
    listed = [row.split("\t") for row in shell.said("listen", "Import").splitlines()]
    assert [row[2] for row in listed] == [
        *("jobStarted", "stageStarted", "warning", "progressUpdate", "milestone", "jobFailed"),
    ]
    later = shell.said("listen", "Import", "--since-sequence", listed[-3][1], "-e", "milestone", "--json")
    assert [json.loads(row)["type"] for row in later.splitlines()] == ["milestone", "jobFailed"]
    assert shell.said("logs", "-f", shell.job).splitlines()[-1].endswith("INFO - late")
    refused = shell.run("listen", str(uuid4()))
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (1, "", 1)


def test_webhooks_are_subscribed_to_and_listed(shell: Shell) -> None:
    wanted = ("--url", "https://example.com/hook", "-e", "milestone", "--expires", "2h")
    made = json.loads(shell.said("subscribe", *wanted, "--json"))
    assert made["eventsSubscribed"] == ["milestone"]
    name = made["subscriptionId"]
    assert shell.said("subscriptions").split("\t")[:3] == [name, "webhook", "Active"]
    assert shell.said("deliveries", name) == ""
    assert shell.said("unsubscribe", name) == ""
    assert shell.said("subscriptions").split("\t")[2] == "Ended"
    refused = shell.run("subscribe", "--url", "http://example.com/hook")
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)


def test_ctrl_c_and_a_closed_pipe_are_no_errors(shell: Shell) -> None:
    with shell.running("logs", "-f") as follow:
        assert follow.stdout is not None
        follow.stdout.readline()
        follow.send_signal(signal.SIGINT)
        assert follow.communicate(timeout=WAIT_SECONDS)[1] == ""
        assert follow.returncode == 130
    with shell.running("watch", "--json", "--every", "0.2") as watch:
        assert watch.stdout is not None
        assert watch.stderr is not None
        watch.stdout.readline()
        watch.stdout.close()
        deadline = time.monotonic() + WAIT_SECONDS
        while watch.poll() is None and time.monotonic() < deadline:
            reported(shell.api, shell.job, event("heartbeat"))
            time.sleep(0.2)
        assert (watch.returncode, watch.stderr.read()) == (141, "")
        watch.stdout = None


def test_the_local_service_is_found_without_a_variable(service: Service, tmp_path: Path) -> None:
    """The profile that `jobtrack serve` writes is enough for a user on this machine."""
    if service.stack is not None:
        pytest.skip("a deployed stack keeps no profile")
    with running(tmp_path, "sqlite") as own:
        bare = {name: text for name, text in os.environ.items() if not name.startswith("JOBTRACK_")}
        environment = {**bare, "JOBTRACK_HOME": str(tmp_path), "NO_PROXY": "127.0.0.1"}
        done = subprocess.run(command("jobs"), env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        shown = subprocess.run(command("open"), env=environment, capture_output=True, text=True, timeout=60, check=True)
        assert shown.stdout.startswith(f"{own.url}/#/code/")
    assert not [*(tmp_path / "services").iterdir()]
