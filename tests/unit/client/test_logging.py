"""`logging` as log lines of a job."""

import logging
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.unit.client.service import QUICK, Service, client

LOGGER = logging.getLogger("miner.loader")


class Tracked:
    """A job whose handler is on the root logger."""

    def __init__(self) -> None:
        self.service = Service()
        self.job = client(self.service).job("Import", job_type="import", options=QUICK)

    def logs(self) -> list[dict[str, Any]]:
        assert self.job.flush(20)
        return [event["data"] for event in self.service.events if event["type"] == "log"]


@pytest.fixture
def tracked() -> Iterator[Tracked]:
    it = Tracked()
    root = logging.getLogger()
    handler, level = it.job.logging_handler(), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with it.job:
            yield it
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


@pytest.mark.parametrize(
    ("level", "name"),
    [(5, "DEBUG"), (10, "DEBUG"), (20, "INFO"), (25, "INFO"), (30, "WARN"), (40, "ERROR"), (50, "ERROR")],
)
def test_levels_are_those_of_the_contract(tracked: Tracked, level: int, name: str) -> None:
    LOGGER.setLevel(1)
    LOGGER.log(level, "row %d", 7)
    LOGGER.setLevel(logging.NOTSET)
    assert tracked.logs() == [{"level": name, "message": "row 7", "component": "miner.loader"}]


def test_a_record_names_the_stage_and_carries_its_details(tracked: Tracked) -> None:
    with tracked.job.stage("Load"):
        LOGGER.info("read", extra={"details": {"rows": 3}})
    assert tracked.logs() == [
        {"level": "INFO", "message": "read", "component": "miner.loader", "stage": "Load", "details": {"rows": 3}}
    ]


def test_an_exception_is_among_the_details(tracked: Tracked) -> None:
    try:
        raise KeyError("tailnum")
    except KeyError:
        LOGGER.exception("row skipped", stack_info=True)
    (log,) = tracked.logs()
    assert log["level"] == "ERROR"
    assert log["message"] == "row skipped"
    assert log["details"]["exception"].endswith("KeyError: 'tailnum'")
    assert log["details"]["exception"].startswith("Traceback")
    assert "test_logging" in log["details"]["stack"]


def test_a_long_chain_of_exceptions_keeps_its_end_and_its_causes(tracked: Tracked) -> None:
    try:
        try:
            raise KeyError("first " + "x" * 6000)
        except KeyError as error:
            raise ValueError("second " + "y" * 6000) from error
    except ValueError as error:
        try:
            raise RuntimeError("third " + "z" * 6000) from error
        except RuntimeError:
            LOGGER.exception("it failed")
    (log,) = tracked.logs()
    exception = log["details"]["exception"]
    for line in ("\nKeyError: 'first xx", "\nValueError: second yy", "\nRuntimeError: third zz"):
        assert line in exception
    assert exception.endswith("zz")
    assert exception.count("direct cause of the following exception") == 2
    assert "characters cut" in exception


def test_what_the_client_and_its_libraries_log_is_left_out(tracked: Tracked) -> None:
    for name in ("jobtrack_client", "jobtrack_client.websockets"):
        logging.getLogger(name).warning("of our own")
    LOGGER.info("of the worker")
    for _ in range(3):
        assert tracked.job.flush(20)
    assert [log["message"] for log in tracked.logs()] == ["of the worker"]


def test_the_requests_of_the_program_itself_are_in_its_log(tracked: Tracked, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        with httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200))) as http:
            http.get("http://their.test/")
        assert [log["message"] for log in tracked.logs()] == ['HTTP Request: GET http://their.test/ "HTTP/1.1 200 OK"']
    assert "service.test" not in caplog.text


def test_what_is_logged_while_sending_is_left_out() -> None:
    service = Service()
    chatty = logging.getLogger("proxy.library")

    def answer(request: Any) -> Any:
        chatty.warning("sending")
        return service(request)

    job = client(answer).job("Import", job_type="import", options=QUICK)
    handler = job.logging_handler()
    chatty.addHandler(handler)
    try:
        with job:
            chatty.warning("working")
    finally:
        chatty.removeHandler(handler)
    assert service.messages() == ["working"]


def test_a_record_that_cannot_be_formatted_is_logging_s_own_affair(
    tracked: Tracked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    handler = tracked.job.logging_handler()
    handler.handle(logging.LogRecord("x", logging.INFO, "f", 1, "%d rows", ("many",), None))
    assert tracked.logs() == []


def test_a_handler_keeps_to_its_level() -> None:
    service = Service()
    with client(service).job("Import", job_type="import", options=QUICK) as job:
        handler = job.logging_handler(logging.WARNING)
        LOGGER.addHandler(handler)
        LOGGER.setLevel(logging.DEBUG)
        LOGGER.info("quiet")
        LOGGER.warning("loud")
        LOGGER.removeHandler(handler)
    assert service.messages() == ["loud"]
