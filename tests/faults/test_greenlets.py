"""Programs with gevent and eventlet, which replace threads and sockets: early, late or not at all."""

import textwrap
import time
from pathlib import Path

import httpx
import pytest

from tests.faults.serving import lines, run, serving
from tests.unit.client.service import Service

GREEN = {
    "gevent": """
        import gevent
        def patch():
            from gevent import monkey
            monkey.patch_all()
        spawn, sleep, wait_all = gevent.spawn, gevent.sleep, lambda all: gevent.joinall(all, raise_error=True)
        wait = gevent.Greenlet.get
    """,
    "eventlet": """
        import eventlet
        def patch():
            eventlet.monkey_patch()
        spawn, sleep, wait_all = eventlet.spawn, eventlet.sleep, lambda all: [each.wait() for each in all]
        wait = eventlet.greenthread.GreenThread.wait
    """,
}
CLIENT = "import jobtrack_client as jt\nclient = jt.Client()\n"
BEGIN = "job = client.job('n', job_type='t').start()\n"
PATCHED = {"early": f"patch()\n{CLIENT}{BEGIN}", "late": f"{CLIENT}patch()\n{BEGIN}", "never": CLIENT + BEGIN}


def run_green(url: str, green: str, patched: str, script: str) -> None:
    """Run a script within a `job`; it must print nothing on standard error."""
    parts = [textwrap.dedent(GREEN[green]), PATCHED[patched], textwrap.dedent(script)]
    ran = run(url, "-W", "ignore", "-c", "\n".join(parts))
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


@pytest.mark.parametrize("patched", PATCHED)
@pytest.mark.parametrize("green", GREEN)
def test_greenlets_report_while_the_program_starts_others(green: str, patched: str) -> None:
    service = Service()
    script = """
        import os, subprocess
        def work(number):
            assert jt.current_job() is job
            with job.stage(f"Part {number}", total=5) as stage:
                for _ in range(5):
                    stage.advance()
                    sleep(0)
                subprocess.run(["true"], check=True)
                if not (child := os.fork()):
                    stage.advance()
                    os._exit(0)
                os.waitpid(child, 0)
                assert job.flush(30)
                job.log("INFO", str(number))
        with job:
            wait_all([spawn(work, number) for number in range(4)])
    """
    with serving(service) as server:
        run_green(server.url, green, patched, script)
    assert sorted(service.messages()) == lines(4)
    ended = [event["data"] for event in service.events if event["type"] == "stageCompleted"]
    assert sorted((stage["stageName"], stage["recordsProcessed"]) for stage in ended) == [
        (f"Part {number}", 6) for number in range(4)
    ]
    assert (service.types()[0], service.types()[-1]) == ("jobStarted", "jobCompleted")


@pytest.mark.parametrize("patched", PATCHED)
@pytest.mark.parametrize("green", GREEN)
def test_a_forked_child_of_greenlets_neither_repeats_what_waits_nor_hangs(green: str, patched: str) -> None:
    service = Service()
    # A child of eventlet may take events from its parent, because they share one epoll.
    script = f"""
        import os
        for number in range(5):
            job.log("INFO", str(number))
            if not (child := os.fork()):
                job.log("INFO", f"child {{number}}")
                {"sleep(0.01)" if green == "gevent" else ""}
                os._exit(0 if job.flush(30) else 1)
            assert os.waitpid(child, 0)[1] == 0
        job.close()
    """
    with serving(service) as server:
        run_green(server.url, green, patched, script)
    assert [text for text in service.messages() if not text.startswith("child")] == lines(5)
    assert sorted(service.messages()) == sorted([*lines(5), *(f"child {number}" for number in range(5))])


@pytest.mark.parametrize("patched", PATCHED)
@pytest.mark.parametrize("green", GREEN)
def test_greenlets_go_on_while_a_job_begins_is_flushed_and_ends(green: str, patched: str, tmp_path: Path) -> None:
    service, beats = Service(), tmp_path / "beats"
    stuck: list[str] = []
    beats.touch()

    def answer(request: httpx.Request) -> httpx.Response:
        if len(service.requests) < 3:  # the job before the greenlets
            return service(request)
        deadline, wanted = time.monotonic() + 8, beats.stat().st_size + 3
        while beats.stat().st_size < wanted and not stuck:
            if time.monotonic() > deadline:
                stuck.append(request.url.path)
            time.sleep(0.005)
        return service(request)

    script = f"""
        import os, time
        job.close()
        beats = os.open({str(beats)!r}, os.O_WRONLY | os.O_APPEND)
        def beat():
            while True:
                os.write(beats, b".")
                sleep(0.001)
        def work():
            with client.job("n", job_type="t") as mine:
                assert wait(spawn(jt.current_job)) is mine
                mine.log("INFO", "there")
                assert mine.flush(30)
        spawn(beat)
        wait_all([spawn(work), spawn(work)])
    """
    with serving(answer) as server:
        run_green(server.url, green, patched, script)
    assert stuck == []
    assert service.messages() == ["there", "there"]


def test_a_loop_ends_as_its_greenlet_does() -> None:
    service = Service()
    script = """
        def raises():
            for row in jt.track("abc", "n"):
                int("row 1")
        def waits():
            for row in jt.track("abc", "n"):
                sleep(60)
        job.close()
        gevent.get_hub().handle_error = lambda *error: None  # which shows it
        spawn(raises).join()
        waiting = spawn(waits)
        sleep(0.2)
        waiting.kill()
        sleep(0.2)
        assert not jt.current_job()
    """
    with serving(service) as server:
        run_green(server.url, "gevent", "early", script)
    failed, cancelled = (event["data"] for event in service.events if event["type"] in ("jobFailed", "jobCancelled"))
    assert failed["error"]["type"] == "ValueError"
    assert cancelled == {"metrics": {"reason": "the greenlet was killed (GreenletExit)"}}


@pytest.mark.parametrize("patched", PATCHED)
def test_greenlets_of_eventlet_that_are_no_green_threads_know_the_job(patched: str) -> None:
    service = Service()
    script = """
        from eventlet import tpool
        def found(_=None):
            return jt.current_job()
        def work():
            with client.job("other", job_type="t") as mine:
                pool = eventlet.GreenPool()
                assert list(pool.imap(found, "ab")) == [mine, mine]
                seen = []
                eventlet.spawn_n(lambda: seen.append(found()))
                pool.spawn_n(lambda: seen.append(found()))
                pool.waitall()
                sleep(0)
                assert seen == [mine, mine]
        assert list(eventlet.GreenPool().imap(found, "ab")) == [job, job]
        assert tpool.execute(found) is job
        spawn(work).wait()
        job.close()
    """
    with serving(service) as server:
        run_green(server.url, "eventlet", patched, script)
