"""The reporter against a server on a real socket that goes away, hangs, cuts off answers and comes back."""

import json
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

import jobtrack_client as jt
from tests.unit.client.service import GUID, Service

OPTIONS = jt.ReporterOptions(
    flush_seconds=0.01, request_seconds=0.3, close_seconds=30, backoff=jt.Backoff(first=0.01, longest=0.05)
)
Answer = Callable[[httpx.Request], httpx.Response | None]


class Server:
    """Serves on one port, which it keeps over restarts; an answer of None cuts the connection."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), _handler(self._answer))
        self._server.daemon_threads = True
        self._port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(answer: Answer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            response = answer(
                httpx.Request("POST", f"http://here{self.path}", headers=dict(self.headers), content=body)
            )
            if response is None:
                return
            self.send_response(response.status_code)
            self.send_header("Content-Length", str(len(response.content)))
            self.end_headers()
            self.wfile.write(response.content)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Handler


@contextmanager
def serving(answer: Answer) -> Iterator[Server]:
    server = Server(answer)
    try:
        yield server
    finally:
        server.stop()


def client(server: Server) -> jt.Client:
    return jt.Client(server.url, "t", GUID, GUID)


def lines(count: int) -> list[str]:
    return [str(number) for number in range(count)]


def test_a_service_that_is_restarted_mid_run_misses_nothing() -> None:
    service = Service()
    with serving(service) as server, client(server) as api, api.job("n", job_type="t", options=OPTIONS) as job:
        for text in lines(3000):
            if text == "1000":
                assert job.flush(30)
                server.stop()
            if text == "2000":
                server.start()
            job.log("INFO", text)
        assert job.flush(30)
        assert service.messages() == lines(3000)
    assert job.stats.acknowledged == job.stats.reported


def test_a_service_that_comes_up_after_the_job_gets_all_of_it() -> None:
    service = Service()
    with serving(service) as server, client(server) as api:
        server.stop()
        with api.job("n", job_type="t", options=OPTIONS) as job:
            job.log("INFO", "0")
            server.start()
        assert service.types() == ["jobStarted", "log", "jobCompleted"]


@pytest.mark.parametrize("stored", [True, False])
def test_an_answer_that_is_cut_off_is_no_loss_and_no_repeat(stored: bool) -> None:
    service = Service()
    turn = iter(range(1000))

    def cut(request: httpx.Request) -> httpx.Response | None:
        if next(turn) % 2:
            return service(request)
        if stored:
            service(request)
        return None

    with serving(cut) as server, client(server) as api, api.job("n", job_type="t", options=OPTIONS) as job:
        for text in lines(1200):
            job.log("INFO", text)
    assert service.messages() == lines(1200)
    assert len(service.jobs) == 1


def test_a_service_that_hangs_is_given_up_and_tried_again() -> None:
    service = Service()
    release = threading.Event()
    turn = iter(range(1000))

    def hang(request: httpx.Request) -> httpx.Response:
        if next(turn) in (1, 2):
            release.wait(30)
        return service(request)

    with serving(hang) as server, client(server) as api:
        with api.job("n", job_type="t", options=OPTIONS) as job:
            for text in lines(10):
                job.log("INFO", text)
        release.set()
    assert service.messages() == lines(10)
    assert job.stats.acknowledged == job.stats.reported


def run_worker(url: str, script: str) -> subprocess.CompletedProcess[str]:
    head = f"""
        import jobtrack_client as jt
        options = jt.ReporterOptions(exit_seconds=EXIT)
        job = jt.Client({url!r}, "t", {GUID!r}, {GUID!r}).job("n", job_type="t", options=options).start()
    """
    text = textwrap.dedent(head) + textwrap.dedent(script)
    exit_seconds = "0.2" if url.endswith(":9") else "20"
    code = [sys.executable, "-W", "ignore", "-c", text.replace("EXIT", exit_seconds)]
    return subprocess.run(code, capture_output=True, text=True, timeout=60, check=False)


def test_an_interpreter_that_ends_without_closing_still_sends_what_waits() -> None:
    service = Service()
    with serving(service) as server:
        ran = run_worker(server.url, "for number in range(1500): job.log('INFO', str(number))")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert service.messages() == lines(1500)


def test_an_interpreter_that_fails_still_sends_what_waits() -> None:
    service = Service()
    with serving(service) as server:
        ran = run_worker(server.url, "job.log('INFO', '0'); raise SystemExit(3)")
    assert ran.returncode == 3
    assert service.messages() == lines(1)


def test_an_interpreter_ends_though_the_service_is_away() -> None:
    ran = run_worker("http://127.0.0.1:9", "job.log('INFO', 'lost')")
    assert ran.returncode == 0
    assert "2 of the job's events are lost (undelivered 2)" in ran.stderr


def test_a_forked_child_neither_hangs_nor_repeats_its_parent_s_events() -> None:
    service = Service()
    script = """
        import os, sys
        for number in range(50):
            job.log("INFO", str(number))
            if not (child := os.fork()):
                job.log("INFO", "child")
                job.flush(30)
                sys.exit(0)
            assert os.waitpid(child, 0)[1] == 0
    """
    with serving(service) as server:
        ran = run_worker(server.url, script)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert service.messages() == lines(50)


def test_what_arrived_is_json_in_utf_8_with_the_token_and_a_key() -> None:
    requests: list[httpx.Request] = []
    service = Service()

    def keep(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return service(request)

    with serving(keep) as server, client(server) as api, api.job("夜間", job_type="t", options=OPTIONS):
        pass
    created = requests[0]
    assert json.loads(created.content)["jobName"] == "夜間"
    assert created.headers["Authorization"] == "Bearer t"
    assert created.headers["Content-Type"] == "application/json"
    assert len({request.headers["Idempotency-Key"] for request in requests}) == len(requests)
