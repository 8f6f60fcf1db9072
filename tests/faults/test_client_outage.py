"""The reporter with a server on a real socket that goes away, hangs, cuts off responses and returns."""

import json
import threading

import httpx
import pytest
from websockets.sync.server import serve

import jobtrack_client as jt
from jobtrack_client._api._sync import sockets
from tests.faults.serving import OPTIONS, client, lines, run_worker, serving
from tests.unit.client.service import Service


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


def test_an_interpreter_that_ends_without_closing_still_sends_what_waits() -> None:
    service = Service()
    with serving(service) as server:
        ran = run_worker(server.url, "for number in range(1500): job.log('INFO', str(number))")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert service.messages()[:-1] == lines(1500)


def test_an_interpreter_that_fails_still_sends_what_waits() -> None:
    service = Service()
    with serving(service) as server:
        ran = run_worker(server.url, "job.log('INFO', '0'); raise SystemExit(3)")
    assert ran.returncode == 3
    assert service.messages()[:-1] == lines(1)


def test_an_interpreter_ends_though_the_service_is_away() -> None:
    ran = run_worker("http://127.0.0.1:9", "job.log('INFO', 'lost')")
    assert ran.returncode == 0
    assert "4 of the job's events are lost (undelivered 4)" in ran.stderr


def test_a_program_that_is_blocked_in_c_code_sends_heartbeats_and_its_forked_children_none() -> None:
    service = Service()
    script = """
        import ctypes, os
        job.close()
        with jt.Client().job("n", job_type="t", heartbeat_seconds=1) as job:
            if not (child := os.fork()):
                job.log("INFO", "child")
                ctypes.CDLL(None).sleep(2)
                os._exit(0)
            ctypes.CDLL(None).sleep(2)
            os.waitpid(child, 0)
    """
    with serving(service) as server:
        ran = run_worker(server.url, script)
    assert (ran.returncode, ran.stderr) == (0, "")
    # Every third of a second for two seconds, on a machine that may be slow.
    assert 2 <= service.types().count("heartbeat") <= 6
    assert service.types()[-1] == "jobCompleted"


@pytest.mark.parametrize(
    ("status", "kind"), [(401, jt.Unauthorized), (403, jt.Forbidden), (500, jt.Unreachable), (404, jt.Unreachable)]
)
def test_a_websocket_whose_ticket_is_refused_is_no_outage(status: int, kind: type[jt.JobTrackError]) -> None:
    with serve(lambda socket: None, "127.0.0.1", 0, process_request=lambda it, _: it.respond(status, "no")) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        port = server.socket.getsockname()[1]
        with pytest.raises(kind) as caught:
            list(sockets.messages(f"ws://127.0.0.1:{port}/?ticket=secret", None, 5))
        server.shutdown()
        thread.join()
    assert "secret" not in str(caught.value)


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
