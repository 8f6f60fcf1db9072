"""Log records of a program become log lines without a change to the program or to its logging."""

import logging
import logging.config
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import jobtrack_client as jt
from jobtrack_client._runtime.import_hooks import when_imported
from tests.unit.client.service import QUICK, Service, client

LOGGER = logging.getLogger("program.loader")


@contextmanager
def unconfigured() -> Iterator[None]:
    """The root logger as a program finds it; it is restored afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers[:] = []
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


def installed(service: Service, **more: bool) -> Any:
    job = client(service).job("Program", job_type="program", options=QUICK)
    return job, jt.install(job, **more)


def test_records_become_lines_whatever_is_configured_and_however_often(
    capsys: pytest.CaptureFixture[str],
) -> None:
    service = Service()
    job, installation = installed(service)
    with unconfigured(), job, installation:
        LOGGER.warning("unconfigured")
        logging.basicConfig(level=logging.INFO, format="basic %(message)s")
        LOGGER.info("basic")
        logging.config.dictConfig({"version": 1, "disable_existing_loggers": False, "root": {"level": "DEBUG"}})
        LOGGER.debug("by a dictionary")
        LOGGER.propagate = False
        LOGGER.error("kept to itself")
        LOGGER.propagate = True
    LOGGER.error("after the job")
    assert service.messages() == ["unconfigured", "basic", "by a dictionary", "kept to itself"]
    assert [event["data"]["level"] for event in service.events if event["type"] == "log"] == [
        *("WARN", "INFO", "DEBUG", "ERROR")
    ]
    assert capsys.readouterr().err.splitlines()[:2] == ["unconfigured", "basic basic"]


def test_what_a_logger_does_not_let_through_is_no_line() -> None:
    service = Service()
    job, installation = installed(service)
    with unconfigured(), job, installation:
        LOGGER.info("below the level")
        LOGGER.addFilter(lambda record: False)
        LOGGER.error("filtered")
        LOGGER.filters.clear()
    assert service.messages() == []


def test_logging_and_bars_can_be_left_alone() -> None:
    from tqdm import tqdm

    service = Service()
    job, installation = installed(service, logging=False, tqdm=False)
    with unconfigured(), job, installation:
        LOGGER.error("not asked for")
        list(tqdm("abc", disable=True))
    assert service.types() == ["jobStarted", "jobCompleted"]


def test_the_job_is_that_of_all_code_that_has_none() -> None:
    service = Service()
    job, installation = installed(service)
    other = client(service).job("Other", job_type="other", options=QUICK)
    with job, installation:
        with other:
            assert jt.current_job() is other
        assert jt.current_job() is job


def test_a_module_that_comes_later_is_met_when_it_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "comes_later.py").write_text("VALUE = 1")
    (tmp_path / "never_comes.py").write_text("VALUE = 2")
    monkeypatch.syspath_prepend(str(tmp_path))
    met: list[int] = []
    when_imported("comes_later", lambda module: met.append(module.VALUE))
    when_imported("never_comes", lambda module: met.append(module.VALUE))()
    import comes_later  # type: ignore[import-not-found]
    import never_comes  # type: ignore[import-not-found]

    assert met == [1]
    when_imported("comes_later", lambda module: met.append(module.VALUE + 1))
    assert met == [1, 2]
    assert (comes_later.__name__, never_comes.VALUE) == ("comes_later", 2)
