"""The local service: starting, refusing, stopping, and what it leaves behind."""

import json
import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import psutil
import pytest

from jobtrack_client.profiles import profile
from jobtrack_local.gateway.server import bound
from jobtrack_local.pollers.scheduler import INTERVAL_VARIABLE
from tests.e2e.reporting import by_gateway
from tests.e2e.running import JOBTRACK, START_SECONDS, STOP_SECONDS, Service, command, environment, running

TEMPORARY = "in a temporary folder, deleted when the service ends"
JOB = {"jobName": "Customer Journey Analysis", "jobType": "process-mining"}


of_serve = pytest.mark.not_deployed("is about jobtrack serve itself")
one_process = pytest.mark.one_engine("dynamodb-local", "the other engine has no process of its own")
any_engine = pytest.mark.one_engine("dynamodb-local", "its outcome does not depend on the engine")


def refused(home: Path, *arguments: str) -> str:
    """Return the one line of a `jobtrack` that fails."""
    done = subprocess.run(
        command(*arguments), env=environment(home), capture_output=True, text=True, timeout=START_SECONDS, check=False
    )
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("jobtrack: ")
    return line


def created(client: httpx.Client) -> str:
    answer = client.post("/jobs", json=JOB)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["jobId"])


def problem(answer: httpx.Response) -> tuple[int, str]:
    told = {404: "not_found", 403: "forbidden", 401: "unauthorized", 413: "too_large"}[answer.status_code]
    if not by_gateway(answer, told):
        assert answer.headers["content-type"] == "application/problem+json"
        body = answer.json()
        assert body["status"] == answer.status_code
        assert body["requestId"]
        told = body["code"]
    return answer.status_code, told


@pytest.mark.not_deployed("ministack answers /health itself; the deployed one is asked in test_deployed")
def test_health_is_open(service: Service) -> None:
    assert httpx.get(f"{service.url}/health", trust_env=False).status_code == 200


def test_it_listens_on_loopback_only(service: Service) -> None:
    processes = [psutil.Process(service.process.pid), *service.engines()]
    addresses = {
        connection.laddr.ip
        for process in processes
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert addresses <= {"127.0.0.1", "::ffff:127.0.0.1"}
    assert addresses


@of_serve
@any_engine
def test_its_socket_says_that_it_is_tcp_without_which_asyncio_keeps_nagles_algorithm() -> None:
    with bound(0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


@pytest.mark.parametrize("header", [None, "", "Basic eDp5", "Bearer", "Bearer x.y.z"])
def test_without_a_valid_token_it_is_401(service: Service, header: str | None) -> None:
    with service.client() as client:
        del client.headers["Authorization"]
        answer = client.get(f"/job/{uuid4()}", headers={} if header is None else {"Authorization": header})
    assert problem(answer) == (401, "unauthorized")
    assert by_gateway(answer, "unauthorized") or answer.headers["www-authenticate"] == "Bearer"


def test_a_token_of_another_key_is_401(service: Service, tmp_path: Path) -> None:
    with service.client() as client:
        stranger = replace(service, home=tmp_path).token(str(uuid4()))
        assert problem(client.get(f"/job/{uuid4()}", headers={"Authorization": f"Bearer {stranger}"}))[0] == 401


def test_an_expired_token_is_401(service: Service) -> None:
    with service.client() as client:
        old = service.token(str(uuid4()), ttl=-1)
        assert problem(client.get(f"/job/{uuid4()}", headers={"Authorization": f"Bearer {old}"}))[0] == 401


def test_without_the_routes_scope_it_is_403(service: Service) -> None:
    tenant, project = str(uuid4()), str(uuid4())
    with service.client(tenant, project) as client:
        reader = {"Authorization": f"Bearer {service.token(tenant, scope='jobs:read')}"}
        assert problem(client.post("/jobs", json=JOB, headers=reader)) == (403, "forbidden")
        assert problem(client.get(f"/job/{uuid4()}", headers=reader)) == (404, "not_found")


def test_another_tenants_or_projects_token_is_403_whatever_exists(service: Service) -> None:
    tenant, project = str(uuid4()), str(uuid4())
    with service.client(tenant, project) as client:
        job = created(client)
        for token in (service.token(str(uuid4())), service.token(tenant, str(uuid4()))):
            for path in (f"/job/{job}", f"/job/{uuid4()}"):
                answer = client.get(path, headers={"Authorization": f"Bearer {token}"})
                assert problem(answer) == (403, "forbidden")


def test_a_token_confined_to_the_project_is_let_in(service: Service) -> None:
    tenant, project = str(uuid4()), str(uuid4())
    with service.client(tenant, project) as client:
        job = created(client)
        token = service.token(tenant, project.upper())
        assert client.get(f"/job/{job}", headers={"Authorization": f"Bearer {token}"}).status_code == 200


@pytest.mark.parametrize(("method", "path"), [("GET", "/nothing"), ("DELETE", "/jobs"), ("GET", "/job/a/b/c")])
def test_what_is_no_route_is_404(api: httpx.Client, method: str, path: str) -> None:
    assert problem(api.request(method, path)) == (404, "not_found")


def test_a_body_without_end_is_413(api: httpx.Client) -> None:
    chunks = (b" " * 65536 for _ in range(320))  # 20 MiB, of unknown length
    answer = api.post("/jobs", content=chunks, headers={"Content-Type": "application/json"})
    assert problem(answer) == (413, "too_large")


@of_serve
@any_engine
def test_the_command_token_prints_one_that_is_accepted(service: Service, home: Path) -> None:
    tenant, project = str(uuid4()), str(uuid4())
    done = subprocess.run(
        command("token", "--tenant", tenant, "--project", project, "--ttl", "60"),
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=True,
    )
    with service.client(tenant, project) as client:
        client.headers["Authorization"] = f"Bearer {done.stdout.splitlines()[-1]}"
        created(client)


@of_serve
@any_engine
def test_a_tenant_that_is_no_guid_is_one_clear_line(home: Path) -> None:
    assert "--tenant must be a GUID" in refused(home, "token", "--tenant", "acme")


@of_serve
@any_engine
def test_a_port_in_use_is_one_clear_line(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = refused(home, "serve", "--memory", "--port", str(port))
        assert line == f"jobtrack: cannot listen on port {port}: Address already in use; choose another with --port"


@of_serve
@any_engine
@pytest.mark.parametrize("choice", ["oracle", "ministack", "http://127.0.0.1:8000"])
def test_an_engine_that_is_none_is_one_clear_line(home: Path, choice: str) -> None:
    said = refused(home, "serve", "--port", "0", "--engine", choice)
    assert f"--engine must be sqlite or dynamodb-local, not '{choice}'" in said


@of_serve
@any_engine
def test_a_folder_that_is_none_is_one_clear_line(home: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = refused(home, "serve", "--port", "0", "--data", str(tmp_path / "file" / "data"))
    assert f"cannot write to {tmp_path / 'file' / 'data'}" in said


@of_serve
@any_engine
def test_a_folder_in_use_is_one_clear_line(home: Path, tmp_path: Path) -> None:
    with running(home, "sqlite", "--data", str(tmp_path)):
        said = refused(home, "serve", "--port", "0", "--data", str(tmp_path))
    assert "in use by another jobtrack serve" in said


@of_serve
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_and_its_engine(home: Path, engine: str, sign: signal.Signals) -> None:
    with running(home, engine) as service:
        engines = service.engines()
        assert len(engines) == (engine == "dynamodb-local")
        service.process.send_signal(sign)
        assert service.process.wait(STOP_SECONDS) == 0
        assert not any(process.is_running() for process in engines)


@of_serve
@any_engine
def test_signals_that_are_ignored_when_it_starts_stay_ignored(home: Path) -> None:
    """As under nohup, or in the background of a script."""
    shell = ("sh", "-c", """trap '' INT HUP; exec "$0" "$@" """, str(JOBTRACK))
    with running(home, "sqlite", program=shell) as service:
        for sign in (signal.SIGHUP, signal.SIGINT):
            service.process.send_signal(sign)
        with service.client() as client:
            created(client)
        assert service.stop() == 0


@of_serve
@any_engine
def test_of_several_services_clients_find_the_newest_that_runs(tmp_path: Path) -> None:
    def found() -> str | None:
        return profile({"JOBTRACK_HOME": str(tmp_path)}).url

    with running(tmp_path, "sqlite") as first, ExitStack() as stack:
        second = stack.enter_context(running(tmp_path, "sqlite"))
        third = stack.enter_context(running(tmp_path, "sqlite"))
        assert found() == third.url
        second.stop()
        assert found() == third.url
        third.kill()
        assert found() == first.url
    assert found() is None


@of_serve
@any_engine
def test_without_descriptors_it_logs_little_and_serves_again_once_there_are_some(home: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    shell = ("sh", "-c", f"""ulimit -n 40; exec "$0" "$@" 2>'{log}'""", str(JOBTRACK))
    with running(home, "sqlite", program=shell) as service, service.client() as client:
        with ExitStack() as stack:
            address = "127.0.0.1", urlsplit(service.url).port
            for _ in range(100):
                stack.enter_context(socket.create_connection(address)).sendall(b"GET /health HTTP/1.1\r\n")
            time.sleep(3)
        created(client)
        assert log.stat().st_size < 5_000, log.read_text()[:2_000]


@of_serve
@one_process
def test_kill_leaves_no_engine_behind(home: Path, engine: str) -> None:
    with running(home, engine) as service:
        left = service.kill()
        assert left
        assert not psutil.wait_procs(left, timeout=STOP_SECONDS)[1]


@of_serve
@one_process
def test_it_ends_when_its_engine_does(home: Path, engine: str) -> None:
    with running(home, engine) as service:
        service.engines()[0].kill()
        assert service.process.wait(STOP_SECONDS) == 1


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_data_outlive_the_service(home: Path, engine: str, tmp_path: Path, end: str) -> None:
    tenant, project = str(uuid4()), str(uuid4())
    arguments = ["--data", str(tmp_path / "data")]
    with running(home, engine, *arguments) as service, service.client(tenant, project) as client:
        job = created(client)
        events = [{"type": "jobStarted", "data": {}}, {"type": "log", "data": {"level": "INFO", "message": "here"}}]
        assert client.post(f"/job/{job}/events", json={"events": events}).status_code == 202
        getattr(service, end)()
    with running(home, engine, *arguments) as again, again.client(tenant, project) as client:
        assert client.get(f"/job/{job}").json()["status"] == "Running"
        assert [entry["message"] for entry in client.get(f"/job/{job}/logs").json()["logs"]] == ["here"]


@of_serve
@pytest.mark.one_engine("sqlite", "the other engine uses the same folder")
def test_the_temporary_folder_of_a_killed_service_is_removed(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the next start, unlike that of a service that runs."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with running(home, "sqlite") as killed, running(home, "sqlite") as alive:
        killed.kill()
        assert len(list(tmp_path.iterdir())) == 2
        with running(home, "sqlite") as third:
            assert set(tmp_path.iterdir()) == {alive.embedded, third.embedded}
    assert not list(tmp_path.iterdir())


@of_serve
@pytest.mark.one_engine("sqlite", "the other engine keeps its tables in another process")
def test_reads_that_fail_write_one_line(home: Path) -> None:
    with running(home, "sqlite") as service, service.client() as client:
        job = created(client)
        for path in service.embedded.glob("jobtrack.db*"):
            path.unlink()
        with ThreadPoolExecutor(20) as threads:  # a new thread of the service must open the file
            statuses = list(threads.map(lambda _: client.get(f"/job/{job}").status_code, range(60)))
        service.stop()
        assert service.process.stdout is not None
        lines = [line for line in service.process.stdout if line.startswith("{")]
    assert statuses.count(503) > 1
    (line,) = lines
    assert "jobtrack.db was deleted or replaced" in json.loads(line)["message"]
    assert "Traceback" not in line


def test_without_a_folder_nothing_is_kept(home: Path, engine: str) -> None:
    tenant, project = str(uuid4()), str(uuid4())
    with running(home, engine) as service, service.client(tenant, project) as client:
        job = created(client)
    with running(home, engine) as again, again.client(tenant, project) as client:
        assert client.get(f"/job/{job}").status_code == 404


@of_serve
@any_engine
def test_a_clock_that_would_call_at_no_interval_is_told(
    home: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(INTERVAL_VARIABLE, "often")
    assert f"{INTERVAL_VARIABLE} is 'often'" in refused(home, "serve", "--port", "0", "--engine", engine)


@of_serve
@any_engine
def test_it_prints_where_the_data_are(home: Path, engine: str, tmp_path: Path) -> None:
    for arguments, place in ((("--data", str(tmp_path)), str(tmp_path)), ((), TEMPORARY)):
        with running(home, engine, *arguments) as service:
            assert service.process.stdout is not None
            assert service.process.stdout.readline() == f"Data: {place}\n"
