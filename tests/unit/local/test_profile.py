"""The profiles of running services: each has its own, and clients find the newest."""

import itertools
import logging
import stat
from contextlib import AbstractContextManager
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobtrack_client.profiles import SERVICES, profile
from jobtrack_local.profile import PROJECT, TENANT, publish


def url(home: Path) -> str | None:
    return profile({"JOBTRACK_HOME": str(home)}).url


def files(home: Path) -> list[Path]:
    return [*(home / SERVICES).iterdir()]


def test_it_is_there_while_the_service_runs(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with publish("http://127.0.0.1:8080", home):
        found = profile({"JOBTRACK_HOME": str(home)})
        assert (found.url, found.tenant, found.project) == ("http://127.0.0.1:8080", TENANT, PROJECT)
        assert isinstance(found.token_command, tuple)
        (file,) = files(home)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert url(home) is None
    assert files(home) == []


@given(st.lists(st.booleans(), max_size=12), st.randoms())
def test_whichever_starts_or_stops_clients_find_the_newest_that_runs(
    tmp_path_factory: pytest.TempPathFactory, steps: list[bool], random: Random
) -> None:
    home = tmp_path_factory.mktemp("home")
    numbers = itertools.count(1)
    running: dict[str, AbstractContextManager[None]] = {}
    for starts in steps:
        if starts:
            name = f"http://127.0.0.1:{next(numbers)}"
            running[name] = publish(name, home)
            running[name].__enter__()
        elif running:
            running.pop(random.choice([*running])).__exit__(None, None, None)
        assert url(home) == next(reversed(running), None)
    for each in running.values():
        each.__exit__(None, None, None)
    assert not (home / SERVICES).exists() or files(home) == []


def test_what_a_killed_service_left_is_skipped_and_then_removed(tmp_path: Path) -> None:
    with publish("http://127.0.0.1:1", tmp_path):
        (left,) = files(tmp_path)
        dead = left.with_name(f"9{left.name}")
        dead.write_text(left.read_text().replace(":1", ":2"))
        assert url(tmp_path) == "http://127.0.0.1:1"
        with publish("http://127.0.0.1:3", tmp_path):
            assert dead not in files(tmp_path)
            assert url(tmp_path) == "http://127.0.0.1:3"


def test_one_whose_file_is_gone_still_ends_in_order(tmp_path: Path) -> None:
    with publish("http://127.0.0.1:1", tmp_path):
        files(tmp_path)[0].unlink()
        assert url(tmp_path) is None


def test_a_home_that_cannot_be_written_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / SERVICES).touch()  # missing write permission on a folder would not stop root
    with caplog.at_level(logging.WARNING), publish("http://127.0.0.1:1", tmp_path):
        assert url(tmp_path) is None
    assert "JOBTRACK_URL=http://127.0.0.1:1" in caplog.text


def test_an_error_of_the_service_is_passed_on_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="of the service"), publish("http://127.0.0.1:1", tmp_path):
        raise OSError("of the service")
    assert files(tmp_path) == []
